// Judges one request of MCP: the block `mcp` always, and where a tool is known to change a cloud or
// to run a command line, the block of that protocol as well. The strictest counts; of equals, the
// verdict that names the real effect.

import { stricterAction } from "../../../model/action.ts";
import type { Asker } from "../../../model/agent-label.ts";
import type { Classification } from "../../../model/classification.ts";
import { stricterTier } from "../../../model/tier.ts";
import type { Judgement } from "../../../model/verdict.ts";
import { judgeOperation } from "../../../policy/decide/judge.ts";
import { trustsServer } from "../../../policy/decide/trusts-server.ts";
import type { Policy } from "../../../policy/policy.ts";
import { type CallFacts, type McpCall, subjectOf } from "../../../protocols/mcp/call.ts";
import { classifyCall } from "../../../protocols/mcp/classify-call.ts";
import { classifyKnownTool } from "../../../protocols/mcp-servers/known-tool.ts";
import { raisedByPaths } from "../../../protocols/mcp-servers/path-argument.ts";
import { scriptOf } from "../../../protocols/mcp-servers/script-tool.ts";
import type { KnownServer } from "./known-server.ts";

/** Everything that a call is, MCP's own reading first. */
export function classificationsOf(
  policy: Policy,
  call: McpCall,
  server: KnownServer,
  isListed: boolean | undefined,
  table: string | undefined,
): readonly Classification[] {
  const name = subjectOf(call);
  const tool = call.method === "tools/call" ? server.tool(name) : undefined;
  const facts: CallFacts = {
    ...(tool === undefined ? {} : { tool }),
    isTrusted: trustsServer(policy, call.server),
    ...(isListed === undefined ? {} : { isListed }),
  };
  const own = classifyCall(call, facts);
  if (tool === undefined) return [raisedByPaths(own, call)];
  const [known, ...wrapped] = (table === undefined ? undefined : classifyKnownTool(table, call)) ?? [];
  // A tool that wraps an API names things of that API, and its classifier has read them.
  if (known !== undefined) return wrapped.length > 0 ? [known, ...wrapped] : [raisedByPaths(known, call)];
  return [raisedByPaths(own, call), ...scriptOf(call)];
}

/** The strictest of the policy's verdicts on each of them. */
export function judgeCall(policy: Policy, asker: Asker, operations: readonly Classification[]): Judgement {
  const judged = operations.map((operation) => judgeOperation(policy, operation, asker));
  const [first, ...others] = judged;
  if (first === undefined) throw new Error("a call has at least one reading");
  let strictest = first;
  for (const other of others) if (!isStricter(strictest, other)) strictest = other;
  return strictest;
}

function isStricter(one: Judgement, other: Judgement): boolean {
  if (one.verdict.action !== other.verdict.action)
    return stricterAction(one.verdict.action, other.verdict.action) === one.verdict.action;
  const [tier, otherTier] = [one.classification.tier, other.classification.tier];
  return tier !== otherTier && stricterTier(tier, otherTier) === tier;
}
