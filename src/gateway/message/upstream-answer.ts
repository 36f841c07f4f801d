// A request to an upstream and its answer, whatever HTTP version carries either. The engines
// towards clients know only these shapes; the upstream's version is decided behind them.

import type { Header } from "../../model/request.ts";
import type { Framing } from "../../wire/http1/head.ts";
import type { Channel } from "../stream/channel.ts";

/** A message body being read, piece by piece. */
export interface BodyReader {
  /** How the body is delimited; where the version has no framing, `chunked` stands for an unknown length. */
  readonly framing: Framing;
  /** Every byte was read from the connection. */
  readonly isDone: boolean;
  /** `next` would return undefined without waiting. */
  readonly isDrained: boolean;
  /** The trailer fields; complete once `next` returned undefined. */
  readonly trailers: readonly Header[];
  /** The next pieces, or undefined at the end. Throws BodyError when the body breaks. */
  next(): Promise<readonly Uint8Array[] | undefined>;
  /** Returns the pieces that are there without waiting, or undefined when there are none. Throws BodyError. */
  nextBuffered(): readonly Uint8Array[] | undefined;
}

/** A request on its way out. */
export interface OutgoingRequest {
  readonly method: string;
  /** Origin form, byte for byte as the client sent it. */
  readonly target: string;
  readonly scheme: "https" | "http";
  /** Host and port as the client named them. */
  readonly authority: string;
  /** End-to-end fields in the client's order, Host among them. */
  readonly headers: readonly Header[];
  readonly body: BodyReader;
  /** The protocol to switch to, lower case, with its spelling in `headers` removed; only HTTP/1.1 can. */
  readonly upgrade: { readonly token: string; readonly spelling: string } | undefined;
  /** The client speaks HTTP/2: trailers and interleaved bodies survive best on the same. */
  readonly prefersHttp2: boolean;
  /** The client waits for 100 before it sends the body; the upstream's 100 is passed on. */
  readonly awaitsContinue: boolean;
  /** The whole head as HTTP/1.1, where the client's own bytes can be sent on as they came. */
  readonly verbatim?: Uint8Array | undefined;
  /** Passes on an interim answer (1xx but 101). */
  interim(status: number, headers: readonly Header[]): void;
}

/** The final answer to a request. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly statusText: string;
  /** As sent; hop-by-hop fields are the reader's to leave out. */
  readonly headers: readonly Header[];
  readonly body: BodyReader;
  /** The whole head as HTTP/1.1, where the upstream's own bytes can be passed on as they came. */
  readonly verbatim?: Uint8Array | undefined;
  /** The connection behind a 101, to be relayed. */
  readonly upgraded: Channel | undefined;
  /** Frees the upstream: kept for others if request and answer are complete, else closed or reset. */
  finish(): void;
}
