// HTTP/1.1 towards the client: reads requests off one connection, one after the other, and hands
// each to the exchange. Owns the conditions under which a request may be judged: an unambiguous
// head, a Host that is the destination, a known upgrade.

import type { ClientIdentity } from "../../model/entry.ts";
import type { Header, RequestHead } from "../../model/request.ts";
import type { RefusalReply } from "../../protocols/refused.ts";
import { maskTarget } from "../../redaction/mask-pairs.ts";
import { hostPort } from "../../text/host-port.ts";
import { passingTrailers } from "../../wire/http1/forbidden-trailers.ts";
import { parseRequestHead, serialiseResponseHead, type WireRequestHead } from "../../wire/http1/head.ts";
import type { Alteration } from "../message/alteration.ts";
import { BodyError, BodySource } from "../message/body-source.ts";
import { strayConnectionOption } from "../message/http1-message.ts";
import { HeadError, readHead } from "../message/read-head.ts";
import { answerShortly, statusText } from "../message/short-answer.ts";
import type { UpstreamAnswer } from "../message/upstream-answer.ts";
import type { Gateway } from "../request/context.ts";
import type { Lender } from "../request/contracts/credential-release.ts";
import { type ClientRequest, exchangeHttp } from "../request/http/http-carrier.ts";
import type { Arrived } from "../request/http/look-ahead.ts";
import type { Destination } from "../request/inspection/inspection.ts";
import type { Channel } from "../stream/channel.ts";
import { lingeringClose } from "../stream/lingering-close.ts";
import { PATIENCE } from "../stream/patience.ts";
import { QUEUED } from "../stream/queued-octets.ts";
import type { SessionTap } from "../stream/session-tap.ts";
import { askUpstream, type SideAnswer, type SideCall } from "../upstream/ask.ts";
import { boundTarget } from "../upstream/bound-targets.ts";
import { ClientGone } from "../upstream/forward.ts";
import { lookUpIssuer } from "../upstream/pinned-issuer.ts";
import type { UpstreamPool, UpstreamTarget } from "../upstream/pool.ts";
import { UpstreamError, unjudgedFailure } from "../upstream/upstream-error.ts";
import { answerHttp1, type ForwardedRequest, forwardHttp1, sendHttp1 } from "./http1-forward.ts";
import { recordNotServed } from "./record-splice.ts";

/** A request's destination, found and checked; or why there is none. */
export type Destined =
  | {
      readonly destination: Destination;
      /** The host as the upstream will read it from the Host field: the request is judged by it. */
      readonly host: string;
      /** Origin-form target. */
      readonly target: string;
      /** Made only when the request is forwarded. Throws UpstreamError. */
      readonly upstream: () => UpstreamTarget;
    }
  | { readonly status: number; readonly reason: string };

/** A client's connection over HTTP/1.1, as the tunnel or the listener knows it. */
export interface Http1Connection {
  readonly channel: Channel;
  readonly client: ClientIdentity | undefined;
  /** Names the client certificate that iddio adds on this connection; "" when it adds none. */
  readonly identity: string;
  readonly lender: Lender;
  /** For rows about requests that could not be read. */
  readonly host: string;
  readonly port: number;
  /** A peer that stops sending has left: true under TLS, where half-closing means nothing to HTTP. */
  readonly endMeansGone: boolean;
  /** Whether method and path of a request may appear in rows and log; absent: always. */
  mayTell?(head: WireRequestHead): boolean;
  destined(head: WireRequestHead): Destined | Promise<Destined>;
}

/** Upgrades that are judged as requests and then spliced; everything else is refused. */
const UPGRADES = new Set(["websocket", "spdy/3.1"]);
const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

/** Serves requests until either side is done. The caller closes the channel. */
export async function serveHttp1(gateway: Gateway, connection: Http1Connection): Promise<void> {
  const { channel } = connection;
  const parse = (bytes: Uint8Array, seen: number) => parseRequestHead(bytes, undefined, seen);
  const patience = { firstByteMs: PATIENCE.nextRequestMs, wholeMs: PATIENCE.headMs };
  for (;;) {
    let head: WireRequestHead | undefined;
    try {
      head = await readHead(channel, parse, patience);
    } catch (error) {
      if (!(error instanceof HeadError)) throw error;
      await refuseHead(gateway, connection, undefined, error.status, error.message);
      return;
    }
    if (head === undefined || !(await serveRequest(gateway, connection, head))) return;
  }
}

/** Serves one request whose head was read. True when the connection can carry another. */
export async function serveRequest(
  gateway: Gateway,
  connection: Http1Connection,
  head: WireRequestHead,
): Promise<boolean> {
  if (QUEUED.isFull)
    return refuseHead(gateway, connection, head, 503, "there is no memory at present for another request");
  const problem = headProblem(head);
  if (problem !== undefined) return refuseHead(gateway, connection, head, 400, problem);
  const answer = connection.destined(head);
  const destined = answer instanceof Promise ? await answer : answer;
  if ("reason" in destined) return refuseHead(gateway, connection, head, destined.status, destined.reason);
  const request = new Http1Request(gateway.pool, connection, head, destined);
  const protocols = gateway.inspection.protocolsOf(destined.destination);
  try {
    if (protocols.length === 0) await request.forward(() => {});
    else
      await exchangeHttp(gateway, protocols, request, () =>
        gateway.inspection.protocolsOf(destined.destination),
      );
  } catch (error) {
    if (error instanceof ClientGone) {
      if (error.message !== "")
        gateway.log.warn("request broken off", { host: connection.host, reason: error.message });
      return false;
    }
    if (!(error instanceof UpstreamError || error instanceof BodyError)) throw error;
    const isUpstream = error instanceof UpstreamError;
    const status = isUpstream ? error.status : 400;
    const reason = isUpstream ? unjudgedFailure(error) : error.message;
    if (protocols.length > 0) return refuseHead(gateway, connection, head, status, reason);
    recordNotServed(gateway, connection.client, destined.destination, status, reason);
    await answerShortly(connection.channel, status, reason);
    return false;
  }
  return request.isReusable;
}

function headProblem(head: WireRequestHead): string | undefined {
  if (head.method === "CONNECT") return "a CONNECT inside a tunnel is not served";
  const option = strayConnectionOption(head.headers);
  if (option !== undefined) return `the Connection field names '${option}', which iddio would have to remove`;
  if (head.upgrade === undefined) return undefined;
  if (!UPGRADES.has(head.upgrade)) return `an upgrade to '${head.upgrade}' is not supported`;
  const hasBody =
    head.framing.kind === "chunked" || (head.framing.kind === "length" && head.framing.length > 0);
  return hasBody ? "an upgrade with a body is not supported" : undefined;
}

/** Answers a request that cannot be judged, records it, and ends the connection. Always false. */
async function refuseHead(
  gateway: Gateway,
  connection: Http1Connection,
  head: WireRequestHead | undefined,
  status: number,
  reason: string,
): Promise<false> {
  const { channel, host, port, client } = connection;
  gateway.recorder.blocked({
    host,
    port,
    ...(head && (connection.mayTell?.(head) ?? true)
      ? { method: head.method, path: maskTarget(head.target) }
      : {}),
    status,
    reason,
    ...(client ? { client } : {}),
  });
  await answerShortly(channel, status, reason);
  return false;
}

function replyBytes(reply: RefusalReply, isClosing: boolean): Uint8Array {
  const headers = reply.headers.filter(([name]) => name.toLowerCase() !== "content-length");
  const length: [string, string] = ["Content-Length", String(reply.body.length)];
  const closing: [string, string][] = isClosing ? [["Connection", "close"]] : [];
  const head = serialiseResponseHead({
    status: reply.status,
    statusText: statusText(reply.status),
    headers: [...headers, length, ...closing],
  });
  return Buffer.concat([head, reply.body]);
}

/** One request on an HTTP/1.1 connection, as the exchange sees it. */
class Http1Request implements ClientRequest {
  readonly head: RequestHead;
  readonly client: ClientIdentity | undefined;
  readonly #connection: Http1Connection;
  readonly #wire: WireRequestHead;
  readonly #destined: Extract<Destined, { target: string }>;
  readonly #body: BodySource;
  readonly #pool: UpstreamPool;
  #hasContinued = false;
  #isReusable = false;

  constructor(
    pool: UpstreamPool,
    connection: Http1Connection,
    wire: WireRequestHead,
    destined: Extract<Destined, { target: string }>,
  ) {
    this.#pool = pool;
    const { port } = destined.destination;
    this.#connection = connection;
    this.#wire = wire;
    this.#destined = destined;
    this.client = connection.client;
    this.head = {
      method: wire.method,
      host: destined.host,
      port,
      target: destined.target,
      headers: wire.headers,
    };
    this.#body = new BodySource(connection.channel, wire.framing, passingTrailers);
  }

  get #authority(): string {
    const { host, port } = this.#destined.destination;
    return hostPort(host, port);
  }

  get hasBody(): boolean {
    return (
      this.#wire.framing.kind === "chunked" ||
      (this.#wire.framing.kind === "length" && this.#wire.framing.length > 0)
    );
  }

  get bodyLength(): number | undefined {
    const { framing } = this.#wire;
    return framing.kind === "length" ? framing.length : undefined;
  }

  get trailers(): readonly Header[] {
    return this.#body.trailers;
  }

  get isUpgrade(): boolean {
    return this.#wire.upgrade !== undefined;
  }

  /** Whether the connection stands at the start of another request. */
  get isReusable(): boolean {
    return this.#isReusable;
  }

  get lender(): Lender {
    return this.#connection.lender;
  }

  get identity(): string {
    return this.#connection.identity;
  }

  peekBody(limit: number, arrived?: Arrived): Promise<Uint8Array | undefined> {
    return this.#body.peek(
      limit,
      () => {
        if (!this.#wire.expectContinue || this.#hasContinued) return;
        this.#hasContinued = true;
        this.#connection.channel.write(CONTINUE);
      },
      arrived,
    );
  }

  onLeave(left: () => void): () => void {
    const { channel } = this.#connection;
    channel.onOver(left);
    return () => channel.offOver(left);
  }

  async refuse(reply: RefusalReply): Promise<void> {
    const { channel } = this.#connection;
    this.#isReusable = this.#body.isDone && this.#wire.keepAlive && !channel.isOver;
    channel.write(replyBytes(reply, !this.#isReusable));
    if (!this.#isReusable) await lingeringClose(channel);
  }

  keepConnection(): void {
    this.#isReusable = true;
  }

  ask(call: SideCall): Promise<SideAnswer> {
    const { channel } = this.#connection;
    const target = boundTarget(this.#pool, channel, this.#destined.upstream(), call.headers);
    return askUpstream(this.#pool, target, this.#authority, call);
  }

  async forward(
    answered: (status: number) => void,
    alteration?: Alteration,
    tap?: SessionTap,
  ): Promise<void> {
    await this.#isReadFor(alteration);
    return forwardHttp1(this.#forwarding(answered, alteration, tap));
  }

  async send(alteration?: Alteration): Promise<UpstreamAnswer> {
    await this.#isReadFor(alteration);
    return sendHttp1(this.#forwarding(() => {}, alteration));
  }

  answer(answer: UpstreamAnswer): Promise<void> {
    return answerHttp1(
      this.#forwarding(() => {}),
      answer,
    );
  }

  issuer(): Promise<string | undefined> {
    return lookUpIssuer(this.#pool, this.#destined.upstream());
  }

  async #isReadFor(alteration: Alteration | undefined): Promise<void> {
    if (alteration?.body !== undefined) while ((await this.#body.next()) !== undefined);
  }

  #forwarding(
    answered: (status: number) => void,
    alteration?: Alteration,
    tap?: SessionTap,
  ): ForwardedRequest {
    const { channel, endMeansGone } = this.#connection;
    return {
      alteration,
      tap,
      client: channel,
      endMeansGone,
      head: this.#wire,
      path: this.#destined.target,
      authority: this.#authority,
      body: this.#body,
      awaitsContinue: this.#wire.expectContinue && !this.#hasContinued,
      upstream: this.#destined.upstream,
      pool: this.#pool,
      answered,
      request: this,
    };
  }
}
