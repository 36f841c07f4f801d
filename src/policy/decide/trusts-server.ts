// Whether the annotations of an MCP server count. Every policy that is in force must trust it: what
// lowers a tier is no local matter where a control plane has a say.

import type { Policy } from "../policy.ts";

/** Whether `readOnlyHint` of this server's tools counts. */
export function trustsServer(policy: Policy, server: string): boolean {
  const isTrusted = policy.blocks.get("mcp")?.mcp?.trusted.includes(server) === true;
  return isTrusted && (policy.central === undefined || trustsServer(policy.central.policy, server));
}
