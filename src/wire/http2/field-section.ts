// The rules about a whole header section of HTTP/2 (RFC 9113 8.1 to 8.3, 8.5): which pseudo fields
// it has, in what order, the length and trailers that it announces. Fields come one by one from the
// HPACK decoder; a section that breaks a rule is read to its end all the same, because the tables
// must stay in step.

import type { Header } from "../../model/request.ts";
import { FORBIDDEN_TRAILERS } from "../http1/forbidden-trailers.ts";
import { trimOws } from "../http1/framing.ts";
import { FIELD, type Http2Field } from "./field.ts";

/** A list this many times over the limit is not a mistake but a bomb. */
const BOMB_FACTOR = 8;

/** Collects one section after another; `start` begins each. */
export class Http2FieldSection {
  readonly #maxBytes: number;
  readonly #isRequest: boolean;
  headers: Header[] = [];
  /** Octets as RFC 7541 4.1 counts them; beyond the limit fields are counted and not kept. */
  size = 0;
  status = 0;
  /** -1 when absent. */
  contentLength = -1;
  method = "";
  #problem: string | undefined;
  #path = "";
  #seen = 0;
  #hasRegular = false;

  /** `isRequest`: sections come from a client, who is read more strictly where a server can do no harm. */
  constructor(maxBytes: number, isRequest: boolean) {
    this.#maxBytes = maxBytes;
    this.#isRequest = isRequest;
  }

  get isTooLarge(): boolean {
    return this.size > this.#maxBytes;
  }

  /** So far over the limit that even counting must stop. */
  get isBomb(): boolean {
    return this.size > this.#maxBytes * BOMB_FACTOR;
  }

  start(): void {
    this.headers = [];
    this.size = 0;
    this.status = 0;
    this.contentLength = -1;
    this.method = "";
    this.#problem = undefined;
    this.#path = "";
    this.#seen = 0;
    this.#hasRegular = false;
  }

  add(field: Http2Field): void {
    this.size += field.size;
    if (this.size > this.#maxBytes) return;
    this.headers.push(field.hasOuterSpace ? this.#trimmed(field) : field.header);
    if (field.problem !== undefined) this.#problem ??= field.problem;
    if (field.kind === FIELD.REGULAR) this.#hasRegular = true;
    else this.#addSpecial(field);
  }

  /** A server that pads a value means the value; a client that does may mean another to the next recipient. */
  #trimmed({ header }: Http2Field): Header {
    if (this.#isRequest) this.#problem ??= "space around a header value";
    return [header[0], trimOws(header[1])];
  }

  #addSpecial(field: Http2Field): void {
    const { kind } = field;
    const bit = 1 << kind;
    // Equal duplicates too: recipients differ in which of them they would take.
    if ((this.#seen & bit) !== 0 && kind !== FIELD.TE) this.#problem ??= `${field.header[0]} twice`;
    this.#seen |= bit;
    if (kind > FIELD.STATUS) this.#hasRegular = true;
    else if (this.#hasRegular) this.#problem ??= "pseudo-header after a header";
    if (kind === FIELD.METHOD) this.method = field.header[1];
    else if (kind === FIELD.PATH) this.#path = field.header[1];
    else if (kind === FIELD.STATUS) this.status = field.number;
    else if (kind === FIELD.CONTENT_LENGTH) this.contentLength = field.number;
  }

  #has(kind: number): boolean {
    return (this.#seen & (1 << kind)) !== 0;
  }

  /** Why the section is no request head. */
  requestProblem(): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    if (this.#has(FIELD.STATUS)) return ":status in a request";
    if (!this.#has(FIELD.METHOD)) return "no :method";
    if (this.method === "CONNECT") {
      if (this.#has(FIELD.SCHEME) || this.#has(FIELD.PATH)) return "connect with :scheme or :path";
      return this.#has(FIELD.AUTHORITY) ? undefined : "connect without :authority";
    }
    if (!this.#has(FIELD.SCHEME)) return "no :scheme";
    if (!this.#has(FIELD.PATH)) return "no :path";
    // RFC 9113 8.3.1 asks for one of them; a gateway has nowhere to send a request without.
    if (!this.#has(FIELD.AUTHORITY) && !this.#has(FIELD.HOST)) return "neither :authority nor host";
    if (this.#path.charCodeAt(0) === 0x2f) return undefined;
    return this.#path === "*" && this.method === "OPTIONS" ? undefined : "malformed :path";
  }

  /** Why the section is no response head. `endStream`: nothing follows it. */
  responseProblem(endStream: boolean): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    if (!this.#has(FIELD.STATUS)) return "no :status";
    if (this.#hasRequestPseudo()) return "request pseudo-header in a response";
    if (this.status >= 200) return undefined;
    if (endStream) return "interim response that ends the stream";
    return this.contentLength > 0 ? "content-length in an interim response" : undefined;
  }

  /** Why the section is no trailer section. */
  trailerProblem(endStream: boolean): string | undefined {
    if (this.#problem !== undefined) return this.#problem;
    if (this.#has(FIELD.STATUS) || this.#hasRequestPseudo()) return "pseudo-header in trailers";
    if (!endStream) return "second header section that does not end the stream";
    if (this.#has(FIELD.CONTENT_LENGTH)) return "content-length in trailers";
    // Some gRPC servers repeat their content-type there; no upstream takes its orders from a response.
    if (!this.#isRequest) return undefined;
    return this.headers.some(([name]) => FORBIDDEN_TRAILERS.has(name))
      ? "forbidden trailer field"
      : undefined;
  }

  #hasRequestPseudo(): boolean {
    const request = (1 << FIELD.METHOD) | (1 << FIELD.SCHEME) | (1 << FIELD.AUTHORITY) | (1 << FIELD.PATH);
    return (this.#seen & request) !== 0;
  }
}
