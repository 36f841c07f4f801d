// `iddio hook`, which agents start before they run a command, and `iddio hooks`, by which people set it up. A hook
// starts hundreds of times a session: what it does not need is not loaded.

import type { Command } from "../../cli/kit/command.ts";
import { AGENT_NAMES, type AgentName } from "./agents/adapter.ts";

const AGENT = { name: AGENT_NAMES.join("|"), choices: AGENT_NAMES };

/** Answers one question of an agent. */
export const hookCommand: Command = {
  name: "hook",
  summary: "Answer an agent that is about to run a command",
  args: [AGENT],
  details: [
    "Reads the agent's question from stdin and answers in the agent's own format. Agents start it; set them up with",
    "'iddio hooks install'. What the policy allows, and what no protocol knows, gets no answer.",
  ],
  examples: [
    `echo '{"tool_name":"Bash","tool_input":{"command":"kubectl delete ns prod"}}' | iddio hook claude`,
  ],
  async run({ args, paths, env, daemon }) {
    const { hookAdapter } = await import("./agents/adapters.ts");
    const { answerHook } = await import("./answer-hook.ts");
    const input = await Bun.stdin.text();
    const reply = await answerHook(hookAdapter(args[0] as AgentName), input, { paths, env, daemon });
    // Written whole before the process ends.
    if (reply.stderr !== "") await Bun.write(Bun.stderr, reply.stderr);
    if (reply.stdout !== "") await Bun.write(Bun.stdout, reply.stdout);
    return reply.exitCode;
  },
};
