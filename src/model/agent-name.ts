// The names of the coding agents that iddio has a hook for.

/** The agents, in the order in which they are listed. */
export const AGENT_NAMES = ["claude", "codex", "gemini", "copilot", "cursor", "opencode"] as const;

/** An agent that iddio has a hook for. */
export type AgentName = (typeof AGENT_NAMES)[number];
