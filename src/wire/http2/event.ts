// The events that an HTTP/2 connection reports to its driver, and its bounds. Plain values: an
// event refers to nothing in the engine but the bytes that the engine was given.

import type { Header } from "../../model/request.ts";

/** Bounds that we set the peer. `maxHeaderListBytes` counts as RFC 9113 6.5.2 does: 32 octets a field besides its own. */
export interface Http2Limits {
  readonly maxConcurrentStreams: number;
  readonly maxHeaderListBytes: number;
  readonly maxFrameSize: number;
  /** Octets a stream may send before its reader has taken any. */
  readonly initialWindow: number;
  /** The same for all streams together. */
  readonly connectionWindow: number;
}

/** Wide enough for a transfer at full speed over 100 ms, narrow enough for many streams at once. */
export const DEFAULT_HTTP2_LIMITS: Http2Limits = {
  maxConcurrentStreams: 100,
  maxHeaderListBytes: 65_536,
  maxFrameSize: 16_384,
  initialWindow: 1_048_576,
  connectionWindow: 16_777_216,
};

/**
 * In the order in which things happened. headers: pseudo fields first, values one character an octet;
 * isInterim: 1xx, in the client's role. data: a view of the bytes that were given, and how much of the
 * windows `consumed` is to give back. reset: the peer's, or ours because of the peer's fault (then with the
 * reason); the stream is over, and REFUSED_STREAM means that it was never looked at. refused: a request that
 * was answered on the spot. drain: a stream that was held back may go on. error: the connection is over, all
 * its streams with it.
 */
export type Http2Event =
  | {
      readonly kind: "headers";
      readonly streamId: number;
      readonly headers: readonly Header[];
      readonly endStream: boolean;
      readonly isTrailers: boolean;
      readonly isInterim: boolean;
    }
  | {
      readonly kind: "data";
      readonly streamId: number;
      readonly bytes: Uint8Array;
      readonly flowBytes: number;
      readonly endStream: boolean;
    }
  | {
      readonly kind: "reset";
      readonly streamId: number;
      readonly code: number;
      readonly isOurs: boolean;
      readonly reason: string;
    }
  | { readonly kind: "refused"; readonly streamId: number; readonly reason: string }
  | { readonly kind: "drain"; readonly streamId: number }
  | { readonly kind: "goaway"; readonly lastStreamId: number; readonly code: number }
  | { readonly kind: "settings" }
  | { readonly kind: "error"; readonly code: number; readonly reason: string };
