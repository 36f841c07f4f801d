// One request from an HTTP/1.1 client to an HTTP/1.1 upstream and the answer back, both
// streaming. Owns the order of things: what may be sent again, when 100 is passed on,
// when a connection may be used again, and that nothing broken ever looks complete.

import { type Header, headerValue } from "../model/request.ts";
import {
  parseResponseHead,
  serialiseRequestHead,
  serialiseResponseHead,
  type WireRequestHead,
  type WireResponseHead,
} from "../wire/http-head.ts";
import { BodyError, BodySource } from "./body-source.ts";
import type { Channel } from "./channel.ts";
import { endToEnd, sendMessage, writePieces } from "./http1-message.ts";
import { lingeringClose } from "./lingering-close.ts";
import { HeadError, readHead } from "./read-head.ts";
import { relay } from "./relay.ts";
import type { UpstreamConnection, UpstreamPool, UpstreamTarget } from "./upstream.ts";
import { UpstreamError } from "./upstream-error.ts";

/** The client left, or what it was getting broke half-way: there is nobody to answer. */
export class ClientGone extends Error {}

/** Everything one forwarding needs. */
export interface Forwarding {
  readonly client: Channel;
  readonly endMeansGone: boolean;
  readonly head: WireRequestHead;
  readonly target: string;
  /** Host and port as a Host field names them. */
  readonly authority: string;
  readonly body: BodySource;
  /** The client still waits for 100 Continue before it sends the body. */
  readonly awaitsContinue: boolean;
  readonly upstream: () => Promise<UpstreamTarget>;
  readonly pool: UpstreamPool;
  readonly answered: (status: number) => void;
}

/** An upstream that says nothing for as long as it likes: watches and long polls are quiet. */
const PATIENCE = { firstByteMs: undefined, wholeMs: 60_000 };
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
/** Interim answers before the final one; more is an attack or a fault. */
const MAX_INTERIM = 32;

/**
 * Forwards the request and relays the answer. True when the client's connection can carry another request.
 * Throws UpstreamError when no byte of an answer was relayed, ClientGone when the client cannot be answered.
 */
export async function forwardHttp1(forwarding: Forwarding): Promise<boolean> {
  const target = await forwarding.upstream();
  // Only a request without effect and without a body may ever be sent a second time.
  const isRepeatable =
    SAFE.has(forwarding.head.method) && forwarding.body.isDrained && !forwarding.head.upgrade;
  for (let mustBeNew = false; ; mustBeNew = true) {
    if (hasLeft(forwarding)) throw new ClientGone();
    const connection = await forwarding.pool.acquire(target, { isIdempotent: isRepeatable, mustBeNew });
    try {
      return await attempt(forwarding, connection);
    } catch (error) {
      connection.channel.destroy();
      const isStale = error instanceof UpstreamError && !error.hasAnswered && connection.isReused;
      if (isStale && isRepeatable) continue;
      throw error;
    }
  }
}

function hasLeft({ client, endMeansGone }: Forwarding): boolean {
  return client.isClosed || (endMeansGone && client.isOver);
}

async function attempt(forwarding: Forwarding, connection: UpstreamConnection): Promise<boolean> {
  const { client, head, body, endMeansGone } = forwarding;
  const upstream = connection.channel;
  const stopWatching = (endMeansGone ? client.onOver : client.onClosed).call(client, () =>
    upstream.destroy(),
  );
  let bodyProblem: unknown;
  const sent = sendMessage(upstream, requestBytes(forwarding), body).catch((error) => {
    bodyProblem = error;
    upstream.destroy();
  });
  try {
    const response = await readFinalHead(forwarding, upstream, () => bodyProblem);
    forwarding.answered(response.status);
    if (response.status === 101) {
      stopWatching();
      client.write(responseBytes(response, forwarding, true));
      await relay(client, upstream);
      throw new ClientGone();
    }
    const answer = new BodySource(upstream, response.framing);
    const keepAlive = mayKeepClient(forwarding, response);
    await relayAnswer(forwarding, response, answer, keepAlive);
    const isComplete = body.isDrained && answer.isDrained;
    if (isComplete) await sent;
    stopWatching();
    if (isComplete && response.keepAlive && bodyProblem === undefined) forwarding.pool.release(connection);
    else upstream.destroy();
    if (head.upgrade === undefined && isComplete && keepAlive) return true;
    await lingeringClose(client);
    return false;
  } finally {
    stopWatching();
  }
}

function requestBytes(forwarding: Forwarding): Uint8Array {
  const { head, target, awaitsContinue } = forwarding;
  const headers = endToEnd(head.headers).filter(
    ([name]) => awaitsContinue || name.length !== 6 || name.toLowerCase() !== "expect",
  );
  // HTTP/1.0 may leave Host out; what is sent on is HTTP/1.1.
  if (head.authority === undefined) headers.unshift(["Host", forwarding.authority]);
  if (head.upgrade !== undefined) {
    headers.push(["Connection", "Upgrade"]);
    headers.push(["Upgrade", headerValue(head.headers, "upgrade") ?? head.upgrade]);
  }
  return serialiseRequestHead({ method: head.method, target, headers });
}

/** The final response head; interim ones are passed on. Throws UpstreamError. */
async function readFinalHead(
  forwarding: Forwarding,
  upstream: Channel,
  bodyProblem: () => unknown,
): Promise<WireResponseHead> {
  const { head, client } = forwarding;
  for (let interim = 0; ; interim += 1) {
    const response = await readResponseHead(head.method, upstream, interim > 0).catch((error) => {
      if (bodyProblem() !== undefined) throw bodyProblem();
      throw hasLeft(forwarding) ? new ClientGone() : error;
    });
    if (response.status === 101) {
      if (head.upgrade !== undefined && response.upgrade === head.upgrade) return response;
      throw new UpstreamError("broken", "the upstream switched protocols unasked", { hasAnswered: true });
    }
    if (response.status >= 200) return response;
    if (interim >= MAX_INTERIM)
      throw new UpstreamError("broken", "the upstream sent too many interim answers", { hasAnswered: true });
    const isWanted = response.status === 100 ? forwarding.awaitsContinue : head.version === "1.1";
    if (isWanted) client.write(serialiseResponseHead({ ...response, headers: endToEnd(response.headers) }));
  }
}

async function readResponseHead(
  method: string,
  upstream: Channel,
  hasAnswered: boolean,
): Promise<WireResponseHead> {
  const parse = (bytes: Uint8Array, seen: number) => parseResponseHead(bytes, method, undefined, seen);
  let head: WireResponseHead | undefined;
  try {
    head = await readHead(upstream, parse, PATIENCE);
  } catch (error) {
    if (!(error instanceof HeadError)) throw error;
    throw new UpstreamError("broken", `the upstream's answer is malformed: ${error.message}`, {
      hasAnswered: true,
    });
  }
  if (head === undefined)
    throw new UpstreamError("broken", "the upstream closed the connection without an answer", {
      hasAnswered,
    });
  return head;
}

/** Whether the client's connection outlives this answer. */
function mayKeepClient({ head, body }: Forwarding, response: WireResponseHead): boolean {
  if (!head.keepAlive || response.framing.kind === "until-close") return false;
  if (head.version === "1.0" && response.framing.kind === "chunked") return false;
  // Refused before the body was sent: closing is the only way to stop the client from sending it.
  return body.isDone || response.status < 400;
}

function responseBytes(response: WireResponseHead, { head }: Forwarding, keepAlive: boolean): Uint8Array {
  let headers: Header[] = endToEnd(response.headers);
  if (response.status === 101) {
    headers.push(["Connection", "Upgrade"]);
    headers.push(["Upgrade", headerValue(response.headers, "upgrade") ?? ""]);
  } else if (!keepAlive) headers.push(["Connection", "close"]);
  else if (head.version === "1.0") headers.push(["Connection", "keep-alive"]);
  // An HTTP/1.0 client knows no chunks; its answer ends with the connection.
  if (head.version === "1.0")
    headers = headers.filter(([name]) => name.toLowerCase() !== "transfer-encoding");
  return serialiseResponseHead({ ...response, headers });
}

/** Sends the answer to the client as it comes. On a broken answer the client's connection is cut, never ended. */
async function relayAnswer(
  forwarding: Forwarding,
  response: WireResponseHead,
  answer: BodySource,
  keepAlive: boolean,
): Promise<void> {
  const { client, head } = forwarding;
  const bytes = responseBytes(response, forwarding, keepAlive);
  const isChunked = response.framing.kind === "chunked" && head.version === "1.1";
  try {
    if (isChunked || response.framing.kind !== "chunked") return await sendMessage(client, bytes, answer);
    client.write(bytes);
    for (let pieces = await answer.next(); pieces; pieces = await answer.next())
      await writePieces(client, pieces, false);
  } catch (error) {
    client.destroy();
    if (error instanceof BodyError)
      throw new ClientGone("the upstream's answer was cut off", { cause: error });
    throw error;
  }
}
