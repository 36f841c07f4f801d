// Sorts the message of a client's POST, whichever way it came: one that two programs could read
// differently goes nowhere, what asks for nothing passes, a request is judged. Its text is what the
// server may get.

import { isPlumbing } from "../../../protocols/mcp/call.ts";
import { headerProblem, mismatchAnswer } from "../../../protocols/mcp/era.ts";
import { paramHeaderProblem } from "../../../protocols/mcp/param-headers.ts";
import { unreadableAnswer } from "../../../protocols/mcp/refusal.ts";
import {
  type JsonObject,
  type Message,
  parseMessage,
  type RequestMessage,
} from "../../../wire/jsonrpc/message.ts";
import { unsealedText } from "../judge/sealed-state.ts";
import type { McpSession } from "../judge/session.ts";

/** A message and what becomes of it. */
export type SortedMessage =
  /** It is answered with 400. */
  | { readonly kind: "refused"; readonly text: string; readonly why: string }
  /** It passes; `asked`: the request that its answer is to. */
  | { readonly kind: "passed"; readonly text: string; readonly asked: RequestMessage | undefined }
  /** It passes, unless it takes back a call that waits. */
  | { readonly kind: "cancelled"; readonly text: string; readonly params: JsonObject }
  | { readonly kind: "judged"; readonly text: string; readonly asked: RequestMessage };

/** Sorts a body that was read whole. `session` is asked for only where a pinned tool counts. */
export function sortMessage(
  bytes: Uint8Array,
  headers: Iterable<readonly [name: string, value: string]>,
  session: McpSession,
): SortedMessage {
  const message = parseMessage(bytes);
  if (message.kind === "bad")
    return refused(unreadableAnswer(message.id ?? null, message.problem), message.problem);
  if (message.kind === "response") return { kind: "passed", text: message.text, asked: undefined };
  const problem = disagreement(message, [...headers], session);
  const id = message.kind === "request" ? message.id : null;
  if (problem !== undefined) return refused(mismatchAnswer(id, problem), problem);
  const { method, params, text } = message;
  if (message.kind === "notification") {
    if (method === "notifications/cancelled") return { kind: "cancelled", text, params };
    if (method.startsWith("notifications/")) return { kind: "passed", text, asked: undefined };
    const why = "a request needs an id";
    return refused(unreadableAnswer(null, why), why);
  }
  const sent = unsealedText(text, params);
  return { kind: isPlumbing(method) ? "passed" : "judged", text: sent, asked: message };
}

function refused(text: string, why: string): SortedMessage {
  return { kind: "refused", text, why };
}

/** Why headers and body do not agree. */
function disagreement(
  { method, params }: Exclude<Message, { kind: "response" }>,
  headers: readonly (readonly [string, string])[],
  session: McpSession,
): string | undefined {
  const header = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? null;
  const twice = headers.find(
    ([name], index) =>
      /^mcp-/i.test(name) &&
      headers.findIndex(([each]) => each.toLowerCase() === name.toLowerCase()) !== index,
  );
  if (twice !== undefined) return `${twice[0].slice(0, 80)} comes twice`;
  return (
    headerProblem(header, method, params) ??
    paramHeaderProblem(headers, () => session.inputSchemaOf(params), params)
  );
}
