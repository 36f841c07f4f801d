// `iddio hook`, which agents start before they run a command, and `iddio hooks`, by which people
// set it up. A hook starts hundreds of times a session: it loads only the code that it needs.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import { AGENT_NAMES, type AgentName } from "../../model/agent-name.ts";

const AGENT = { name: AGENT_NAMES.join("|"), choices: AGENT_NAMES };

/** Answers one question of an agent. */
export const hookCommand: Command = {
  name: "hook",
  summary: "Answer an agent that is about to run a command",
  args: [AGENT],
  details: [
    "Reads the agent's question from stdin and answers in the agent's own format. Agents start it; set them up with",
    "'iddio hooks install'. A command that the policy allows, or that no protocol knows, gets no answer.",
  ],
  examples: ["iddio hook claude < question.json"],
  async run({ args, paths, env, daemon }) {
    const { hookAdapter } = await import("./agents/adapters.ts");
    const { answerHook } = await import("./answer-hook.ts");
    // By the runtime itself, as the answer below: most hooks print nothing and need no call of the C library.
    const input = await Bun.stdin.text();
    const reply = await answerHook(hookAdapter(args[0] as AgentName), input, { paths, env, daemon });
    try {
      if (reply.stderr !== "") await Bun.write(Bun.stderr, reply.stderr);
      if (reply.stdout !== "") await Bun.write(Bun.stdout, reply.stdout);
    } catch {
      // Nobody reads it; the exit code still tells the agent.
    }
    return reply.exitCode;
  },
};

/** Sets an agent up. */
export const hooksInstallCommand: Command = {
  name: "hooks install",
  summary: "Let an agent ask before it runs a command",
  args: [AGENT],
  details: [
    "Adds one entry to the agent's own settings; the rest of the file, comments included, stays as it is.",
    "A second time it changes nothing.",
  ],
  examples: ["iddio hooks install claude"],
  async run(context) {
    await (await import("./set-up.ts")).installHooks(context);
  },
};

/** Undoes it. */
export const hooksUninstallCommand: Command = {
  name: "hooks uninstall",
  summary: "Remove the hook from an agent's settings",
  args: [AGENT],
  details: ["A file that nobody has changed since gets its old content back, byte for byte."],
  examples: ["iddio hooks uninstall claude"],
  async run(context) {
    await (await import("./set-up.ts")).uninstallHooks(context);
  },
};

/** Tries them. */
export const hooksDoctorCommand: Command = {
  name: "hooks doctor",
  summary: "Try an agent's hook on a command that it must stop",
  args: [{ ...AGENT, isOptional: true }],
  flags: [JSON_FLAG],
  examples: ["iddio hooks doctor", "iddio hooks doctor codex"],
  async run(context) {
    return (await import("./set-up.ts")).doctor(context);
  },
};
