// Gets one request an answer from its upstream: a connection from the pool, one more try
// where that is safe, and an end when the client leaves. Knows no client's HTTP version.

import type { Channel } from "./channel.ts";
import type { UpstreamConnection, UpstreamPool, UpstreamTarget } from "./upstream.ts";
import type { OutgoingRequest, UpstreamAnswer } from "./upstream-answer.ts";
import { UpstreamError } from "./upstream-error.ts";
import { requestHttp1 } from "./upstream-http1.ts";

/** The client left, or what it was getting broke half-way: there is nobody to answer. */
export class ClientGone extends Error {}

/** What forwarding must know of the client. */
export interface LeavingClient {
  readonly hasLeft: boolean;
  /** Calls back when the client leaves; returns the way to stop listening. */
  onLeave(left: () => void): () => void;
}

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
  for (let mustBeNew = false; ; mustBeNew = true) {
    if (client.hasLeft) throw new ClientGone();
    const connection = await pool.acquire(target, { isIdempotent: isRepeatable, mustBeNew });
    try {
      return await attempt(pool, connection, request, client);
    } catch (error) {
      const isStale = error instanceof UpstreamError && !error.hasAnswered && connection.isReused;
      if (client.hasLeft) throw new ClientGone();
      if (!isStale || !isRepeatable) throw error;
    }
  }
}

async function attempt(
  pool: UpstreamPool,
  connection: UpstreamConnection,
  request: OutgoingRequest,
  client: LeavingClient,
): Promise<UpstreamAnswer> {
  const upstream: Channel = connection.channel;
  const stopListening = client.onLeave(() => upstream.destroy());
  try {
    const answer = await requestHttp1(upstream, request, () => pool.release(connection));
    return {
      ...answer,
      finish() {
        stopListening();
        answer.finish();
      },
    };
  } catch (error) {
    stopListening();
    throw error;
  }
}
