// One header field of HTTP/2 and its kind, judged once when it is read from the wire: the dynamic
// table keeps the judgement, so a field that recurs costs nothing. Owns the rules that need no
// other field (RFC 9113 8.2, 8.3); those about a whole section are http2-field-section.ts.

import type { Header } from "../../model/request.ts";
import { parseContentLength } from "../http1/framing.ts";
import { AUTHORITY, FIELD_VALUE, isAll, LOWER_TOKEN, METHOD, TARGET } from "../octet-class.ts";

/** Numbers of the fields that a header section treats specially; REGULAR for all others. */
export const FIELD = {
  REGULAR: 0,
  METHOD: 1,
  SCHEME: 2,
  AUTHORITY: 3,
  PATH: 4,
  STATUS: 5,
  CONTENT_LENGTH: 6,
  HOST: 7,
  TE: 8,
} as const;

const KINDS = new Map<string, number>([
  [":method", FIELD.METHOD],
  [":scheme", FIELD.SCHEME],
  [":authority", FIELD.AUTHORITY],
  [":path", FIELD.PATH],
  [":status", FIELD.STATUS],
  ["content-length", FIELD.CONTENT_LENGTH],
  ["host", FIELD.HOST],
  ["te", FIELD.TE],
]);

const NAME_PROBLEMS = new Map<string, string>([
  ["", "empty header name"],
  ...["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].map(
    (name): [string, string] => [name, "connection-specific header"],
  ),
  // CGI-style servers turn both spellings into the same variable.
  ["content_length", "length header spelt with an underscore"],
  ["transfer_encoding", "length header spelt with an underscore"],
]);

const MAX_METHOD_LENGTH = 32;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;

/** A field and its judgement. `size` is what RFC 7541 4.1 counts; `problem` is why no message may carry it. */
export class Http2Field {
  readonly header: Header;
  readonly size: number;
  readonly kind: number;
  /** The value of :status and content-length as a number; otherwise 0. */
  readonly number: number;
  readonly problem: string | undefined;
  /** White space around the value: malformed (RFC 9113 8.2.1), and yet what some servers send. */
  readonly hasOuterSpace: boolean;
  readonly #nameProblem: string | undefined;

  constructor(name: string, value: string, likeName?: Http2Field) {
    this.header = [name, value];
    this.size = name.length + value.length + 32;
    if (likeName === undefined) {
      this.kind = KINDS.get(name) ?? FIELD.REGULAR;
      this.#nameProblem = this.kind === FIELD.REGULAR ? nameProblem(name) : undefined;
    } else {
      this.kind = likeName.kind;
      this.#nameProblem = likeName.#nameProblem;
    }
    this.number = numberOf(this.kind, value);
    this.hasOuterSpace =
      value !== "" && (isSpace(value.charCodeAt(0)) || isSpace(value.charCodeAt(value.length - 1)));
    this.problem = this.#nameProblem ?? valueProblem(this.kind, value, this.number);
  }
}

/** Why a field of this name may not be sent or received in HTTP/2; pseudo fields are not its business. */
export function nameProblem(name: string): string | undefined {
  if (name.charCodeAt(0) === COLON) return "unknown pseudo-header";
  return (
    NAME_PROBLEMS.get(name) ??
    (isAll(name, LOWER_TOKEN) ? undefined : "capital or illegal character in a header name")
  );
}

/** -1 where there should be a number and is none. */
function numberOf(kind: number, value: string): number {
  if (kind === FIELD.CONTENT_LENGTH) return parseContentLength(value) ?? -1;
  if (kind !== FIELD.STATUS) return 0;
  // 101 does not exist in HTTP/2 (RFC 9113 8.6).
  return /^[1-9][0-9]{2}$/.test(value) && value !== "101" ? Number(value) : -1;
}

function valueProblem(kind: number, value: string, number: number): string | undefined {
  switch (kind) {
    case FIELD.METHOD:
      return isMethod(value) ? undefined : "malformed :method";
    case FIELD.SCHEME:
      return value === "https" || value === "http" ? undefined : "unknown :scheme";
    // Without userinfo, which RFC 9113 8.3.1 forbids.
    case FIELD.AUTHORITY:
      return isAll(value, AUTHORITY) ? undefined : "malformed :authority";
    case FIELD.HOST:
      return isAll(value, AUTHORITY) ? undefined : "malformed host header";
    case FIELD.PATH:
      return isAll(value, TARGET) ? undefined : "malformed :path";
    case FIELD.STATUS:
      return number < 0 ? "malformed :status" : undefined;
    case FIELD.CONTENT_LENGTH:
      return number < 0 ? "malformed content-length" : undefined;
    case FIELD.TE:
      return value.toLowerCase() === "trailers" ? undefined : "te other than trailers";
    default:
      return value === "" || isAll(value, FIELD_VALUE) ? undefined : "control character in a header value";
  }
}

function isMethod(value: string): boolean {
  return isAll(value, METHOD) && value.charCodeAt(0) !== 0x2d && value.length <= MAX_METHOD_LENGTH;
}

function isSpace(code: number): boolean {
  return code === SP || code === HTAB;
}
