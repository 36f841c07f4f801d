// Cursor: beforeShellExecution, with the command at the top level. The decision is flat JSON on
// stdout; with `failClosed` everything that is no JSON blocks, so that an empty object says
// nothing.

import { type HookAdapter, jsonReply, repliedObject } from "./adapter.ts";

function decision(permission: "ask" | "deny", text: string) {
  return jsonReply({ permission, user_message: text, agent_message: text });
}

/** Cursor. */
export const cursor: HookAdapter = {
  agent: "cursor",
  title: "Cursor",
  canAsk: true,
  onFailure: "the command is blocked (failClosed)",
  read: ({ hook_event_name, command, cwd }) => {
    if (hook_event_name !== undefined && hook_event_name !== "beforeShellExecution") return { kind: "other" };
    if (typeof command !== "string") return { kind: "unreadable", why: "there is no command" };
    return { kind: "command", command, cwd: typeof cwd === "string" && cwd !== "" ? cwd : undefined };
  },
  silent: () => jsonReply({}),
  ask: (text) => decision("ask", text),
  deny: (text) => decision("deny", text),
  sample: (command, cwd) => ({
    conversation_id: "00000000-0000-4000-8000-000000000000",
    generation_id: "00000000-0000-4000-8000-000000000001",
    model: "canary",
    hook_event_name: "beforeShellExecution",
    cursor_version: "2.0.0",
    workspace_roots: [cwd],
    command,
    cwd,
  }),
  blocks: (reply) => reply.exitCode !== 0 || repliedObject(reply)?.permission === "deny",
};
