// GitHub Copilot CLI: preToolUse of the tools bash and powershell. The decision is flat JSON on
// stdout. Newer versions also send the names that Claude Code uses; both are read.

import { commandOfTool, type HookAdapter, jsonReply, NO_REPLY, repliedObject } from "./adapter.ts";

const TOOLS = /^(?:bash|powershell|shell|local_shell)$/i;

function decision(permissionDecision: "ask" | "deny", permissionDecisionReason: string) {
  return jsonReply({ permissionDecision, permissionDecisionReason });
}

/** GitHub Copilot CLI. */
export const copilot: HookAdapter = {
  agent: "copilot",
  title: "GitHub Copilot CLI",
  canAsk: true,
  onFailure: "the command is blocked",
  read: ({ toolName, tool_name, toolArgs, tool_input, cwd }) =>
    commandOfTool(
      toolName ?? tool_name,
      TOOLS.test(String(toolName ?? tool_name)),
      toolArgs ?? tool_input,
      cwd,
    ),
  silent: () => NO_REPLY,
  ask: (text) => decision("ask", text),
  deny: (text) => decision("deny", text),
  sample: (command, cwd) => ({
    sessionId: "00000000-0000-4000-8000-000000000000",
    timestamp: 1_767_225_600_000,
    cwd,
    toolName: "bash",
    toolArgs: JSON.stringify({ command, description: "canary" }),
  }),
  blocks: (reply) => reply.exitCode !== 0 || repliedObject(reply)?.permissionDecision === "deny",
};
