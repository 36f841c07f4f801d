// Gets one request an answer from its upstream: a connection from the pool, one more try
// where that is safe, and an end when the client leaves. Knows no client's HTTP version.

import type { HttpVersion } from "./dial.ts";
import type { UpstreamConnection, UpstreamPool, UpstreamTarget } from "./upstream.ts";
import type { OutgoingRequest, UpstreamAnswer } from "./upstream-answer.ts";
import { UpstreamError } from "./upstream-error.ts";
import { requestHttp1 } from "./upstream-http1.ts";
import { requestHttp2 } from "./upstream-http2.ts";

/** The client left, or what it was getting broke half-way: there is nobody to answer. */
export class ClientGone extends Error {}

/** What forwarding must know of the client. */
export interface LeavingClient {
  readonly hasLeft: boolean;
  /** Calls back when the client leaves; returns the way to stop listening. */
  onLeave(left: () => void): () => void;
}

/** Over HTTP/2 nothing can be upgraded, and an HTTP/1.1 client gains nothing from it. */
function versionsFor(request: OutgoingRequest): readonly HttpVersion[] {
  return request.prefersHttp2 && request.upgrade === undefined ? ["h2", "http/1.1"] : ["http/1.1"];
}

/** A burst may find several connections taken one after the other. */
const MAX_TRIES = 8;
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Sends the request and resolves with the answer. When the client leaves before the answer's `finish`, the
 * upstream's side is cut. Throws UpstreamError when no byte of an answer came, ClientGone when nobody waits.
 */
export async function forwardUpstream(
  pool: UpstreamPool,
  target: UpstreamTarget,
  request: OutgoingRequest,
  client: LeavingClient,
): Promise<UpstreamAnswer> {
  // Only a request without effect and without a body may ever be sent a second time.
  const isRepeatable = SAFE.has(request.method) && request.body.isDrained && request.upgrade === undefined;
  let mustBeNew = false;
  for (let tries = 1; ; tries += 1) {
    if (client.hasLeft) throw new ClientGone();
    const versions = versionsFor(request);
    const connection = await pool.acquire(target, { versions, isIdempotent: isRepeatable, mustBeNew });
    if (client.hasLeft) {
      // One approval forwards one request to a client that waits; this one left while we dialled.
      pool.release(connection);
      throw new ClientGone();
    }
    try {
      return await attempt(pool, connection, request, client);
    } catch (error) {
      if (client.hasLeft) throw new ClientGone();
      if (!(error instanceof UpstreamError) || error.hasAnswered || tries >= MAX_TRIES) throw error;
      if (error.wasUnprocessed) continue;
      if (!connection.isReused || !isRepeatable) throw error;
      mustBeNew = true;
    }
  }
}

function attempt(
  pool: UpstreamPool,
  connection: UpstreamConnection,
  request: OutgoingRequest,
  client: LeavingClient,
): Promise<UpstreamAnswer> {
  if (connection.version === "h2") {
    const abort = new AbortController();
    const stopListening = client.onLeave(() => abort.abort());
    return untilFinished(requestHttp2(connection.session, request, abort.signal), stopListening);
  }
  const { channel } = connection;
  const stopListening = client.onLeave(() => channel.destroy());
  return untilFinished(
    requestHttp1(channel, request, () => pool.release(connection)),
    stopListening,
  );
}

/** Stops listening for the client's leaving once the answer is finished with, or there is none. */
async function untilFinished(
  asked: Promise<UpstreamAnswer>,
  stopListening: () => void,
): Promise<UpstreamAnswer> {
  try {
    const answer = await asked;
    const { finish } = answer;
    return Object.assign(answer, {
      finish() {
        stopListening();
        finish();
      },
    });
  } catch (error) {
    stopListening();
    throw error;
  }
}
