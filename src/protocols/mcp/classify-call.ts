// The tier and the command of one request of MCP, from its method, the tool's name and its pin.
// Knows no other protocol: `mcp-servers` knows the effects of tools on clouds. A method that nobody
// knows is unknown.

import type { Classification } from "../../model/classification.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import { unknownClassification } from "../unknown.ts";
import { type CallFacts, isPlumbing, type McpCall, subjectOf } from "./call.ts";
import { runsCode, toolTier } from "./tool-tier.ts";

/** Names that every part of the way can print and match. */
const PLAIN_NAME = /^[A-Za-z0-9_.\-/]{1,128}$/;

/** The command and labels of a call, as rules name them. */
export function nameOfCall(call: McpCall): Pick<Classification, "command" | "labels" | "aliases"> {
  const { server, method } = call;
  if (method !== "tools/call")
    return { command: `${server}/${method.replace("/", ":")}`, aliases: [], labels: { server } };
  const tool = subjectOf(call);
  return { command: `${server}/${tool}`, aliases: [], labels: { server, tool } };
}

/** Classifies a request as far as MCP itself can tell. Never throws. */
export function classifyCall(call: McpCall, facts: CallFacts): Classification {
  const named = nameOfCall(call);
  const known = (tier: TierOrUnknown, reason: string): Classification => ({
    protocol: "mcp",
    tier,
    reason,
    ...named,
  });
  const { method } = call;
  if (isPlumbing(method)) return known("observe", `the method ${method}`);
  switch (method) {
    case "tools/call":
      return classifyToolCall(call, facts, known);
    case "prompts/get":
    case "completion/complete":
      return known("observe", `the method ${method}`);
    case "resources/read":
    case "resources/subscribe":
      return facts.isListed === true
        ? known("observe", "the server lists the resource")
        : known("unknown", "the server does not list the resource, so what it stands for is not known");
    case "sampling/createMessage":
      return known("modify", "the server asks the client's model");
    case "elicitation/create":
      return known("modify", "the server asks the person through the client");
    default:
      return unknownClassification("mcp", `the method ${method.slice(0, 60)} is not known`, named);
  }
}

function classifyToolCall(
  call: McpCall,
  facts: CallFacts,
  known: (tier: TierOrUnknown, reason: string) => Classification,
): Classification {
  const tool = subjectOf(call);
  const args = call.params.arguments;
  if (!PLAIN_NAME.test(tool)) return known("unknown", "its name has signs that cannot be shown or matched");
  if (args !== undefined && (typeof args !== "object" || args === null || Array.isArray(args)))
    return known("unknown", "its arguments are no object");
  const { tier, reason } = toolTier(tool, facts);
  if (tier !== "unknown" && runsCode(tool)) return known("unknown", "it runs what it is given");
  return known(tier, reason);
}
