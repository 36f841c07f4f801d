// Gets one request an answer from its upstream: a connection from the pool, one more try
// where that is safe, and an end when the client leaves. Knows no client's HTTP version.

import { BodyError } from "../message/body-source.ts";
import type { OutgoingRequest, UpstreamAnswer } from "../message/upstream-answer.ts";
import type { HttpVersion } from "./dial/dial.ts";
import { requestHttp1 } from "./http1.ts";
import { requestHttp2 } from "./http2.ts";
import { Lease, type LeavingClient } from "./lease.ts";
import type { UpstreamPool, UpstreamTarget } from "./pool.ts";
import { UpstreamError } from "./upstream-error.ts";

/** The client left, or its answer broke half-way: there is nobody to answer. */
export class ClientGone extends Error {}

/**
 * Takes the part of an answer's body that arrived with its head, before any of it reaches the client. A body
 * that is malformed there makes the whole answer an error. Throws UpstreamError.
 */
export function firstPieces(answer: UpstreamAnswer): readonly Uint8Array[] | undefined {
  if (answer.upgraded !== undefined || answer.body.isDrained) return undefined;
  try {
    return answer.body.nextBuffered();
  } catch (error) {
    answer.finish();
    if (!(error instanceof BodyError)) throw error;
    const reason = `the body of the upstream's answer is malformed: ${error.message}`;
    throw new UpstreamError("broken", reason, { cause: error, hasAnswered: true });
  }
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
    const needs = { versions, isIdempotent: isRepeatable, mustBeNew };
    const connection = pool.kept(target, needs) ?? (await pool.acquire(target, needs));
    if (client.hasLeft) {
      // One approval forwards one request to a client that waits; this one left while we dialled.
      pool.release(connection);
      throw new ClientGone();
    }
    const lease = new Lease(pool, connection, client);
    try {
      return connection.version === "h2"
        ? await requestHttp2(connection.session, request, lease)
        : await requestHttp1(connection.channel, request, lease);
    } catch (error) {
      lease.forgetClient();
      if (client.hasLeft) throw new ClientGone();
      if (!(error instanceof UpstreamError) || error.hasAnswered || tries >= MAX_TRIES) throw error;
      if (error.wasUnprocessed) continue;
      if (!connection.isReused || !isRepeatable) throw error;
      mustBeNew = true;
    }
  }
}
