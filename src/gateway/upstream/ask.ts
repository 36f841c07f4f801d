// One request of iddio's own to the upstream of a client's request, over the same pool: small, read
// whole, bounded in time and octets. The caller decides what may be asked.

import type { Header } from "../../model/request.ts";
import { headerValue } from "../../model/request.ts";
import { BytesBody } from "../message/bytes-body.ts";
import type { OutgoingRequest } from "../message/upstream-answer.ts";
import { ClientGone, forwardUpstream } from "./forward.ts";
import type { LeavingClient } from "./lease.ts";
import type { UpstreamPool, UpstreamTarget } from "./pool.ts";
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
    const answer = await forwardUpstream(pool, target, outgoing, new Until(signal));
    try {
      const pieces: Uint8Array[] = [];
      let size = 0;
      for (let more = await answer.body.next(); more !== undefined; more = await answer.body.next())
        for (const piece of more) {
          size += piece.length;
          if (size > octets) throw new UpstreamError("broken", `the answer is longer than ${octets} octets`);
          pieces.push(piece);
        }
      if (headerValue(answer.headers, "content-encoding") !== undefined)
        throw new UpstreamError("broken", "the answer has a content coding that nobody asked for");
      return { status: answer.status, headers: answer.headers, body: Buffer.concat(pieces, size) };
    } finally {
      answer.finish();
    }
  } catch (error) {
    if (signal.aborted)
      throw new UpstreamError("broken", "there was no whole answer in time", { cause: error });
    if (error instanceof ClientGone) throw new UpstreamError("broken", "it was broken off", { cause: error });
    throw error;
  }
}

/** Stops waiting when the signal is aborted. */
class Until implements LeavingClient {
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get hasLeft(): boolean {
    return this.#signal.aborted;
  }

  onLeave(left: () => void): void {
    if (this.#signal.aborted) left();
    else this.#signal.addEventListener("abort", left);
  }

  offLeave(left: () => void): void {
    this.#signal.removeEventListener("abort", left);
  }
}
