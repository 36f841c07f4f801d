// The clients of MCP that iddio can set up, by the names that people type.

/** Every client that is known by name. */
export const CLIENT_NAMES = ["claude-code", "claude-desktop", "codex", "cursor", "vscode", "gemini"] as const;

/** A client. */
export type ClientName = (typeof CLIENT_NAMES)[number];
