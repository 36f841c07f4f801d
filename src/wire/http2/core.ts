// The state of one HTTP/2 connection that its two halves share: the streams, the windows, what ends a
// stream and what ends the connection. http2-receiver.ts changes it by what the peer sends,
// http2-connection.ts by what we are told to send; neither keeps state of streams of its own.

import type { Header } from "../../model/request.ts";
import { HpackEncoder } from "../hpack/encoder.ts";
import { Http2ClosedStreams } from "./closed-streams.ts";
import { H2_ERROR } from "./error-code.ts";
import type { Http2Event, Http2Limits } from "./event.ts";
import { fault, type Http2Fault } from "./fault.ts";
import { FRAME, Http2Output, PREFACE } from "./frame.ts";
import { Http2Patience } from "./patience.ts";
import { DEFAULT_WINDOW, Http2Sender, type Http2SenderHost } from "./sender.ts";
import { Http2PeerSettings, SETTING, serialiseSettings } from "./settings.ts";
import { Http2Stream } from "./stream.ts";

/** The largest stream id; as a GOAWAY's last stream it means "soon" and names none. */
export const MAX_STREAM_ID = 0x7fffffff;
/** Until the server says how many streams it takes, as many as nearly all do. */
const CONCURRENT_AT_FIRST = 100;
/** RST_STREAM, WINDOW_UPDATE. */
const SMALL_REPLY_BYTES = 13;

const OUT_OF_PATIENCE = fault(H2_ERROR.ENHANCE_YOUR_CALM, "more frames than a message needs");

/** What both halves of a connection work on. */
export class Http2Core implements Http2SenderHost {
  readonly isServer: boolean;
  readonly limits: Http2Limits;
  readonly output = new Http2Output();
  readonly encoder = new HpackEncoder();
  readonly sender: Http2Sender = new Http2Sender(this, this.output, this.encoder);
  readonly streams = new Map<number, Http2Stream>();
  readonly closed = new Http2ClosedStreams();
  readonly peer = new Http2PeerSettings();
  readonly patience: Http2Patience;
  events: Http2Event[] = [];
  /** After a connection error: nothing is read or sent. */
  isFailed = false;
  /** The highest stream the peer has opened. */
  highestPeerId = 0;
  /** The next stream that we open. */
  nextId = 1;
  /** The last stream of the peer's that we said we would serve; undefined before we sent GOAWAY. */
  goAwaySent: number | undefined;
  /** The last stream of ours that the peer will serve. */
  goAwayReceived: number | undefined;
  hasPeerSettings = false;
  /** What the peer takes its streams' windows to be: ours only once it has acknowledged our SETTINGS. */
  initialReceiveWindow = DEFAULT_WINDOW;
  unansweredPings = 0;
  readonly #connectionWindow: number;
  #receiveWindow: number;
  #unreturned = 0;

  constructor(isServer: boolean, limits: Http2Limits) {
    this.isServer = isServer;
    this.limits = limits;
    this.patience = new Http2Patience(limits.maxConcurrentStreams * 2);
    this.#connectionWindow = Math.max(limits.connectionWindow, DEFAULT_WINDOW);
    this.#receiveWindow = this.#connectionWindow;
    this.#greet();
  }

  #greet(): void {
    const { limits, output } = this;
    if (!this.isServer) output.octets(PREFACE);
    const settings = serialiseSettings([
      this.isServer
        ? [SETTING.MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams]
        : [SETTING.ENABLE_PUSH, 0],
      [SETTING.INITIAL_WINDOW_SIZE, limits.initialWindow],
      [SETTING.MAX_FRAME_SIZE, limits.maxFrameSize],
      [SETTING.MAX_HEADER_LIST_SIZE, limits.maxHeaderListBytes],
    ]);
    output.frame(FRAME.SETTINGS, 0, 0, settings, 0, settings.length);
    if (this.#connectionWindow > DEFAULT_WINDOW)
      output.numberFrame(FRAME.WINDOW_UPDATE, 0, this.#connectionWindow - DEFAULT_WINDOW);
  }

  /** Our SETTINGS hold from here on, for the streams that are open too. */
  onSettingsAcknowledged(): void {
    const change = this.limits.initialWindow - this.initialReceiveWindow;
    this.initialReceiveWindow = this.limits.initialWindow;
    for (const stream of this.streams.values()) {
      stream.receiveWindow += change;
      // What a wider window made too little to give back may be most of a narrower one.
      this.returnToStream(stream, 0);
    }
  }

  /** How many streams we may have open at once. */
  get maxOpen(): number {
    return this.hasPeerSettings ? this.peer.maxConcurrentStreams : CONCURRENT_AT_FIRST;
  }

  /** Nobody has used this id: frames on it, HEADERS aside, are an error. */
  isIdle(id: number): boolean {
    if ((id & 1) === 0) return true;
    return this.isServer ? id > this.highestPeerId : id >= this.nextId;
  }

  addStream(id: number): Http2Stream {
    const stream = new Http2Stream(id, this.sender.initialWindow, this.initialReceiveWindow);
    this.streams.set(id, stream);
    return stream;
  }

  onRemoteEnd(stream: Http2Stream): void {
    stream.isRemoteEnded = true;
    if (stream.isLocalEnded) this.#complete(stream);
  }

  onLocalEnd(stream: Http2Stream): void {
    if (stream.isRemoteEnded) this.#complete(stream);
  }

  #complete(stream: Http2Stream): void {
    this.streams.delete(stream.id);
    this.closed.add(stream.id, "ended");
    if (stream.hasRemoteHead) this.patience.earnReset();
  }

  onDrain(stream: Http2Stream): void {
    this.events.push({ kind: "drain", streamId: stream.id });
  }

  onDataSent(length: number, isDribble: boolean): void {
    if (isDribble) this.patience.spend(1);
    // A peer may well open two windows for each frame.
    else this.patience.earn(4 + (length >> 10));
  }

  /** A stream ends at once; the caller says whether the peer is told and whether our side is. */
  drop(stream: Http2Stream, ending: "reset-by-peer" | "reset-by-us"): void {
    stream.isGone = true;
    this.sender.forget(stream);
    this.streams.delete(stream.id);
    this.closed.add(stream.id, ending);
  }

  /** Tells the peer that a stream is over. */
  sendReset(streamId: number, code: number): void {
    this.output.numberFrame(FRAME.RST_STREAM, streamId, code);
  }

  /** A stream error (RFC 9113 5.4.2): what the peer did ends the stream and nothing else. */
  failStream(streamId: number, code: number, reason: string): void {
    this.sendReset(streamId, code);
    this.patience.onReply(SMALL_REPLY_BYTES);
    if (this.isServer) this.patience.spendReset();
    const stream = this.streams.get(streamId);
    if (stream === undefined) this.closed.add(streamId, "reset-by-us");
    else this.drop(stream, "reset-by-us");
    this.events.push({ kind: "reset", streamId, code, isOurs: true, reason });
  }

  /** A connection error ends everything; a second one changes nothing. */
  fail({ code, reason }: Http2Fault): void {
    if (this.isFailed) return;
    this.isFailed = true;
    this.output.goAway(Math.min(this.highestPeerId, this.goAwaySent ?? MAX_STREAM_ID), code, reason);
    for (const stream of this.streams.values()) {
      stream.isGone = true;
      this.sender.forget(stream);
    }
    this.streams.clear();
    this.events.push({ kind: "error", code, reason });
  }

  /** Ends the connection when the peer has asked too much of it. */
  checkPatience(): void {
    if (this.patience.isSpent) this.fail(OUT_OF_PATIENCE);
  }

  /** Takes DATA, padding included, off the connection's window; false when it was not open so far. */
  receiveOnConnection(octets: number): boolean {
    this.#receiveWindow -= octets;
    return this.#receiveWindow >= 0;
  }

  /** Octets of DATA that have come and that no reader has given back yet. */
  get unreadOctets(): number {
    return this.#connectionWindow - this.#receiveWindow - this.#unreturned;
  }

  /** Gives octets back to the connection's window, in steps of half of it. */
  returnToConnection(octets: number): void {
    const most = this.#connectionWindow - this.#receiveWindow;
    this.#unreturned = Math.min(most, this.#unreturned + octets);
    if (this.#unreturned * 2 < this.#connectionWindow) return;
    this.output.numberFrame(FRAME.WINDOW_UPDATE, 0, this.#unreturned);
    this.#receiveWindow += this.#unreturned;
    this.#unreturned = 0;
  }

  /** The same for a stream's window. */
  returnToStream(stream: Http2Stream, octets: number): void {
    if (stream.isRemoteEnded) return;
    const most = this.initialReceiveWindow - stream.receiveWindow;
    stream.unreturned = Math.min(most, stream.unreturned + octets);
    if (stream.unreturned <= 0 || stream.unreturned * 2 < this.initialReceiveWindow) return;
    this.output.numberFrame(FRAME.WINDOW_UPDATE, stream.id, stream.unreturned);
    stream.receiveWindow += stream.unreturned;
    stream.unreturned = 0;
  }

  /** Answers a request on the spot; its stream is never shown to anyone. */
  answer(streamId: number, headers: readonly Header[], isRequestEnded: boolean): void {
    const stream = this.addStream(streamId);
    stream.isRemoteEnded = isRequestEnded;
    this.sender.sendHead(stream, headers, true);
    if (isRequestEnded) return;
    this.sendReset(streamId, H2_ERROR.NO_ERROR);
    this.drop(stream, "reset-by-us");
  }
}
