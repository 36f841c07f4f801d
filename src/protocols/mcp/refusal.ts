// Refusals as texts that an agent can act on: the refused call, the reason, and the next step. A
// tool call is answered by a result with `isError`, which models read; everything else by a
// JSON-RPC error.

import { assertNever } from "../../model/assert-never.ts";
import type { JsonObject, MessageId } from "../../wire/jsonrpc/message.ts";
import { machineReadable, type Refusal } from "../refused.ts";

/** JSON-RPC codes of iddio's own errors; -32000 to -32099 are for implementations. */
export const REFUSED_CODE = -32003;
/** Of a message that cannot be read. */
const INVALID_REQUEST = -32600;
/** The one that answers has failed. */
const INTERNAL_ERROR = -32603;

/** The sentences for an agent. `waits`: the approval is still open, and the same call takes it over. */
export function refusalText(refusal: Refusal, waits = false): string {
  const { command, tier, rule, reason, approvalId } = refusal;
  const what = command === "" ? "this request" : `'${command}'`;
  const forward = refusal.toAllow === undefined ? "" : ` (${refusal.toAllow})`;
  const by = [
    tier === "unknown" ? "tier unknown" : `tier ${tier}`,
    ...(rule === "" ? [] : [`rule ${rule}`]),
  ].join(", ");
  const why = reason === "" ? "" : `: ${reason}`;
  const id = approvalId ?? "";
  if (waits)
    return (
      `iddio holds ${what} (${by}) until a person decides; nothing was done yet. The approval is ${id}. ` +
      `Tell the user, who can run: iddio approval allow ${id}. Then make exactly the same call again: ` +
      "it goes on where this one waited. Do not try another way."
    );
  switch (refusal.outcome) {
    case "refused":
      return `iddio refused ${what} by policy (${by})${why}. Do not retry and do not look for a way around it; tell the user that the policy forbids it${forward}.`;
    case "denied":
      return `iddio: a person denied ${what} (${id}, ${by})${why}. Do not retry; ask the user how to go on.`;
    case "timed_out":
      return `iddio: nobody decided about ${what} in time (${id}, ${by}). Nothing was done. The user can run: iddio approval allow ${id}. Then make exactly the same call again.`;
    case "withdrawn":
      return `iddio: the question about ${what} was withdrawn (${id}, ${by})${why}. Nothing was done.`;
    case "blocked":
      return `iddio blocked ${what}${why}. Nothing was done.`;
    case "failed":
      return refusal.wasSent === true
        ? `iddio passed ${what} on and got no answer${why}. It may have been carried out: look before you try again.`
        : `iddio could not pass ${what} on${why}. Nothing was done.`;
    case "allowed":
    case "approved":
    case "granted":
    case "asked":
      return `iddio did not pass ${what} on${why}. Nothing was done.`;
    default:
      return assertNever(refusal.outcome);
  }
}

/** The parts of an answer that depend on the client. */
export interface AnswerOptions {
  /** The approval is still open, and the same call takes it over. */
  readonly waits?: boolean;
  /** The protocol of 2026-07-28 and later. */
  readonly isStateless?: boolean;
}

/** The answer to a request that was not let through: one line of JSON. */
export function refusalAnswer(
  id: MessageId | null,
  method: string,
  refusal: Refusal,
  { waits = false, isStateless = false }: AnswerOptions = {},
): string {
  const text = refusalText(refusal, waits);
  const data = {
    ...machineReadable(refusal),
    ...(waits ? { outcome: "waits", retry: true } : {}),
  };
  if (method !== "tools/call") return errorAnswer(id, REFUSED_CODE, text, data);
  const kind = isStateless ? { resultType: "complete" } : {};
  const result = {
    ...kind,
    content: [{ type: "text", text }],
    isError: true,
    _meta: { "dev.iddio/refusal": data },
  };
  return JSON.stringify({ jsonrpc: "2.0", id, result });
}

/** The refusal of a call that waits for a person while no client waits for its answer. */
export function waitingRefusal(method: string, params: JsonObject, approvalId: string): Refusal {
  const command = typeof params.name === "string" ? params.name : method;
  return {
    status: 403,
    outcome: "timed_out",
    tier: "unknown",
    command,
    rule: "",
    reason: "",
    retry: true,
    approvalId,
  };
}

/** A JSON-RPC error. */
export function errorAnswer(id: MessageId | null, code: number, message: string, data?: object): string {
  const error = { code, message, ...(data === undefined ? {} : { data }) };
  return JSON.stringify({ jsonrpc: "2.0", id, error });
}

/** The answer where there is none that could be passed on; `why` is a clause. */
export function failureAnswer(id: MessageId | null, why: string): string {
  return errorAnswer(id, INTERNAL_ERROR, `iddio: ${why}`);
}

/** The answer to a message that cannot be read; `why` is a clause. */
export function unreadableAnswer(id: MessageId | null, why: string): string {
  return errorAnswer(id, INVALID_REQUEST, `iddio: ${why}`);
}
