// One request to an upstream over HTTP/1.1 and the head of its answer. Owns the order of things on
// that connection: the octets behind the request, the heads before the final one, and that a
// connection is kept only when not a byte is left over on either side.

import { type Header, headerValue } from "../../model/request.ts";
import { parseResponseHead, serialiseRequestHead, type WireResponseHead } from "../../wire/http1/head.ts";
import type { ParseResult } from "../../wire/http1/parse-result.ts";
import { BodySource } from "../message/body-source.ts";
import { endToEnd, sendMessage, takesTrailers } from "../message/http1-message.ts";
import { HeadError, type HeadPatience, readHead } from "../message/read-head.ts";
import type { OutgoingRequest, UpstreamAnswer } from "../message/upstream-answer.ts";
import type { Channel } from "../stream/channel.ts";
import { PATIENCE } from "../stream/patience.ts";
import type { Lease } from "./lease.ts";
import { UpstreamError } from "./upstream-error.ts";

/** An upstream may say nothing for as long as it likes: watches and long polls are quiet. */
const ANSWER: HeadPatience = {
  firstByteMs: undefined,
  get wholeMs() {
    return PATIENCE.headMs;
  },
};
/** Interim answers before the final one; more is an attack or a fault. */
const MAX_INTERIM = 32;

/**
 * Sends the request and resolves with the answer's head while both bodies may still be flowing. The lease is the
 * answer's to end; destroying `upstream` cuts it. Throws UpstreamError, or what broke the request's body; the
 * connection is then closed.
 */
export async function requestHttp1(
  upstream: Channel,
  request: OutgoingRequest,
  lease: Lease,
): Promise<UpstreamAnswer> {
  const sending = new Sending(upstream, headBytes(upstream, request), request);
  const parse = request.method === "HEAD" ? parseAnswerToHead : parseAnswer;
  try {
    for (let interim = 0; ; interim += 1) {
      const head = await readHead(upstream, parse, ANSWER);
      if (head === undefined)
        throw new UpstreamError("broken", "the upstream closed the connection without an answer", {
          hasAnswered: interim > 0,
        });
      if (isFinal(head, request)) return new Http1Answer(upstream, request, head, sending, lease);
      if (interim >= MAX_INTERIM) throw broken("the upstream sent too many interim answers");
      if (head.status !== 100 || request.awaitsContinue) request.interim(head.status, endToEnd(head.headers));
    }
  } catch (error) {
    upstream.destroy();
    throw sending.problem ?? problemOf(error);
  }
}

/** Whether this is the answer, and not one on the way to it. Throws when it switches protocols unasked. */
function isFinal({ status, upgrade }: WireResponseHead, request: OutgoingRequest): boolean {
  if (status !== 101) return status >= 200;
  if (request.upgrade !== undefined && upgrade === request.upgrade.token) return true;
  throw broken("the upstream switched protocols unasked");
}

function problemOf(error: unknown): unknown {
  return error instanceof HeadError ? broken(`the upstream's answer is malformed: ${error.message}`) : error;
}

/** Of an upstream that has said something, though nothing valid. */
function broken(reason: string): UpstreamError {
  return new UpstreamError("broken", reason, { hasAnswered: true });
}

/** A request on its way to the upstream. A body that breaks takes the connection with it. */
class Sending {
  /** The first error that broke the sending, if any. */
  problem: unknown;
  /** Settles when all of it was sent; undefined when it was at once. */
  readonly done: Promise<void> | undefined;

  constructor(upstream: Channel, head: Uint8Array, { body }: OutgoingRequest) {
    try {
      this.done = sendMessage(upstream, head, body)?.catch((error) => this.#broken(upstream, error));
    } catch (error) {
      this.#broken(upstream, error);
    }
  }

  #broken(upstream: Channel, error: unknown): void {
    this.problem = error;
    upstream.destroy();
  }
}

class Http1Answer implements UpstreamAnswer {
  readonly status: number;
  readonly body: BodySource;
  readonly #upstream: Channel;
  readonly #request: OutgoingRequest;
  readonly #head: WireResponseHead;
  readonly #sending: Sending;
  readonly #lease: Lease;

  constructor(
    upstream: Channel,
    request: OutgoingRequest,
    head: WireResponseHead,
    sending: Sending,
    lease: Lease,
  ) {
    this.#upstream = upstream;
    this.#request = request;
    this.#head = head;
    this.#sending = sending;
    this.#lease = lease;
    this.status = head.status;
    this.body = new BodySource(upstream, head.framing);
  }

  get statusText(): string {
    return this.#head.statusText;
  }

  get headers(): readonly Header[] {
    return this.#head.headers;
  }

  get verbatim(): Uint8Array | undefined {
    return this.#head.verbatim;
  }

  get upgraded(): Channel | undefined {
    return this.status === 101 ? this.#upstream : undefined;
  }

  finish(): void {
    const lease = this.#lease;
    lease.forgetClient();
    if (this.status === 101) return;
    if (!this.#request.body.isDrained || !this.body.isDrained || !this.#head.keepAlive)
      this.#upstream.destroy();
    else if (this.#sending.done) void this.#sending.done.then(() => lease.release());
    else lease.release();
  }
}

/** Throws UpstreamError when a head that came by HTTP/2 has no spelling in HTTP/1.1. */
function headBytes(upstream: Channel, request: OutgoingRequest): Uint8Array {
  try {
    return requestBytes(request);
  } catch (error) {
    upstream.destroy();
    throw new UpstreamError("unwritable", "the request cannot be written as HTTP/1.1", { cause: error });
  }
}

/** Methods whose requests are expected to have a body (RFC 9110 8.6). */
const HAS_BODY = new Set(["POST", "PUT", "PATCH"]);

function requestBytes(request: OutgoingRequest): Uint8Array {
  if (request.verbatim) return request.verbatim;
  const { method, target, headers, body, upgrade, awaitsContinue } = request;
  const fields: Header[] = endToEnd(headers).filter(
    ([name]) => awaitsContinue || name.length !== 6 || name.toLowerCase() !== "expect",
  );
  const isFramed = fields.some(([name]) => name.length === 17 && name.toLowerCase() === "transfer-encoding");
  if (body.framing.kind === "chunked" && !isFramed) fields.push(["Transfer-Encoding", "chunked"]);
  // HTTP/2 ends such a request with its head; some HTTP/1.1 servers ask for a length (411) or wait for a body.
  const isEmptied = request.prefersHttp2 && body.framing.kind === "none" && HAS_BODY.has(method);
  if (isEmptied && headerValue(fields, "content-length") === undefined) fields.push(["Content-Length", "0"]);
  if (upgrade) fields.push(["Connection", "Upgrade"], ["Upgrade", upgrade.spelling]);
  else if (takesTrailers(headers)) fields.push(["Connection", "TE"], ["TE", "trailers"]);
  return serialiseRequestHead({ method, target, headers: fields });
}

/** Only to HEAD is an answer read differently; CONNECT never comes this way. */
function parseAnswer(bytes: Uint8Array, seen: number): ParseResult<WireResponseHead> {
  return parseResponseHead(bytes, "GET", undefined, seen);
}

function parseAnswerToHead(bytes: Uint8Array, seen: number): ParseResult<WireResponseHead> {
  return parseResponseHead(bytes, "HEAD", undefined, seen);
}
