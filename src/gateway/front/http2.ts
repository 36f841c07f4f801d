// HTTP/2 towards the client: every stream is a request for the exchange, and a held one holds up no
// other. Owns the conditions under which a request may be judged; the protocol's own rules are
// wire/http2-connection.ts's.

import type { ClientIdentity } from "../../model/entry.ts";
import { type Header, headerValue, headerValues, type RequestHead } from "../../model/request.ts";
import type { RefusalReply } from "../../protocols/refused.ts";
import { maskTarget } from "../../redaction/mask-pairs.ts";
import { passingTrailers } from "../../wire/http1/forbidden-trailers.ts";
import { H2_ERROR } from "../../wire/http2/connection.ts";
import type { Alteration } from "../message/alteration.ts";
import { BodyError } from "../message/body-source.ts";
import { BytesBody, withJsonBody } from "../message/bytes-body.ts";
import { endToEnd } from "../message/http1-message.ts";
import { Http2Session } from "../message/http2-session.ts";
import type { Http2Stream } from "../message/http2-stream.ts";
import type { BodyReader, OutgoingRequest, UpstreamAnswer } from "../message/upstream-answer.ts";
import type { Gateway } from "../request/context.ts";
import type { Lender } from "../request/contracts/credential-release.ts";
import { type ClientRequest, exchangeHttp } from "../request/http/http-carrier.ts";
import type { Arrived } from "../request/http/look-ahead.ts";
import type { Destination } from "../request/inspection/inspection.ts";
import type { Channel } from "../stream/channel.ts";
import { PATIENCE } from "../stream/patience.ts";
import { QUEUED } from "../stream/queued-octets.ts";
import { askUpstream, type SideAnswer, type SideCall } from "../upstream/ask.ts";
import { boundTarget } from "../upstream/bound-targets.ts";
import { ClientGone, firstPieces, forwardUpstream } from "../upstream/forward.ts";
import { lookUpIssuer, withIssuer } from "../upstream/pinned-issuer.ts";
import type { UpstreamPool, UpstreamTarget } from "../upstream/pool.ts";
import { UpstreamError, unjudgedFailure } from "../upstream/upstream-error.ts";

/** A client's connection over HTTP/2, as the tunnel knows it. */
export interface Http2ServerConnection {
  readonly channel: Channel;
  readonly client: ClientIdentity | undefined;
  readonly identity: string;
  readonly lender: Lender;
  readonly destination: Destination;
  /** The host that an authority names, if that is the destination under one of its names. */
  hostOf(authority: string): string | undefined;
  upstream(): UpstreamTarget;
}

const NO_MEMORY = "there is no memory at present for another request";

/** Serves requests until the connection ends. */
export async function serveHttp2(gateway: Gateway, connection: Http2ServerConnection): Promise<void> {
  const { destination, client } = connection;
  const { host, port } = destination;
  const onMalformed = (reason: string) =>
    gateway.recorder.blocked({ host, port, reason: `HTTP/2: ${reason}`, ...(client ? { client } : {}) });
  const session = new Http2Session(connection.channel, {
    onMalformed,
    onRequest(stream, fields) {
      if (QUEUED.isFull) {
        stream.reset(H2_ERROR.REFUSED_STREAM);
        onMalformed(NO_MEMORY);
        return;
      }
      serveStream(gateway, connection, stream, fields).catch((error: unknown) => {
        stream.reset(H2_ERROR.INTERNAL_ERROR);
        gateway.log.error("request failed", {
          reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      });
    },
  });
  await session.closed;
  if (session.problem !== undefined) onMalformed(session.problem);
  else if (session.loss !== undefined) gateway.log.warn("connection lost", { host, reason: session.loss });
}

async function serveStream(
  gateway: Gateway,
  connection: Http2ServerConnection,
  stream: Http2Stream,
  fields: readonly Header[],
): Promise<void> {
  const head = requestHead(connection, fields);
  if ("reason" in head) return refuseStream(gateway, connection, stream, fields, head.status, head.reason);
  const request = new Http2Request(gateway.pool, connection, stream, head);
  try {
    const protocols = gateway.inspection.protocolsOf(connection.destination);
    if (protocols.length === 0) await request.forward(() => {});
    else
      await exchangeHttp(gateway, protocols, request, () =>
        gateway.inspection.protocolsOf(connection.destination),
      );
  } catch (error) {
    if (error instanceof ClientGone && error.message !== "")
      gateway.log.warn("request broken off", {
        host: connection.destination.host,
        reason: error.message,
      });
    if (error instanceof ClientGone || stream.resetCode !== undefined) return;
    if (error instanceof UpstreamError)
      return refuseStream(gateway, connection, stream, fields, error.status, unjudgedFailure(error));
    if (error instanceof BodyError)
      return refuseStream(gateway, connection, stream, fields, 400, error.message);
    throw error;
  }
}

type HeadProblem = { readonly status: number; readonly reason: string };

/** The head as classifiers see it: Host instead of :authority, no pseudo fields. */
function requestHead(
  connection: Http2ServerConnection,
  fields: readonly Header[],
): RequestHead | HeadProblem {
  const pseudo = (name: string) => fields.find(([each]) => each === name)?.[1];
  const method = pseudo(":method") ?? "";
  const target = pseudo(":path") ?? "";
  const authority = pseudo(":authority");
  const hosts = headerValues(fields, "host");
  if (method === "CONNECT" || pseudo(":protocol") !== undefined)
    return { status: 400, reason: "a CONNECT inside a tunnel is not served" };
  if (!target.startsWith("/") && target !== "*") return { status: 400, reason: "the :path is not a path" };
  const named = authority ?? hosts[0];
  if (named === undefined) return { status: 400, reason: "the request names no host" };
  if (hosts.length > 1 || (hosts[0] !== undefined && hosts[0].toLowerCase() !== named.toLowerCase()))
    return { status: 400, reason: "Host and :authority differ" };
  const host = connection.hostOf(named);
  if (host === undefined)
    return { status: 421, reason: "the :authority is not the host that was connected to" };
  const { port } = connection.destination;
  const headers = fields.filter(([name]) => !name.startsWith(":") && name !== "host");
  return { method, target, host, port, headers: [["Host", named], ...joinCookies(headers)] };
}

/** HTTP/2 may split Cookie into crumbs; anything else reads one field (RFC 9113 8.2.3). */
function joinCookies(headers: readonly Header[]): readonly Header[] {
  const crumbs = headers.filter(([name]) => name === "cookie");
  if (crumbs.length < 2) return headers;
  const joined: Header = ["cookie", crumbs.map(([, value]) => value).join("; ")];
  const first = headers.findIndex(([name]) => name === "cookie");
  return headers.flatMap((field, index) =>
    index === first ? [joined] : field[0] === "cookie" ? [] : [field],
  );
}

async function refuseStream(
  gateway: Gateway,
  { destination, client }: Http2ServerConnection,
  stream: Http2Stream,
  fields: readonly Header[],
  status: number,
  reason: string,
): Promise<void> {
  const pseudo = (name: string) => fields.find(([each]) => each === name)?.[1] ?? "";
  gateway.recorder.blocked({
    host: destination.host,
    port: destination.port,
    method: pseudo(":method"),
    path: maskTarget(pseudo(":path")),
    status,
    reason,
    ...(client ? { client } : {}),
  });
  const body = new TextEncoder().encode(
    `${JSON.stringify({ error: `iddio: ${reason}`, outcome: "blocked" })}\n`,
  );
  await sendReply(stream, { status, headers: [["content-type", "application/json"]], body });
}

async function sendReply(stream: Http2Stream, reply: RefusalReply): Promise<void> {
  const headers: Header[] = [[":status", String(reply.status)]];
  for (const [name, value] of reply.headers) headers.push([name.toLowerCase(), value]);
  stream.sendHeaders(headers, reply.body.length === 0);
  if (reply.body.length > 0) await stream.send(reply.body, true);
  // The answer is complete: the rest of the request is not needed (RFC 9113 8.1).
  if (!stream.isDone) stream.reset(H2_ERROR.NO_ERROR);
}

/** Drops the rest of a body, however much the client sends, within the time that a body may take. */
async function discard(stream: Http2Stream): Promise<void> {
  const deadline = performance.now() + PATIENCE.judgedBodyMs;
  try {
    while ((await stream.next(deadline)) !== undefined);
  } catch (error) {
    // The client left, and there is nobody to answer; or it dawdles, and is answered now.
    if (!(error instanceof BodyError)) throw error;
  }
}

/** A body of which the first pieces were looked at. */
class PeekedBody implements BodyReader {
  readonly #stream: Http2Stream;
  constructor(stream: Http2Stream) {
    this.#stream = stream;
  }
  get framing() {
    return this.#stream.framing;
  }
  get isDone() {
    return this.#stream.isDone;
  }
  get isDrained() {
    return this.#stream.isDrained;
  }
  get trailers() {
    return passingTrailers(this.#stream.trailers);
  }
  next() {
    return this.#stream.next();
  }
  nextBuffered() {
    return this.#stream.nextBuffered();
  }

  async peek(limit: number, arrived?: Arrived): Promise<Uint8Array | undefined> {
    const { framing } = this.#stream;
    if (framing.kind === "length" && framing.length > limit) return undefined;
    const ahead: Uint8Array[] = [];
    const deadline = performance.now() + PATIENCE.judgedBodyMs;
    let size = 0;
    try {
      while (size <= limit) {
        const pieces = await this.#stream.next(deadline);
        if (!pieces) return Buffer.concat(ahead, size);
        for (const piece of pieces) size += piece.length;
        ahead.push(...pieces);
        const room = arrived?.(pieces.reduce((sum, piece) => sum + piece.length, 0));
        if (room !== undefined && !(await room)) return undefined;
      }
    } finally {
      this.#stream.unread(ahead);
    }
    return undefined;
  }
}

/** One request on an HTTP/2 connection, as the exchange sees it. */
class Http2Request implements ClientRequest {
  readonly head: RequestHead;
  readonly isUpgrade = false;
  readonly #pool: UpstreamPool;
  readonly #connection: Http2ServerConnection;
  readonly #stream: Http2Stream;
  readonly #body: PeekedBody;
  #awaitsContinue: boolean;

  constructor(pool: UpstreamPool, connection: Http2ServerConnection, stream: Http2Stream, head: RequestHead) {
    this.#pool = pool;
    this.#connection = connection;
    this.#stream = stream;
    this.#body = new PeekedBody(stream);
    this.head = head;
    this.#awaitsContinue = headerValue(head.headers, "expect") !== undefined;
  }

  get client(): ClientIdentity | undefined {
    return this.#connection.client;
  }

  get lender(): Lender {
    return this.#connection.lender;
  }

  get identity(): string {
    return this.#connection.identity;
  }

  get hasBody(): boolean {
    return this.#stream.framing.kind !== "none";
  }

  get bodyLength(): number | undefined {
    const { framing } = this.#stream;
    return framing.kind === "length" ? framing.length : undefined;
  }

  get trailers(): readonly Header[] {
    return this.#body.trailers;
  }

  peekBody(limit: number, arrived?: Arrived): Promise<Uint8Array | undefined> {
    if (this.#awaitsContinue && !this.#stream.isDone) this.#stream.sendHeaders([[":status", "100"]], false);
    this.#awaitsContinue = false;
    return this.#body.peek(limit, arrived);
  }

  onLeave(left: () => void): () => void {
    const stream = this.#stream;
    stream.onReset(left);
    return () => stream.offReset(left);
  }

  async refuse(reply: RefusalReply): Promise<void> {
    // Anyone who waits for a 100 has not begun to send.
    if (reply.isReadLate && !this.#awaitsContinue) await discard(this.#stream);
    await sendReply(this.#stream, reply);
  }

  ask(call: SideCall): Promise<SideAnswer> {
    const { channel, upstream } = this.#connection;
    const target = boundTarget(this.#pool, channel, upstream(), call.headers);
    return askUpstream(this.#pool, target, this.head.headers[0]?.[1] ?? "", call);
  }

  async forward(answered: (status: number) => void, alteration?: Alteration): Promise<void> {
    await this.#answer(await this.send(alteration), answered);
  }

  answer(answer: UpstreamAnswer): Promise<void> {
    return this.#answer(answer, () => {});
  }

  issuer(): Promise<string | undefined> {
    return lookUpIssuer(this.#pool, this.#connection.upstream());
  }

  async send(alteration?: Alteration): Promise<UpstreamAnswer> {
    const stream = this.#stream;
    const { channel, upstream } = this.#connection;
    if (alteration?.body !== undefined) while ((await this.#body.next()) !== undefined);
    const bound = boundTarget(this.#pool, channel, upstream(), this.head.headers);
    const target = withIssuer(bound, alteration?.issuer);
    const arrived = await forwardUpstream(this.#pool, target, this.#outgoing(alteration), {
      get hasLeft() {
        return stream.resetCode !== undefined;
      },
      onLeave: (left) => stream.onReset(left),
      offLeave: (left) => stream.offReset(left),
    });
    return alteration?.answer?.(arrived) ?? arrived;
  }

  async #answer(answer: UpstreamAnswer, answered: (status: number) => void): Promise<void> {
    const stream = this.#stream;
    const first = firstPieces(answer);
    answered(answer.status);
    try {
      const headers: Header[] = [[":status", String(answer.status)]];
      for (const [name, value] of endToEnd(answer.headers)) {
        const lower = name.toLowerCase();
        if (lower !== "transfer-encoding") headers.push([lower, value]);
      }
      const isEmpty = first === undefined && answer.body.isDrained && answer.body.trailers.length === 0;
      stream.sendHeaders(headers, isEmpty);
      for (const piece of first ?? []) if (piece.length > 0) await stream.send(piece, false);
      if (!isEmpty) await stream.sendBody(answer.body);
      if (!stream.isDone) stream.reset(H2_ERROR.NO_ERROR);
    } catch (error) {
      // Cuts the connection, so that the answer does not look complete.
      stream.reset(H2_ERROR.INTERNAL_ERROR);
      if (error instanceof BodyError)
        throw new ClientGone(`the upstream's answer was cut off: ${error.message}`, { cause: error });
      throw error;
    } finally {
      answer.finish();
    }
  }

  /** Asked after the fields. */
  #outgoingBody(alteration: Alteration | undefined): BodyReader {
    if (alteration?.body !== undefined) return new BytesBody(alteration.body);
    return alteration?.through?.(this.#body) ?? this.#body;
  }

  #outgoing(alteration: Alteration | undefined): OutgoingRequest {
    const stream = this.#stream;
    const { method, target } = this.head;
    const replaced = alteration?.body;
    const sent = replaced === undefined ? this.head.headers : withJsonBody(this.head.headers, replaced);
    const headers = alteration?.fields?.(sent) ?? sent;
    return {
      method,
      target: alteration?.target?.(sent) ?? target,
      scheme: "https",
      authority: headers[0]?.[1] ?? "",
      headers,
      body: this.#outgoingBody(alteration),
      upgrade: undefined,
      prefersHttp2: true,
      awaitsContinue: this.#awaitsContinue && replaced === undefined,
      interim(status, fields) {
        const lower = fields.map(([name, value]) => [name.toLowerCase(), value] as const);
        stream.sendHeaders([[":status", String(status)], ...lower], false);
      },
    };
  }
}
