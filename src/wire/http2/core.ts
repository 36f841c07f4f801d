// Decides what ends a stream and what ends the connection, and which window a read opens again. The
// receiver calls it for the peer's frames, the connection for our own; the table owns ids and open
// streams, the sender owns the order of sending, and the patience owns the bounds on the peer.

import type { Header } from "../../model/request.ts";
import { HpackEncoder } from "../hpack/encoder.ts";
import { H2_ERROR } from "./error-code.ts";
import type { Http2Event, Http2Limits } from "./event.ts";
import { fault, type Http2Fault } from "./fault.ts";
import { FRAME, Http2Output, PREFACE } from "./frame.ts";
import { Http2Patience } from "./patience.ts";
import { Http2ReceiveWindow } from "./receive-window.ts";
import { DEFAULT_WINDOW, Http2Sender, type Http2SenderHost } from "./sender.ts";
import { Http2PeerSettings, SETTING, serialiseSettings } from "./settings.ts";
import { Http2StreamRecord } from "./stream.ts";
import { Http2StreamTable, MAX_STREAM_ID } from "./stream-table.ts";

/** Until the server says how many streams it takes, as many as nearly all do. */
const CONCURRENT_AT_FIRST = 100;
/** RST_STREAM, WINDOW_UPDATE. */
const SMALL_REPLY_BYTES = 13;

const OUT_OF_PATIENCE = fault(H2_ERROR.ENHANCE_YOUR_CALM, "more frames than a message needs");

/** The state that both halves of a connection work on. */
export class Http2Core implements Http2SenderHost {
  readonly isServer: boolean;
  readonly limits: Http2Limits;
  readonly output = new Http2Output();
  readonly encoder = new HpackEncoder();
  readonly sender: Http2Sender = new Http2Sender(this, this.output, this.encoder);
  readonly streams: Http2StreamTable;
  readonly peer = new Http2PeerSettings();
  readonly patience: Http2Patience;
  events: Http2Event[] = [];
  /** After a connection error: nothing is read or sent. */
  isFailed = false;
  /** The last stream of the peer's that we said we would serve; undefined before we sent GOAWAY. */
  goAwaySent: number | undefined;
  /** The last stream of ours that the peer will serve. */
  goAwayReceived: number | undefined;
  hasPeerSettings = false;
  /** The initial window as the peer knows it: our SETTINGS count only once it has acknowledged them. */
  #initialWindow = DEFAULT_WINDOW;
  unansweredPings = 0;
  readonly #window: Http2ReceiveWindow;

  constructor(isServer: boolean, limits: Http2Limits) {
    this.isServer = isServer;
    this.limits = limits;
    this.patience = new Http2Patience(limits.maxConcurrentStreams * 2);
    this.streams = new Http2StreamTable(isServer);
    const window = Math.max(limits.connectionWindow, DEFAULT_WINDOW);
    this.#window = new Http2ReceiveWindow(window);
    this.#greet(window - DEFAULT_WINDOW);
  }

  /** `more` octets of the connection's window than a peer expects. */
  #greet(more: number): void {
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
    if (more > 0) output.numberFrame(FRAME.WINDOW_UPDATE, 0, more);
  }

  /** Our SETTINGS hold from here on, for the streams that are open too. */
  onSettingsAcknowledged(): void {
    this.#initialWindow = this.limits.initialWindow;
    for (const stream of this.streams.values()) {
      stream.receiveWindow.resize(this.#initialWindow);
      // A consumed amount too small to return to a wide window may be most of a narrow one.
      this.returnToStream(stream, 0);
    }
  }

  /** How many streams we may have open at once. */
  get maxOpen(): number {
    return this.hasPeerSettings ? this.peer.maxConcurrentStreams : CONCURRENT_AT_FIRST;
  }

  addStream(id: number): Http2StreamRecord {
    const stream = new Http2StreamRecord(id, this.sender.initialWindow, this.#initialWindow);
    this.streams.add(stream);
    return stream;
  }

  onRemoteEnd(stream: Http2StreamRecord): void {
    stream.isRemoteEnded = true;
    if (stream.isLocalEnded) this.#complete(stream);
  }

  onLocalEnd(stream: Http2StreamRecord): void {
    if (stream.isRemoteEnded) this.#complete(stream);
  }

  #complete(stream: Http2StreamRecord): void {
    this.streams.end(stream.id, "ended");
    if (stream.hasRemoteHead) this.patience.earnReset();
  }

  onDrain(stream: Http2StreamRecord): void {
    this.events.push({ kind: "drain", streamId: stream.id });
  }

  onDataSent(length: number, isDribble: boolean): void {
    if (isDribble) this.patience.spend(1);
    // A peer may well open two windows for each frame.
    else this.patience.earn(4 + (length >> 10));
  }

  /** A stream ends at once; the caller says whether the peer is told and whether our side is. */
  drop(stream: Http2StreamRecord, ending: "reset-by-peer" | "reset-by-us"): void {
    stream.isGone = true;
    this.sender.forget(stream);
    this.streams.end(stream.id, ending);
  }

  /** Tells the peer that a stream is over. */
  sendReset(streamId: number, code: number): void {
    this.output.numberFrame(FRAME.RST_STREAM, streamId, code);
  }

  /** A stream error (RFC 9113 5.4.2): the peer's fault ends only the stream. */
  failStream(streamId: number, code: number, reason: string): void {
    this.sendReset(streamId, code);
    this.patience.onReply(SMALL_REPLY_BYTES);
    if (this.isServer) this.patience.spendReset();
    const stream = this.streams.get(streamId);
    if (stream === undefined) this.streams.end(streamId, "reset-by-us");
    else this.drop(stream, "reset-by-us");
    this.events.push({ kind: "reset", streamId, code, isOurs: true, reason });
  }

  /** A connection error ends everything; a second one changes nothing. */
  fail({ code, reason }: Http2Fault): void {
    if (this.isFailed) return;
    this.isFailed = true;
    this.output.goAway(Math.min(this.streams.highestPeerId, this.goAwaySent ?? MAX_STREAM_ID), code, reason);
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
    return this.#window.take(octets);
  }

  /** Octets of DATA that have come and that no reader has given back yet. */
  get unreadOctets(): number {
    return this.#window.unread;
  }

  /** Gives octets back to the connection's window. */
  returnToConnection(octets: number): void {
    this.#announce(0, this.#window.giveBack(octets));
  }

  /** The same for a stream's window. */
  returnToStream(stream: Http2StreamRecord, octets: number): void {
    if (!stream.isRemoteEnded) this.#announce(stream.id, stream.receiveWindow.giveBack(octets));
  }

  #announce(streamId: number, octets: number): void {
    if (octets > 0) this.output.numberFrame(FRAME.WINDOW_UPDATE, streamId, octets);
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
