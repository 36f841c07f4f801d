// One request to an upstream over HTTP/1.1 and the head of its answer. Owns the order of
// things on that connection: what follows the request, what may come before the final
// head, and that a connection is kept only when not a byte is left over on either side.

import type { Header } from "../model/request.ts";
import { parseResponseHead, serialiseRequestHead, type WireResponseHead } from "../wire/http-head.ts";
import { BodySource } from "./body-source.ts";
import type { Channel } from "./channel.ts";
import { endToEnd, sendMessage } from "./http1-message.ts";
import { PATIENCE } from "./patience.ts";
import { HeadError, readHead } from "./read-head.ts";
import type { OutgoingRequest, UpstreamAnswer } from "./upstream-answer.ts";
import { UpstreamError } from "./upstream-error.ts";

/** An upstream that says nothing for as long as it likes: watches and long polls are quiet. */
const ANSWER = () => ({ firstByteMs: undefined, wholeMs: PATIENCE.headMs });
/** Interim answers before the final one; more is an attack or a fault. */
const MAX_INTERIM = 32;

/**
 * Sends the request and resolves with the answer's head while both bodies may still be flowing. `release`
 * is called by `finish` when the connection can carry another request; destroying `upstream` cuts it. Throws
 * UpstreamError, or what broke the request's body; the connection is then closed.
 */
export async function requestHttp1(
  upstream: Channel,
  request: OutgoingRequest,
  release: () => void,
): Promise<UpstreamAnswer> {
  let problem: unknown;
  const sent = sendMessage(upstream, headBytes(upstream, request), request.body).catch((error) => {
    problem = error;
    upstream.destroy();
  });
  try {
    const head = await readFinalHead(request, upstream);
    return answerOf(request, upstream, head, sent, release);
  } catch (error) {
    upstream.destroy();
    throw problem ?? error;
  }
}

function answerOf(
  request: OutgoingRequest,
  upstream: Channel,
  head: WireResponseHead,
  sent: Promise<void>,
  release: () => void,
): UpstreamAnswer {
  const body = new BodySource(upstream, head.framing);
  return {
    status: head.status,
    statusText: head.statusText,
    headers: head.headers,
    body,
    upgraded: head.status === 101 ? upstream : undefined,
    finish: () => {
      if (head.status === 101) return;
      if (!request.body.isDrained || !body.isDrained || !head.keepAlive) upstream.destroy();
      else void sent.then(release);
    },
  };
}

/** What HTTP/2 can say and HTTP/1.1 cannot is no request for this upstream. */
function headBytes(upstream: Channel, request: OutgoingRequest): Uint8Array {
  try {
    return requestBytes(request);
  } catch (error) {
    upstream.destroy();
    throw new UpstreamError("broken", "the request cannot be written as HTTP/1.1", { cause: error });
  }
}

function requestBytes({
  method,
  target,
  headers,
  body,
  upgrade,
  awaitsContinue,
}: OutgoingRequest): Uint8Array {
  const fields: Header[] = endToEnd(headers).filter(
    ([name]) => awaitsContinue || name.length !== 6 || name.toLowerCase() !== "expect",
  );
  const isFramed = fields.some(([name]) => name.length === 17 && name.toLowerCase() === "transfer-encoding");
  if (body.framing.kind === "chunked" && !isFramed) fields.push(["Transfer-Encoding", "chunked"]);
  if (upgrade) fields.push(["Connection", "Upgrade"], ["Upgrade", upgrade.spelling]);
  return serialiseRequestHead({ method, target, headers: fields });
}

/** The final response head; interim ones are passed on. Throws UpstreamError. */
async function readFinalHead(request: OutgoingRequest, upstream: Channel): Promise<WireResponseHead> {
  for (let interim = 0; ; interim += 1) {
    const head = await readResponseHead(request.method, upstream, interim > 0);
    if (head.status === 101) {
      if (request.upgrade !== undefined && head.upgrade === request.upgrade.token) return head;
      throw new UpstreamError("broken", "the upstream switched protocols unasked", { hasAnswered: true });
    }
    if (head.status >= 200) return head;
    if (interim >= MAX_INTERIM)
      throw new UpstreamError("broken", "the upstream sent too many interim answers", { hasAnswered: true });
    if (head.status !== 100 || request.awaitsContinue) request.interim(head.status, endToEnd(head.headers));
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
    head = await readHead(upstream, parse, ANSWER());
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
