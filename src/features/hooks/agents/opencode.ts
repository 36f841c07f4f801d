// opencode: a plugin of ours in its process starts the hook and throws when the answer is a deny,
// or is none. It has no "ask" that plugins reach.

import { commandOfTool, type HookAdapter, jsonReply, repliedObject } from "./adapter.ts";

const deny = (reason: string) => jsonReply({ decision: "deny", reason });

/** opencode. */
export const opencode: HookAdapter = {
  agent: "opencode",
  title: "opencode",
  canAsk: false,
  onFailure: "the command is blocked",
  read: ({ tool, args, cwd }) => commandOfTool(tool, tool === "bash", args, cwd),
  silent: () => jsonReply({ decision: "none" }),
  ask: deny,
  deny,
  sample: (command, cwd) => ({
    tool: "bash",
    sessionID: "ses_canary",
    callID: "canary",
    cwd,
    args: { command },
  }),
  // As the plugin does it.
  blocks: (reply) => reply.exitCode !== 0 || repliedObject(reply)?.decision !== "none",
};
