// Heads that are well-formed and still refused, and the meaning of the others: the rules that need
// the whole head at once (RFC 9112: 3.2 targets, 6 framing, 9.3 persistence). A rule here may be
// made stricter freely; laxer only after checking how other implementations read the newly accepted
// heads.

import type { Header } from "../../model/request.ts";
import { AUTHORITY, isAll } from "../octet-class.ts";
import { parseAbsoluteTarget } from "./connect-request.ts";
import { CHUNKED, type Framing, NO_BODY, UNTIL_CLOSE } from "./framing.ts";
import type { WireRequestHead } from "./head.ts";
import { type FieldRefusal, type MessageFields, refusal } from "./message-fields.ts";

/** A first line of a request, as sent. */
export interface RequestLine {
  readonly method: string;
  readonly target: string;
  readonly version: "1.0" | "1.1";
}

/** A response's first line without the reason phrase. */
export interface StatusLine {
  readonly status: number;
  readonly version: "1.0" | "1.1";
}

/** Why a request with this line and these fields is refused; undefined when it is not. */
export function requestProblem(line: RequestLine, fields: MessageFields): FieldRefusal | undefined {
  if (fields.problem !== undefined) return fields.problem;
  if (!isTargetForm(line.method, line.target)) return refusal("malformed request target");
  const problem = lengthProblem(line.version, fields);
  if (problem !== undefined) return problem;
  const hasUpgrade = fields.hasUpgradeOption && fields.upgrade !== undefined;
  if (line.version === "1.0") {
    // A 1.0 recipient must ignore both; we forward as 1.1, where they would come to life.
    if (fields.expect !== undefined) return refusal("expect in http/1.0");
    if (hasUpgrade) return refusal("upgrade in http/1.0");
  } else if (fields.host === undefined || fields.host === "") return refusal("missing host header");
  if (fields.expect !== undefined && fields.expect !== "100-continue")
    return refusal("unknown expectation", 417);
  if (!hasBody(fields)) return undefined;
  // The bytes that follow are read as a body by some, as the tunnel or the next request by others.
  if (line.method === "CONNECT" || line.method === "TRACE") return refusal("body in a request that has none");
  return hasUpgrade ? refusal("body in an upgrade request") : undefined;
}

/** RFC 9112 3.2: which form goes with which method. */
function isTargetForm(method: string, target: string): boolean {
  if (method === "CONNECT") return isAll(target, AUTHORITY);
  if (target.charCodeAt(0) === 0x2f) return true;
  if (target === "*") return method === "OPTIONS";
  return parseAbsoluteTarget(target) !== undefined;
}

function lengthProblem(version: "1.0" | "1.1", fields: MessageFields): FieldRefusal | undefined {
  if (!fields.isChunked) return undefined;
  if (fields.contentLength >= 0) return refusal("both content-length and transfer-encoding");
  return version === "1.0" ? refusal("transfer-encoding in http/1.0") : undefined;
}

function hasBody(fields: MessageFields): boolean {
  return fields.isChunked || fields.contentLength > 0;
}

/** The request that was found to have no problem. */
export function requestOf(
  line: RequestLine,
  fields: MessageFields,
  headers: readonly Header[],
  verbatim: Uint8Array | undefined,
): WireRequestHead {
  return {
    method: line.method,
    target: line.target,
    version: line.version,
    headers,
    framing: line.method === "CONNECT" ? NO_BODY : framingOf(fields, NO_BODY),
    keepAlive: isKeptAlive(line.version, fields),
    expectContinue: fields.expect !== undefined && hasBody(fields),
    upgrade: fields.hasUpgradeOption ? fields.upgrade : undefined,
    authority: fields.host,
    verbatim,
  };
}

/** Why a response with this line and these fields is refused; undefined when it is not. */
export function responseProblem(
  line: StatusLine,
  requestMethod: string,
  fields: MessageFields,
): FieldRefusal | undefined {
  if (fields.problem !== undefined) return fields.problem;
  // RFC 9110 8.6 forbids a length there; some wait for the body that it announces.
  if (line.status < 200 && hasBody(fields)) return refusal("body in a response that has none");
  const problem = endsAtHead(line.status, requestMethod) ? undefined : lengthProblem(line.version, fields);
  if (problem !== undefined) return problem;
  // Some end the connection after it, others wait for the final response.
  if (line.status < 200 && line.status !== 101 && fields.hasClose)
    return refusal("connection close in an interim response");
  return undefined;
}

/** Whatever its length fields say (RFC 9112 6.3). */
function endsAtHead(status: number, requestMethod: string): boolean {
  return status < 200 || status === 204 || status === 304 || requestMethod === "HEAD";
}

/**
 * Whether the length fields of a response that ends at its head are left out, and the connection closed behind it:
 * on a 204 they are forbidden and announce a body that never comes; two that contradict each other say nothing.
 */
export function hasIdleLength(
  { status, version }: StatusLine,
  requestMethod: string,
  fields: MessageFields,
): boolean {
  if (status === 204) return hasBody(fields);
  return endsAtHead(status, requestMethod) && lengthProblem(version, fields) !== undefined;
}

/** How long the body is of a response, found to have no problem, to a request with this method. */
export function responseFraming(
  { status }: StatusLine,
  requestMethod: string,
  fields: MessageFields,
): Framing {
  const isTunnel = requestMethod === "CONNECT" && status >= 200 && status < 300;
  return endsAtHead(status, requestMethod) || isTunnel ? NO_BODY : framingOf(fields, UNTIL_CLOSE);
}

function framingOf(fields: MessageFields, otherwise: Framing): Framing {
  if (fields.isChunked) return CHUNKED;
  return fields.contentLength >= 0 ? { kind: "length", length: fields.contentLength } : otherwise;
}

/** Whether the connection outlives the message (RFC 9112 9.3); close wins over keep-alive when both are listed. */
export function isKeptAlive(version: "1.0" | "1.1", fields: MessageFields): boolean {
  return !fields.hasClose && (version === "1.1" || fields.hasKeepAlive);
}
