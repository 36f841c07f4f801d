// The hook of an agent that runs in a sandbox: part of the sandbox's files, read-only, whatever the
// agent's own settings say. It starts this program where the sandbox shows it, and asks the daemon
// by the run's own channel.

import { basename, join } from "node:path";
import { freshText, hookPlace } from "../../host/agents/hook-place.ts";
import type { AgentName } from "../../model/agent-name.ts";

/** The folder of iddio's own files in a sandbox, the first of PATH there. */
export const RUN_FOLDER = "/run/iddio";
/** This program in a sandbox. */
export const RUN_PROGRAM = `${RUN_FOLDER}/iddio`;

const SETTINGS = "hook-settings.json";

/** A file that the sandbox shows, read-only: by a name in the folder above, or at a path in the home directory. */
export interface HookFile {
  readonly text: string;
  readonly at: { readonly name: string } | { readonly path: string };
}

/** The name of a file for the home directory in the run's own folder outside. */
export function hookFileName(index: number): string {
  return `hook-file-${index}`;
}

/** The hook that makes an agent ask. */
export interface RunHook {
  readonly files: readonly HookFile[];
  /** The command with what names the file to the agent. */
  readonly command: readonly string[];
}

/** The hook of an agent for a command that is started in this home directory. */
export function runHook(agent: AgentName, home: string, command: readonly string[]): RunHook {
  const place = hookPlace(agent, [RUN_PROGRAM], { HOME: home });
  const text = freshText(place);
  const [program = "", ...rest] = command;
  switch (agent) {
    // The files of these two are their users' own settings, which they write: they are given something beside it.
    case "claude": {
      const isOurs = basename(program) === "claude" && !rest.some((word) => /^--settings(?:=|$)/.test(word));
      return {
        files: [{ text, at: { name: SETTINGS } }],
        command: isOurs ? [program, "--settings", `${RUN_FOLDER}/${SETTINGS}`, ...rest] : command,
      };
    }
    case "gemini": {
      const extension = join(home, ".gemini", "extensions", "iddio");
      const manifest = `${JSON.stringify({ name: "iddio", version: "1.0.0" })}\n`;
      return {
        files: [
          { text: manifest, at: { path: join(extension, "gemini-extension.json") } },
          { text, at: { path: join(extension, "hooks", "hooks.json") } },
        ],
        command,
      };
    }
    default:
      return { files: [{ text, at: { path: place.path } }], command };
  }
}
