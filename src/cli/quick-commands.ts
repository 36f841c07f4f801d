// Where the commands are that start hundreds of times a day, or once for each server of an agent:
// each start of a hook, or of a shell, would else pay for loading all the others. registry.ts stays
// the list; a test compares the two.

import type { Command } from "./kit/command.ts";
import type { Feature } from "./kit/feature.ts";

/** By their first word: all commands that begin with it. */
export const QUICK: Readonly<Record<string, () => Promise<readonly Command[]>>> = {
  approval: async () => of("approval", (await import("../features/approvals/feature.ts")).approvalsFeature),
  audit: async () => {
    const { auditShowCommand, auditTailCommand } = await import("./commands/audit.ts");
    const { auditVerifyCommand } = await import("../features/integrity/audit-verify.ts");
    return [auditShowCommand, auditTailCommand, auditVerifyCommand];
  },
  classify: async () => {
    const { classifyBatchCommand, classifyCliCommand, classifyHttpCommand } = await import(
      "./commands/classify.ts"
    );
    return [classifyBatchCommand, classifyCliCommand, classifyHttpCommand];
  },
  decide: async () => [(await import("./commands/decide.ts")).decideCommand],
  gateway: async () => [(await import("./commands/gateway.ts")).gatewayCommand],
  hook: async () => [(await import("../features/hooks/hook.ts")).hookCommand],
  mcp: async () => of("mcp", (await import("../features/mcp/feature.ts")).mcpFeature),
  policy: async () => of("policy", (await import("../features/policy/feature.ts")).policyFeature),
  run: async () => (await import("../features/run/run.ts")).RUN_COMMANDS,
  "run-bridge": async () => [(await import("../features/run/run-bridge.ts")).runBridgeCommand],
  settings: async () => {
    const { settingsGetCommand, settingsReloadCommand, settingsSetCommand } = await import(
      "./commands/settings.ts"
    );
    return [settingsGetCommand, settingsReloadCommand, settingsSetCommand];
  },
  "shell-init": async () => [(await import("./commands/shell-init.ts")).shellInitCommand],
  "ssh-proxy": async () => [(await import("../features/ssh/commands.ts")).sshProxyCommand],
  "ssh-session": async () => [(await import("../features/ssh/commands.ts")).sshSessionCommand],
  status: async () => [(await import("./commands/status.ts")).statusCommand],
  version: async () => [(await import("./commands/version.ts")).versionCommand],
};

/** The commands of a feature that begin with this word. */
function of(word: string, { commands = [] }: Feature): readonly Command[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `));
}

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
