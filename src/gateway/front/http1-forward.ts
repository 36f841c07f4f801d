// Between an HTTP/1.1 client and whatever the upstream speaks: turns the client's request
// into an outgoing one and the answer into HTTP/1.1, both streaming. Owns that nothing
// broken ever looks complete, and when the client's connection can be used again.

import { type Header, headerValue } from "../../model/request.ts";
import { serialiseResponseHead, type WireRequestHead } from "../../wire/http1/head.ts";
import type { Alteration } from "../message/alteration.ts";
import { BodyError, type BodySource, UnconfirmedEnd } from "../message/body-source.ts";
import { BytesBody, withJsonBody } from "../message/bytes-body.ts";
import { endToEnd, sendMessage, takesTrailers } from "../message/http1-message.ts";
import { statusText } from "../message/short-answer.ts";
import type { BodyReader, OutgoingRequest, UpstreamAnswer } from "../message/upstream-answer.ts";
import type { Channel } from "../stream/channel.ts";
import { hangUp, lingeringClose } from "../stream/lingering-close.ts";
import { relay } from "../stream/relay.ts";
import type { SessionTap } from "../stream/session-tap.ts";
import { boundTarget } from "../upstream/bound-targets.ts";
import { ClientGone, firstPieces, forwardUpstream } from "../upstream/forward.ts";
import type { LeavingClient } from "../upstream/lease.ts";
import { withIssuer } from "../upstream/pinned-issuer.ts";
import type { UpstreamPool, UpstreamTarget } from "../upstream/pool.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";

/** Everything one forwarding needs. */
export interface ForwardedRequest {
  readonly client: Channel;
  /** A peer that stops sending has left: true under TLS, where half-closing means nothing to HTTP. */
  readonly endMeansGone: boolean;
  readonly head: WireRequestHead;
  /** In origin form. */
  readonly path: string;
  /** Host and port as a Host field names them. */
  readonly authority: string;
  readonly body: BodySource;
  /** The client still waits for 100 Continue before it sends the body. */
  readonly awaitsContinue: boolean;
  /** Throws UpstreamError. */
  readonly upstream: () => UpstreamTarget;
  readonly pool: UpstreamPool;
  /** Replacements for parts of the client's request. When the body is replaced, it has been read whole. */
  readonly alteration?: Alteration | undefined;
  /** Looks at the octets after a 101. */
  readonly tap?: SessionTap | undefined;
  readonly answered: (status: number) => void;
  /** Told when the client's connection can carry another request. */
  readonly request: { keepConnection(): void };
}

/**
 * Forwards the request and relays the answer; the client's connection is ended unless it can be kept. Throws
 * UpstreamError when no byte of an answer was relayed, ClientGone when the client cannot be answered.
 */
export async function forwardHttp1(forwarding: ForwardedRequest): Promise<void> {
  await answerHttp1(forwarding, await sendHttp1(forwarding));
}

/** Sends the request; gives the answer as the client may see it, to be finished. Throws as `forwardHttp1` does. */
export async function sendHttp1(forwarding: ForwardedRequest): Promise<UpstreamAnswer> {
  const { pool, client, head, endMeansGone, alteration } = forwarding;
  const target = boundTarget(pool, client, forwarding.upstream(), head.headers);
  const arrived = await forwardUpstream(
    pool,
    withIssuer(target, alteration?.issuer),
    new Outgoing(forwarding),
    new Leaving(client, endMeansGone),
  );
  return alteration?.answer?.(arrived) ?? arrived;
}

/** Relays an answer, of the upstream or made here. */
export async function answerHttp1(forwarding: ForwardedRequest, answer: UpstreamAnswer): Promise<void> {
  const { client, body, head: asked } = forwarding;
  const keepAlive = mayKeepClient(forwarding, answer);
  const head = headBytes(forwarding, answer, keepAlive);
  const first = firstPieces(answer);
  forwarding.answered(answer.status);
  if (answer.upgraded) {
    answer.finish();
    client.write(head);
    const { upgraded } = answer;
    forwarding.tap?.begin(answer.headers, () => {
      client.destroy();
      upgraded.destroy();
    });
    await relay(client, upgraded, forwarding.tap);
    throw new ClientGone();
  }
  try {
    const isChunked = answer.body.framing.kind === "chunked" && asked.version === "1.1";
    const sending = sendMessage(client, head, answer.body, isChunked, first);
    if (sending) await sending;
  } catch (error) {
    // Cut, never ended: nothing broken may look complete. But some servers always end like this, and some clients
    // do not mind: it ends for them as it would without iddio.
    if (error instanceof UnconfirmedEnd) await hangUp(client);
    else client.destroy();
    if (error instanceof BodyError)
      throw new ClientGone(`the upstream's answer was cut off: ${error.message}`, { cause: error });
    throw error;
  } finally {
    answer.finish();
  }
  if (keepAlive && body.isDrained && asked.upgrade === undefined) forwarding.request.keepConnection();
  else await lingeringClose(client);
}

/** The client's connection, for anyone who must know when nobody waits for the answer any more. */
class Leaving implements LeavingClient {
  readonly #channel: Channel;
  readonly #endMeansGone: boolean;

  constructor(channel: Channel, endMeansGone: boolean) {
    this.#channel = channel;
    this.#endMeansGone = endMeansGone;
  }

  get hasLeft(): boolean {
    return this.#channel.isClosed || (this.#endMeansGone && this.#channel.isOver);
  }

  onLeave(left: () => void): void {
    if (this.#endMeansGone) this.#channel.onOver(left);
    else this.#channel.onClosed(left);
  }

  offLeave(left: () => void): void {
    if (this.#endMeansGone) this.#channel.offOver(left);
    else this.#channel.offClosed(left);
  }
}

/** The client's request as it goes out. */
class Outgoing implements OutgoingRequest {
  readonly method: string;
  readonly target: string;
  readonly scheme: "https" | "http";
  readonly authority: string;
  readonly headers: readonly Header[];
  readonly body: BodyReader;
  readonly upgrade: OutgoingRequest["upgrade"];
  readonly awaitsContinue: boolean;
  readonly prefersHttp2 = false;
  readonly verbatim: Uint8Array | undefined;
  readonly #client: Channel;
  readonly #knowsInterim: boolean;

  constructor(forwarding: ForwardedRequest) {
    const { client, head, path, authority, body, awaitsContinue, endMeansGone, alteration } = forwarding;
    const replaced = alteration?.body;
    this.method = head.method;
    this.scheme = endMeansGone ? "https" : "http";
    this.authority = head.authority ?? authority;
    const isAsItCame = path === head.target && head.authority !== undefined && alteration === undefined;
    this.verbatim = isAsItCame ? head.verbatim : undefined;
    this.headers = this.verbatim ? head.headers : outgoingFields(head, authority);
    this.body = body;
    if (replaced !== undefined) {
      this.headers = withJsonBody(this.headers, replaced);
      this.body = new BytesBody(replaced);
    }
    const before = this.headers;
    this.headers = alteration?.fields?.(before) ?? before;
    this.target = alteration?.target?.(before) ?? path;
    this.body = alteration?.through?.(this.body) ?? this.body;
    this.awaitsContinue = awaitsContinue;
    this.upgrade =
      head.upgrade === undefined
        ? undefined
        : { token: head.upgrade, spelling: spellingOf(head.upgrade, head.headers) };
    this.#client = client;
    // HTTP/1.0 has no interim answers.
    this.#knowsInterim = head.version === "1.1";
  }

  interim(status: number, headers: readonly Header[]): void {
    if (this.#knowsInterim)
      this.#client.write(serialiseResponseHead({ status, statusText: statusText(status), headers }));
  }
}

/** The protocol as the client spells it, without its other offers. */
function spellingOf(token: string, headers: readonly Header[]): string {
  const offered = (headerValue(headers, "upgrade") ?? "").split(",").map((protocol) => protocol.trim());
  return offered.find((protocol) => protocol.toLowerCase() === token) ?? token;
}

function outgoingFields(head: WireRequestHead, authority: string): Header[] {
  const headers = endToEnd(head.headers);
  // HTTP/1.0 may leave Host out; the forwarded request is newer.
  if (head.authority === undefined) headers.unshift(["Host", authority]);
  if (takesTrailers(head.headers)) headers.push(["TE", "trailers"]);
  return headers;
}

/** Whether the client's connection outlives this answer. */
function mayKeepClient({ head, body }: ForwardedRequest, answer: UpstreamAnswer): boolean {
  if (!head.keepAlive || answer.body.framing.kind === "until-close") return false;
  if (head.version === "1.0" && answer.body.framing.kind === "chunked") return false;
  // Refused before the body was sent: closing is the only way to stop the client from sending it.
  return body.isDone || answer.status < 400;
}

function answerBytes(answer: UpstreamAnswer, { head }: ForwardedRequest, keepAlive: boolean): Uint8Array {
  if (answer.verbatim && keepAlive && head.version === "1.1") return answer.verbatim;
  let headers: Header[] = endToEnd(answer.headers);
  const isFramed = headers.some(([name]) => name.length === 17 && name.toLowerCase() === "transfer-encoding");
  if (answer.upgraded) {
    headers.push(["Connection", "Upgrade"]);
    headers.push(["Upgrade", headerValue(answer.headers, "upgrade") ?? ""]);
  } else if (!keepAlive) headers.push(["Connection", "close"]);
  else if (head.version === "1.0") headers.push(["Connection", "keep-alive"]);
  if (answer.body.framing.kind === "chunked" && !isFramed) headers.push(["Transfer-Encoding", "chunked"]);
  // HTTP/2 ends an answer with its head; over HTTP/1.1 a client would wait for a body until the connection ends.
  if (answer.verbatim === undefined && isEmptyByItself(answer, head) && !hasLength(headers))
    headers.push(["Content-Length", "0"]);
  // An HTTP/1.0 client knows no chunks; its answer ends with the connection.
  if (head.version === "1.0")
    headers = headers.filter(([name]) => name.toLowerCase() !== "transfer-encoding");
  return serialiseResponseHead({ status: answer.status, statusText: answer.statusText, headers });
}

/** An answer that could have had a body, and has none. */
function isEmptyByItself({ status, body }: UpstreamAnswer, { method }: WireRequestHead): boolean {
  return (
    body.framing.kind === "none" && method !== "HEAD" && status >= 200 && status !== 204 && status !== 304
  );
}

function hasLength(headers: readonly Header[]): boolean {
  return headerValue(headers, "content-length") !== undefined;
}

/** Throws UpstreamError when an answer that came by HTTP/2 has no spelling in HTTP/1.1. */
function headBytes(forwarding: ForwardedRequest, answer: UpstreamAnswer, keepAlive: boolean): Uint8Array {
  try {
    return answerBytes(answer, forwarding, keepAlive || answer.upgraded !== undefined);
  } catch (error) {
    answer.finish();
    throw new UpstreamError("broken", "the upstream's answer cannot be written as HTTP/1.1", {
      cause: error,
    });
  }
}
