// HTTP/1.1 message heads: bytes in, values out, values in, bytes out. No sockets, no clock. A head
// is accepted only when every recipient would read it the same way (RFC 9112, read strictly); the
// serialiser's text of the parsed value is forwarded, and the input itself only where that is the
// same, octet for octet.

import type { Header } from "../../model/request.ts";
import { C1, DIGIT, FIELD_VALUE, METHOD, OCTET_CLASS, TARGET } from "../octet-class.ts";
import { scanFieldLines, scannedText } from "./field-lines.ts";
import type { Framing } from "./framing.ts";
import { hasIdleLength, requestOf, requestProblem, responseFraming, responseProblem } from "./head-rules.ts";
import { headersOf, readMeanings } from "./message-fields.ts";
import { bad, NEED_MORE, type ParseResult } from "./parse-result.ts";
import { ResponseHead } from "./response-head.ts";

export type { Framing } from "./framing.ts";
export { serialiseRequestHead, serialiseResponseHead } from "./serialise-head.ts";

/** Bounds of one head: all its bytes up to and with the empty line, and its number of fields. */
export interface HeadLimits {
  readonly maxBytes: number;
  readonly maxFields: number;
}

/** Real clients send less (Kerberos tickets, many cookies), and far more would be needed to hurt. */
export const DEFAULT_HEAD_LIMITS: HeadLimits = { maxBytes: 65_536, maxFields: 256 };

/** A request head that was proved unambiguous. */
export interface WireRequestHead {
  readonly method: string;
  /** As sent: origin form, absolute form, authority form (CONNECT only) or "*" (OPTIONS only). */
  readonly target: string;
  readonly version: "1.0" | "1.1";
  /** As sent, in order, except that Transfer-Encoding has its canonical spelling. */
  readonly headers: readonly Header[];
  readonly framing: Framing;
  readonly keepAlive: boolean;
  /** The client waits for 100 before it sends the body. */
  readonly expectContinue: boolean;
  /** The Upgrade value, lower case, when Connection lists upgrade. */
  readonly upgrade: string | undefined;
  /** Host field value as sent; undefined is possible in 1.0 only. */
  readonly authority: string | undefined;
  /** The head itself, if serialising it would give the same and every field of it is end-to-end; a view into the input. */
  readonly verbatim: Uint8Array | undefined;
}

/** A response head that was proved unambiguous. */
export interface WireResponseHead {
  readonly status: number;
  readonly statusText: string;
  readonly version: "1.0" | "1.1";
  /** As sent, in order, except that Transfer-Encoding has its canonical spelling. */
  readonly headers: readonly Header[];
  readonly framing: Framing;
  readonly keepAlive: boolean;
  /** The Upgrade value, lower case, when Connection lists upgrade. */
  readonly upgrade: string | undefined;
  /** As a request's. */
  readonly verbatim: Uint8Array | undefined;
}

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HYPHEN = 0x2d;
const MAX_METHOD_LENGTH = 32;
const MAX_REASON_LENGTH = 1024;

/**
 * Parses a request head at the start of `bytes`. One empty line before it is skipped (RFC 9112 2.2: old
 * clients send one after a body); it is part of `length` and is never forwarded. With `seen`, the number
 * of bytes that an earlier call answered "need-more" for, a call whose new bytes hold no line feed
 * returns at once, which keeps a peer that trickles from costing a scan per byte.
 */
export function parseRequestHead(
  bytes: Uint8Array,
  limits: HeadLimits = DEFAULT_HEAD_LIMITS,
  seen = 0,
): ParseResult<WireRequestHead> {
  const end = Math.min(bytes.length, limits.maxBytes);
  if (seen > 0 && end < limits.maxBytes && bytes.indexOf(LF, seen) < 0) return NEED_MORE;
  let at = 0;
  if (bytes[0] === CR && end > 0) {
    if (end < 2) return incomplete(end, limits, 431, "head too large");
    if (bytes[1] !== LF) return bad(400, "bare carriage return");
    at = 2;
  }
  const methodStart = at;
  while (at < end && classAt(bytes, at, METHOD)) at++;
  const methodEnd = at;
  if (methodEnd - methodStart > MAX_METHOD_LENGTH) return bad(400, "method too long");
  if (at >= end) return incomplete(end, limits, 400, "method too long");
  if (bytes[at] !== SP || at === methodStart || bytes[methodStart] === HYPHEN)
    return bad(400, "malformed method");
  const targetStart = ++at;
  while (at < end && classAt(bytes, at, TARGET)) at++;
  const targetEnd = at;
  if (at >= end) return incomplete(end, limits, 414, "request target too long");
  if (bytes[at] !== SP || at === targetStart) return bad(400, "malformed request target");
  const version = readVersion(bytes, at + 1, end);
  if (version === undefined) return incomplete(end, limits, 414, "request line too long");
  if (typeof version === "object") return version;
  at += 9;
  const lineEnd = expectLineEnd(bytes, at, end);
  if (lineEnd !== undefined)
    return lineEnd.kind === "need-more" ? incomplete(end, limits, 414, "request line too long") : lineEnd;
  const scan = scanFieldLines(bytes, at + 2, end, limits.maxFields);
  if (scan.kind === "need-more") return incomplete(end, limits, 431, "header section too large");
  if (scan.kind === "bad") return bad(scan.status, scan.reason);
  const text = scannedText(bytes, scan.next, scan.octetBits);
  const fields = readMeanings(bytes, scan.count, text);
  const line = {
    method: text.slice(methodStart, methodEnd),
    target: text.slice(targetStart, targetEnd),
    version,
  };
  const problem = requestProblem(line, fields);
  if (problem !== undefined) return bad(problem.status, problem.reason);
  const isVerbatim = scan.isCanonical && fields.isForwardedAsIs && version === "1.1";
  const verbatim = isVerbatim ? bytes.subarray(methodStart, scan.next) : undefined;
  return {
    kind: "ok",
    value: requestOf(line, fields, headersOf(text, scan.count, fields), verbatim),
    length: scan.next,
  };
}

/**
 * Parses a response head at the start of `bytes`; the method of the request it answers decides whether
 * it has a body. 1xx, 204, 304, answers to HEAD, and 2xx to CONNECT have framing "none".
 */
export function parseResponseHead(
  bytes: Uint8Array,
  requestMethod: string,
  limits: HeadLimits = DEFAULT_HEAD_LIMITS,
  seen = 0,
): ParseResult<WireResponseHead> {
  const end = Math.min(bytes.length, limits.maxBytes);
  if (seen > 0 && end < limits.maxBytes && bytes.indexOf(LF, seen) < 0) return NEED_MORE;
  const version = readVersion(bytes, 0, end);
  if (version === undefined) return incomplete(end, limits, 431, "status line too long");
  if (typeof version === "object") return version;
  const status = readStatus(bytes, end);
  if (status === undefined) return incomplete(end, limits, 431, "status line too long");
  if (typeof status === "object") return status;
  let at = 12;
  let octetBits = 0;
  // "HTTP/1.1 200" without the space before an empty reason is common, and reads one way only.
  if (at < end && bytes[at] === SP) at++;
  else if (at < end && bytes[at] !== CR) return bad(400, "malformed status code");
  const reasonStart = at;
  for (let bits = 0; at < end; at++) {
    bits = OCTET_CLASS[bytes[at] as number] as number;
    if ((bits & FIELD_VALUE) === 0) break;
    octetBits |= bits;
  }
  const reasonEnd = at;
  if (reasonEnd - reasonStart > MAX_REASON_LENGTH) return bad(400, "reason phrase too long");
  const lineEnd = expectLineEnd(bytes, at, end);
  if (lineEnd !== undefined)
    return lineEnd.kind === "need-more" ? incomplete(end, limits, 431, "status line too long") : lineEnd;
  const scan = scanFieldLines(bytes, at + 2, end, limits.maxFields);
  if (scan.kind === "need-more") return incomplete(end, limits, 431, "header section too large");
  if (scan.kind === "bad") return bad(scan.status, scan.reason);
  const fields = readMeanings(bytes, scan.count);
  const line = { status, version };
  const problem = responseProblem(line, requestMethod, fields);
  if (problem !== undefined) return bad(problem.status, problem.reason);
  if (hasIdleLength(line, requestMethod, fields)) {
    fields.isLengthLeftOut = true;
    fields.isForwardedAsIs = false;
    fields.hasClose = true;
  }
  const isVerbatim = scan.isCanonical && fields.isForwardedAsIs && version === "1.1" && reasonStart === 13;
  const octets = {
    bytes: bytes.subarray(0, scan.next),
    hasC1: ((scan.octetBits | octetBits) & C1) !== 0,
    reasonStart,
    reasonEnd,
    isVerbatim,
  };
  const value = new ResponseHead(line, responseFraming(line, requestMethod, fields), fields, octets);
  return { kind: "ok", value, length: scan.next };
}

function classAt(bytes: Uint8Array, at: number, octetClass: number): boolean {
  return ((OCTET_CLASS[bytes[at] as number] as number) & octetClass) !== 0;
}

/** The end of the input: wait for more, unless the limit is reached. */
function incomplete(end: number, limits: HeadLimits, status: number, reason: string): ParseResult<never> {
  return end >= limits.maxBytes ? bad(status, reason) : NEED_MORE;
}

/** Undefined means that eight octets are not there yet. */
function readVersion(
  bytes: Uint8Array,
  at: number,
  end: number,
): "1.0" | "1.1" | { kind: "bad"; status: number; reason: string } | undefined {
  const name = "HTTP/";
  for (let i = 0; i < name.length; i++) {
    if (at + i >= end) return undefined;
    if (bytes[at + i] !== name.charCodeAt(i)) return bad(400, "malformed protocol version");
  }
  if (at + 8 > end) return undefined;
  const major = bytes[at + 5] as number;
  const minor = bytes[at + 7] as number;
  if (!classAt(bytes, at + 5, DIGIT) || bytes[at + 6] !== 0x2e || !classAt(bytes, at + 7, DIGIT))
    return bad(400, "malformed protocol version");
  if (major === 0x31 && minor === 0x31) return "1.1";
  if (major === 0x31 && minor === 0x30) return "1.0";
  return bad(505, "unsupported protocol version");
}

/** Undefined means that the octets after the version are not there yet. */
function readStatus(
  bytes: Uint8Array,
  end: number,
): number | { kind: "bad"; status: number; reason: string } | undefined {
  if (end < 12) return undefined;
  if (bytes[8] !== SP) return bad(400, "malformed status line");
  let status = 0;
  for (let i = 9; i < 12; i++) {
    if (!classAt(bytes, i, DIGIT)) return bad(400, "malformed status code");
    status = status * 10 + (bytes[i] as number) - 0x30;
  }
  return status >= 100 ? status : bad(400, "malformed status code");
}

/** Undefined when CR LF stands at `at`. */
function expectLineEnd(
  bytes: Uint8Array,
  at: number,
  end: number,
): { kind: "need-more" } | { kind: "bad"; status: number; reason: string } | undefined {
  if (at >= end) return NEED_MORE;
  if (bytes[at] !== CR) return bad(400, bytes[at] === LF ? "bare line feed" : "malformed first line");
  if (at + 1 >= end) return NEED_MORE;
  return bytes[at + 1] === LF ? undefined : bad(400, "bare carriage return");
}
