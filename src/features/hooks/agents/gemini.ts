// Gemini CLI: BeforeTool of the tool run_shell_command. A decision is JSON on stdout with exit code
// 0. It has no "ask".

import { commandOfTool, type HookAdapter, jsonReply, repliedObject } from "./adapter.ts";

const deny = (reason: string) => jsonReply({ decision: "deny", reason });

/** Gemini CLI. */
export const gemini: HookAdapter = {
  agent: "gemini",
  title: "Gemini CLI",
  canAsk: false,
  onFailure: "the command runs when the hook is too slow or ends with 1; another exit code blocks",
  read: ({ tool_name, tool_input, cwd }) =>
    commandOfTool(tool_name, tool_name === "run_shell_command", tool_input, cwd),
  // It reads JSON from every hook.
  silent: () => jsonReply({}),
  ask: deny,
  deny,
  sample: (command, cwd) => ({
    session_id: "00000000-0000-4000-8000-000000000000",
    transcript_path: "/dev/null",
    cwd,
    hook_event_name: "BeforeTool",
    timestamp: "2026-01-01T00:00:00.000Z",
    tool_name: "run_shell_command",
    tool_input: { command, description: "canary" },
  }),
  blocks: (reply) =>
    reply.exitCode === 0
      ? /^(?:deny|block)$/.test(String(repliedObject(reply)?.decision))
      : reply.exitCode !== 1,
};
