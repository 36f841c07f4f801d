// The nouns of this folder: a message of MCP, whatever carried it, and the facts about its server.
// The facts come from anyone who keeps pins; a classifier without facts knows nothing about a tool
// but its name.

import type { JsonObject } from "../../wire/jsonrpc/message.ts";

/** A request of either side, as far as classifying needs it. */
export interface McpCall {
  /** The name that the operator gave the server, or its host. */
  readonly server: string;
  readonly method: string;
  readonly params: JsonObject;
}

/** A server's claims about its own tool. Hints: nothing makes it tell the truth. */
export interface ToolAnnotations {
  readonly readOnlyHint?: boolean;
  readonly destructiveHint?: boolean;
}

/** The pinned facts about a call's subject. */
export interface CallFacts {
  /** The pinned tool; undefined for one that is not pinned or waits for review. */
  readonly tool?: { readonly annotations?: ToolAnnotations };
  /** The server was named by the policy as one whose `readOnlyHint` counts. */
  readonly isTrusted: boolean;
  /** The resource was listed by the server, or fits a template that it listed; false when the client made it up. */
  readonly isListed?: boolean;
}

/** Methods that ask for nothing by themselves: they open, list, count and keep alive. Each is let through unasked. */
const PLUMBING: ReadonlySet<string> = new Set([
  "initialize",
  "server/discover",
  "ping",
  "logging/setLevel",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "prompts/list",
  "roots/list",
  "subscriptions/listen",
  "resources/unsubscribe",
  "tasks/get",
  "tasks/result",
  "tasks/list",
  "tasks/cancel",
]);

/** Whether a method asks for nothing that anybody would have to decide. */
export function isPlumbing(method: string): boolean {
  return PLUMBING.has(method);
}

/** The name of the tool, resource or prompt that a request is about; "" when it names none. */
export function subjectOf({ method, params }: Pick<McpCall, "method" | "params">): string {
  const named = method.startsWith("resources/") ? params.uri : params.name;
  return typeof named === "string" ? named : "";
}
