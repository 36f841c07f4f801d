// The hook of an agent that runs in a sandbox: part of what the sandbox shows, read-only, whatever the agent's own
// settings say. It starts this program where the sandbox shows it, and asks the daemon by the run's own channel.

import { basename } from "node:path";
import { freshText, hookPlace } from "../../host/agents/hook-place.ts";
import type { AgentName } from "../../model/agent-name.ts";

/** The folder of iddio's own files in a sandbox, the first of PATH there. */
export const RUN_FOLDER = "/run/iddio";
/** This program in a sandbox. */
export const RUN_PROGRAM = `${RUN_FOLDER}/iddio`;

const SETTINGS = "hook-settings.json";

/** What makes an agent ask. */
export interface RunHook {
  /** The file's text, and where it is shown: a name in the folder above, or a path in the home directory. */
  readonly text: string;
  readonly at: { readonly name: string } | { readonly path: string };
  readonly env: Readonly<Record<string, string>>;
  /** The command with what names the file to the agent. */
  readonly command: readonly string[];
}

/** The file's name in the run's own folder outside. */
export function hookFileName({ at }: RunHook): string {
  return "name" in at ? at.name : "hook-file";
}

/** The hook of an agent for a command that is started in this home directory. */
export function runHook(agent: AgentName, home: string, command: readonly string[]): RunHook {
  const place = hookPlace(agent, [RUN_PROGRAM], { HOME: home });
  const plain = { text: freshText(place), env: {}, command };
  const settings = `${RUN_FOLDER}/${SETTINGS}`;
  const [program = "", ...rest] = command;
  switch (agent) {
    // The files of these two are their users' own settings, which they write: they are given another one beside it.
    case "claude": {
      const isOurs = basename(program) === "claude" && !rest.some((word) => /^--settings(?:=|$)/.test(word));
      return {
        ...plain,
        at: { name: SETTINGS },
        command: isOurs ? [program, "--settings", settings, ...rest] : command,
      };
    }
    case "gemini":
      return { ...plain, at: { name: SETTINGS }, env: { GEMINI_CLI_SYSTEM_SETTINGS_PATH: settings } };
    default:
      return { ...plain, at: { path: place.path } };
  }
}
