// One request of iddio's own to the upstream of a client's request, over the same pool: small, read
// whole, bounded in time and octets. The caller decides what may be asked.

import type { Header } from "../../model/request.ts";
import { headerValue } from "../../model/request.ts";
import { piecesOf, wholeOf } from "../message/body-pieces.ts";
import { BodyError } from "../message/body-source.ts";
import { BytesBody } from "../message/bytes-body.ts";
import type { OutgoingRequest } from "../message/upstream-answer.ts";
import { ClientGone, forwardUpstream } from "./forward.ts";
import { withIssuer } from "./pinned-issuer.ts";
import type { UpstreamPool, UpstreamTarget } from "./pool.ts";
import { Until } from "./until.ts";
import { UpstreamError } from "./upstream-error.ts";

/** A request that the daemon itself sends over the client's upstream connection. */
export interface SideCall {
  readonly method: string;
  /** Origin form. */
  readonly target: string;
  /** End-to-end fields, without Host and without a length. */
  readonly headers: readonly Header[];
  readonly body?: Uint8Array;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Octets of the answer that are read; a longer one throws. */
  readonly octets: number;
  /** Who must have issued the upstream's certificate. */
  readonly issuer?: string | undefined;
}

/** The whole answer. */
export interface SideAnswer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
}

/** Sends one request and reads its answer. Throws UpstreamError, also when the time or the octets do not suffice. */
export async function askUpstream(
  pool: UpstreamPool,
  target: UpstreamTarget,
  authority: string,
  call: SideCall,
): Promise<SideAnswer> {
  const { method, signal, octets } = call;
  const length: Header[] = call.body === undefined ? [] : [["Content-Length", String(call.body.length)]];
  const outgoing: OutgoingRequest = {
    method,
    target: call.target,
    scheme: target.serverName === undefined ? "http" : "https",
    authority,
    headers: [["Host", authority], ...call.headers, ...length],
    body: new BytesBody(call.body),
    upgrade: undefined,
    prefersHttp2: true,
    awaitsContinue: false,
    interim() {},
  };
  try {
    const answer = await forwardUpstream(pool, withIssuer(target, call.issuer), outgoing, new Until(signal));
    try {
      const body = await wholeOf(piecesOf(answer.body), octets);
      if (headerValue(answer.headers, "content-encoding") !== undefined)
        throw new UpstreamError("broken", "the answer has a content coding that nobody asked for");
      return { status: answer.status, headers: answer.headers, body };
    } finally {
      answer.finish();
    }
  } catch (error) {
    if (signal.aborted)
      throw new UpstreamError("broken", "there was no whole answer in time", { cause: error });
    if (error instanceof ClientGone) throw new UpstreamError("broken", "it was broken off", { cause: error });
    if (error instanceof BodyError) throw new UpstreamError("broken", error.message, { cause: error });
    throw error;
  }
}
