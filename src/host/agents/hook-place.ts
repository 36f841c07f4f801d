// Where each agent's hook is written down, and as what. An entry starts the program by its absolute
// path, so that nothing on PATH can stand in for it, and lets the agent wait for as long as a
// person may take.

import { homedir } from "node:os";
import { join } from "node:path";
import type { AgentName } from "../../model/agent-name.ts";
import { shellWord } from "../../text/quote-posix.ts";

/** A place for a hook. */
export interface HookPlace {
  readonly path: string;
  /** Of a file shared with others: where the list of hooks is, and the entry. */
  readonly shared?: {
    readonly list: readonly string[];
    readonly entry: object;
    /** Fields that the file must have, for a file that is new. */
    readonly base: object;
  };
  /** Of a file of our own: all of it. */
  readonly own?: string;
}

const WAIT_S = 15 * 60;

/** The place of an agent's hook for one user. */
export function hookPlace(
  agent: AgentName,
  program: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): HookPlace {
  const home = env.HOME || homedir();
  const command = [...program, "hook", agent].map(shellWord).join(" ");
  switch (agent) {
    case "claude":
      return {
        path: join(env.CLAUDE_CONFIG_DIR || join(home, ".claude"), "settings.json"),
        shared: {
          list: ["hooks", "PreToolUse"],
          entry: {
            matcher: "Bash",
            hooks: [{ type: "command", command, timeout: WAIT_S, onFailure: "block" }],
          },
          base: {},
        },
      };
    case "codex":
      return {
        path: join(env.CODEX_HOME || join(home, ".codex"), "hooks.json"),
        shared: {
          list: ["hooks", "PreToolUse"],
          entry: { matcher: "Bash", hooks: [{ type: "command", command, timeout: WAIT_S }] },
          base: {},
        },
      };
    case "gemini":
      return {
        path: join(home, ".gemini", "settings.json"),
        shared: {
          list: ["hooks", "BeforeTool"],
          entry: {
            matcher: "run_shell_command",
            hooks: [{ name: "iddio", type: "command", command, timeout: WAIT_S * 1000 }],
          },
          base: {},
        },
      };
    case "cursor":
      return {
        path: join(home, ".cursor", "hooks.json"),
        shared: {
          list: ["hooks", "beforeShellExecution"],
          entry: { command, timeout: WAIT_S, failClosed: true },
          base: { version: 1 },
        },
      };
    case "copilot": {
      const hook = { type: "command", bash: command, timeoutSec: WAIT_S };
      return {
        path: join(env.COPILOT_HOME || join(home, ".copilot"), "hooks", "iddio.json"),
        own: `${JSON.stringify({ version: 1, hooks: { preToolUse: [hook] } }, undefined, 2)}\n`,
      };
    }
    case "opencode":
      return {
        path: join(env.XDG_CONFIG_HOME || join(home, ".config"), "opencode", "plugins", "iddio.js"),
        own: plugin([...program, "hook", agent]),
      };
  }
}

/** The text of a new file that holds nothing but the hook. */
export function freshText({ own, shared }: HookPlace): string {
  if (own !== undefined) return own;
  const { list, entry, base } = shared ?? { list: [], entry: {}, base: {} };
  const value = list.reduceRight<unknown>((inner, name) => ({ [name]: inner }), [entry]);
  return `${JSON.stringify({ ...base, ...(value as object) }, undefined, 2)}\n`;
}

/** The command of an entry, as a shell reads it. */
export function commandOfEntry(entry: unknown): string | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { command, hooks } = entry as { readonly command?: unknown; readonly hooks?: unknown };
  if (typeof command === "string") return command;
  return Array.isArray(hooks) ? hooks.map(commandOfEntry).find((each) => each !== undefined) : undefined;
}

/** Whether a command is a hook of ours, whichever file of ours it starts. */
export function isOurs(command: string | undefined, agent: AgentName): boolean {
  return command !== undefined && new RegExp(`(?:^|[/ '])(?:iddio|main\\.ts)'? hook ${agent}$`).test(command);
}

function plugin([program = "", ...args]: readonly string[]): string {
  return `// Asks iddio before a command runs. Written by 'iddio hooks install opencode'; changes are lost when it is run again.
import { spawn } from "node:child_process";

function ask(question) {
  return new Promise((resolve, reject) => {
    const hook = spawn(${JSON.stringify(program)}, ${JSON.stringify(args)}, { stdio: ["pipe", "pipe", "ignore"], timeout: ${WAIT_S * 1000} });
    let answer = "";
    hook.stdout.on("data", (chunk) => { answer += chunk; });
    hook.on("error", reject);
    hook.on("close", (code) => (code === 0 ? resolve(answer) : reject(new Error("iddio's hook ended with " + code))));
    hook.stdin.on("error", () => {});
    hook.stdin.end(JSON.stringify(question));
  });
}

const IddioHook = async ({ directory }) => ({
  "tool.execute.before": async (input, output) => {
    if (input.tool !== "bash") return;
    const cwd = output.args.workdir ?? directory;
    const answer = JSON.parse(await ask({ tool: input.tool, sessionID: input.sessionID, callID: input.callID, cwd, args: output.args }));
    // Whatever is no clear "none" stops the command.
    if (answer.decision !== "none") throw new Error(answer.reason ?? "iddio refused this command");
  },
});

export { IddioHook };
`;
}
