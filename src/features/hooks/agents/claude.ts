// Claude Code: PreToolUse of the tool Bash. A decision is JSON on stdout with exit code 0;
// exit code 2 blocks too, every other one does not.

import { commandOfTool, type HookAdapter, jsonReply, NO_REPLY, repliedObject } from "./adapter.ts";

function decision(permissionDecision: "ask" | "deny", permissionDecisionReason: string) {
  return jsonReply({
    hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision, permissionDecisionReason },
  });
}

/** Claude Code. */
export const claude: HookAdapter = {
  agent: "claude",
  title: "Claude Code",
  canAsk: true,
  onFailure:
    "from 2.1.295 on a hook that crashes or is too slow blocks (onFailure: block); before, the command runs",
  read: ({ tool_name, tool_input, cwd }) => commandOfTool(tool_name, tool_name === "Bash", tool_input, cwd),
  silent: () => NO_REPLY,
  ask: (text) => decision("ask", text),
  deny: (text) => decision("deny", text),
  sample: (command, cwd) => ({
    session_id: "00000000-0000-4000-8000-000000000000",
    transcript_path: "/dev/null",
    cwd,
    permission_mode: "default",
    hook_event_name: "PreToolUse",
    tool_name: "Bash",
    tool_input: { command, description: "canary" },
    tool_use_id: "toolu_canary",
  }),
  blocks: (reply) => {
    const output = repliedObject(reply)?.hookSpecificOutput as
      | { readonly hookEventName?: unknown; readonly permissionDecision?: unknown }
      | undefined;
    if (reply.exitCode === 2) return true;
    return (
      reply.exitCode === 0 && output?.hookEventName === "PreToolUse" && output.permissionDecision === "deny"
    );
  },
};
