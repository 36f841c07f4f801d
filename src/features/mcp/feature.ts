// The parts that the feature mcp adds to the command line, the control API and doctor. Loaded at
// every start: heavy parts stay behind a function. The contract is cli/kit/feature.ts.

import type { Feature } from "../../cli/kit/feature.ts";
import {
  mcpAddCommand,
  mcpBindCommand,
  mcpForgetCommand,
  mcpInstallCommand,
  mcpListCommand,
  mcpReviewCommand,
  mcpRunCommand,
  mcpUninstallCommand,
} from "./commands.ts";

/** Judges the tool calls of MCP servers, and pins the tools that a person has seen. */
export const mcpFeature: Feature = {
  name: "mcp",
  about: "Judges the tool calls of MCP servers, and pins the tools that a person has seen",
  commands: [
    mcpRunCommand,
    mcpInstallCommand,
    mcpUninstallCommand,
    mcpAddCommand,
    mcpListCommand,
    mcpReviewCommand,
    mcpBindCommand,
    mcpForgetCommand,
  ],
  nouns: { mcp: "Servers of tools (Model Context Protocol) that agents use" },
  methods: [
    "mcp_session",
    "mcp_list",
    "mcp_show",
    "mcp_review",
    "mcp_digest",
    "mcp_bind",
    "mcp_add",
    "mcp_forget",
  ],
  tables: ["mcp_servers", "mcp_items"],
  checks: async () => [{ name: "mcp", check: (await import("./check-mcp.ts")).checkMcp, after: "audit" }],
  daemon: async () => (await import("./daemon-part.ts")).startMcpServers,
};
