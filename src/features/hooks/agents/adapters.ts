// The agents that iddio has a hook for. Adding one is a file and a line here.

import { AGENT_NAMES, type AgentName } from "../../../model/agent-name.ts";
import type { HookAdapter } from "./adapter.ts";
import { claude } from "./claude.ts";
import { codex } from "./codex.ts";
import { copilot } from "./copilot.ts";
import { cursor } from "./cursor.ts";
import { gemini } from "./gemini.ts";
import { opencode } from "./opencode.ts";

const ADAPTERS: Readonly<Record<AgentName, HookAdapter>> = {
  claude,
  codex,
  gemini,
  copilot,
  cursor,
  opencode,
};

/** Every adapter, in the order of the names. */
export const HOOK_ADAPTERS: readonly HookAdapter[] = AGENT_NAMES.map((name) => ADAPTERS[name]);

/** The adapter of an agent. */
export function hookAdapter(agent: AgentName): HookAdapter {
  return ADAPTERS[agent];
}
