// Where the commands are that start hundreds of times a day: each start of a hook, or of a shell,
// would else pay for loading all the others. registry.ts stays the list; a test compares the two.

import type { Command } from "./kit/command.ts";

/** By their first word: all commands that begin with it. */
export const QUICK: Readonly<Record<string, () => Promise<readonly Command[]>>> = {
  hook: async () => [(await import("../features/hooks/hook.ts")).hookCommand],
  run: async () => (await import("../features/run/run.ts")).RUN_COMMANDS,
  "run-bridge": async () => [(await import("../features/run/run-bridge.ts")).runBridgeCommand],
  "shell-init": async () => [(await import("./commands/shell-init.ts")).shellInitCommand],
  "ssh-proxy": async () => [(await import("../features/ssh/commands.ts")).sshProxyCommand],
  "ssh-session": async () => [(await import("../features/ssh/commands.ts")).sshSessionCommand],
  status: async () => [(await import("./commands/status.ts")).statusCommand],
  version: async () => [(await import("./commands/version.ts")).versionCommand],
};

/** The command that argv begins with, and the words behind its name; undefined where all must be looked through. */
export async function quickCommand(
  argv: readonly string[],
): Promise<{ readonly command: Command; readonly rest: readonly string[] } | undefined> {
  const [first = ""] = argv;
  const commands = Object.hasOwn(QUICK, first) ? await QUICK[first]?.() : undefined;
  if (commands === undefined) return undefined;
  for (let words = Math.min(argv.length, 2); words > 0; words -= 1) {
    const name = argv.slice(0, words).join(" ");
    const command = commands.find((each) => each.name === name);
    if (command !== undefined) return { command, rest: argv.slice(words) };
  }
  return undefined;
}
