// The reply to a request that iddio does not forward, in the language of the client that sent it,
// so that the person at the terminal reads why. The protocol's classifier names its renderer; a
// protocol without one gets short JSON. No reply may hold a path of this machine, a secret, or
// anything of the request's body.

import { assertNever } from "../model/assert-never.ts";
import type { Protocol } from "../model/protocol.ts";
import { type Header, headerValue, type RequestHead } from "../model/request.ts";
import { renderGit } from "./github/refusal-git.ts";
import { machineReadable, type Refusal, type RefusalRenderer, type RefusalReply } from "./refused.ts";
import { classifierFor } from "./registry.ts";

/** Codes of google.rpc.Code: a request that may be tried again is unavailable, everything else is denied. */
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;
/** Nothing that clients try again by themselves. */
const UNKNOWN = 2;

/** The reply that this protocol's client prints well; without a protocol, short JSON. */
export function renderRefusal(
  protocol: Protocol | undefined,
  refusal: Refusal,
  request: RequestHead,
): RefusalReply {
  if (isGrpc(request)) return renderGrpc(refusal, refusalMessage(refusal));
  const git = renderGit(refusal, refusalMessage(refusal), request);
  if (git !== undefined) return git;
  const render: RefusalRenderer = (protocol && classifierFor(protocol).refusal) ?? renderJson;
  const { contentType, body, status, headers } = render(refusal, refusalMessage(refusal), request);
  const whole = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const bytes = request.method === "HEAD" ? new Uint8Array() : whole;
  return {
    status: status ?? refusal.status,
    headers: [
      ["content-type", contentType],
      ["content-length", String(bytes.length)],
      ["cache-control", "no-store"],
      ["x-iddio-outcome", refusal.outcome],
      ...(headers ?? []),
    ],
    body: bytes,
  };
}

/**
 * The sentence that every client shows: outcome, command, tier, rule, whether to retry, and the rule that
 * would allow it.
 */
export function refusalMessage(refusal: Refusal): string {
  const what = refusal.command === "" ? "this request" : `'${refusal.command}'`;
  const tier = refusal.tier === "unknown" ? "tier unknown" : `tier ${refusal.tier}`;
  const rule = refusal.rule === "" ? "" : `, rule ${refusal.rule}`;
  const why = refusal.reason === "" ? "" : `: ${refusal.reason}`;
  const id = refusal.approvalId === undefined ? "" : ` (${refusal.approvalId})`;
  // A person who said no has answered: how to get round that is not for the agent to read.
  const way = refusal.toAllow === undefined ? "" : `; ${refusal.toAllow}`;
  switch (refusal.outcome) {
    case "refused":
      return `iddio refused ${what} by policy (${tier}${rule})${why}; ${retryClause(refusal)}${way}`;
    case "denied":
      return `iddio: a person denied ${what}${id} (${tier}${rule})${why}; ${insteadClause(refusal)}${retryClause(refusal)}`;
    case "timed_out":
      return `iddio: nobody approved ${what}${id} in time (${tier}${rule}); ${retryClause(refusal)}${way}`;
    case "withdrawn":
      return `iddio: the approval of ${what}${id} was withdrawn (${tier}${rule})${why}; ${retryClause(refusal)}${way}`;
    case "blocked":
    case "failed":
      if (refusal.wasSent === true) return unknownOutcome(refusal, what, why);
      return `iddio could not forward ${what}${why}; ${retryClause(refusal)}`;
    case "allowed":
    case "approved":
    case "granted":
    case "asked":
      return `iddio did not forward ${what}${why}; ${retryClause(refusal)}`;
    default:
      return assertNever(refusal.outcome);
  }
}

/** Never "could not forward": the request went out, and what became of it nobody heard. */
function unknownOutcome({ retry }: Refusal, what: string, why: string): string {
  return retry
    ? `iddio forwarded ${what} and got no proper answer${why}; it only reads, so it may be retried`
    : `iddio forwarded ${what} and the outcome is unknown${why}; it may have been carried out, so look before it is sent again`;
}

/** The third answer: not this, but that. */
function insteadClause({ instead }: Refusal): string {
  return instead === undefined ? "" : `they ask you to do this instead: ${instead}; `;
}

function retryClause(refusal: Refusal): string {
  if (!refusal.retry) return "do not retry, the answer will be the same";
  return refusal.outcome === "timed_out" ? "retry when somebody can approve it" : "it may be retried";
}

function renderJson(refusal: Refusal, message: string): { contentType: string; body: string } {
  const body = { error: message, ...machineReadable(refusal) };
  return { contentType: "application/json", body: `${JSON.stringify(body)}\n` };
}

/** Whether the client speaks gRPC. */
function isGrpc(request: RequestHead): boolean {
  const type = headerValue(request.headers, "content-type")?.toLowerCase() ?? "";
  return (
    type === "application/grpc" ||
    type.startsWith("application/grpc+") ||
    type.startsWith("application/grpc;")
  );
}

/**
 * The reply for gRPC, whatever the protocol block ("Trailers-Only" of PROTOCOL-HTTP2): empty body, `grpc-status` and a percent-encoded `grpc-message`.
 * Under any other HTTP status than 200 clients drop the message.
 */
function renderGrpc(refusal: Refusal, message: string): RefusalReply {
  const failed = refusal.retry ? UNAVAILABLE : UNKNOWN;
  const code = refusal.status === 502 || refusal.status === 503 ? failed : PERMISSION_DENIED;
  const headers: Header[] = [
    ["content-type", "application/grpc"],
    ["grpc-status", String(code)],
    ["grpc-message", encodeMessage(message)],
    ["x-iddio-outcome", refusal.outcome],
  ];
  return { status: 200, headers, body: new Uint8Array(0) };
}

/** Percent-encodes the percent sign and everything but printable ASCII. */
function encodeMessage(message: string): string {
  let encoded = "";
  for (const byte of new TextEncoder().encode(message))
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return encoded;
}
