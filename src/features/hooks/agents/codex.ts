// Codex: PreToolUse of the tool Bash. Exit code 2 with the reason on stderr blocks. Codex has no
// "ask": a hook that answers so has failed, and the command runs. Anything on stdout that it does
// not know counts as failed too.

import { commandOfTool, exitTwo, type HookAdapter, NO_REPLY } from "./adapter.ts";

const TOOLS = new Set(["Bash", "shell", "local_shell", "exec_command", "unified_exec"]);

/** Codex. */
export const codex: HookAdapter = {
  agent: "codex",
  title: "Codex",
  canAsk: false,
  onFailure: "the command runs",
  read: ({ tool_name, tool_input, cwd }) =>
    commandOfTool(tool_name, TOOLS.has(String(tool_name)), tool_input, cwd),
  silent: () => NO_REPLY,
  ask: exitTwo,
  deny: exitTwo,
  sample: (command, cwd) => ({
    session_id: "00000000-0000-4000-8000-000000000000",
    transcript_path: null,
    cwd,
    hook_event_name: "PreToolUse",
    model: "canary",
    permission_mode: "default",
    turn_id: "1",
    tool_name: "Bash",
    tool_input: { command },
    tool_use_id: "call_canary",
  }),
  blocks: ({ exitCode, stderr }) => exitCode === 2 && stderr.trim() !== "",
};
