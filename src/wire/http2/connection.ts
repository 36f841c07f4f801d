// HTTP/2 without sockets or clock (RFC 9113): bytes in, events out; calls in, bytes out. One object
// a connection, either role. Strict about its input and bounded in its work; its driver owns the
// socket, its back-pressure and every time limit.

import type { Header } from "../../model/request.ts";
import { Http2Core } from "./core.ts";
import { DEFAULT_HTTP2_LIMITS, type Http2Event, type Http2Limits } from "./event.ts";
import { FRAME } from "./frame.ts";
import { Http2Receiver } from "./receiver.ts";
import type { Http2StreamRecord } from "./stream.ts";
import { MAX_STREAM_ID } from "./stream-table.ts";

export { H2_ERROR } from "./error-code.ts";
export type { Http2Event, Http2Limits } from "./event.ts";

const NO_EVENTS: readonly Http2Event[] = [];
const ONE = 0x31;
const PING_PAYLOAD = new Uint8Array(8);

/**
 * One end of a connection. Calls that name a stream which has ended meanwhile do nothing: its end was
 * reported, and may not have been looked at yet. A TypeError is a mistake of the caller's, who can go on.
 */
export class Http2Connection {
  readonly #core: Http2Core;
  readonly #receiver: Http2Receiver;

  /** The preface and our SETTINGS are in the output at once. */
  constructor(role: "server" | "client", limits: Partial<Http2Limits> = {}) {
    this.#core = new Http2Core(role === "server", { ...DEFAULT_HTTP2_LIMITS, ...limits });
    this.#receiver = new Http2Receiver(this.#core);
  }

  /** Takes bytes as they arrived, in any pieces. Data events are views of them. Never throws. */
  receive(bytes: Uint8Array): readonly Http2Event[] {
    const core = this.#core;
    if (core.isFailed) return NO_EVENTS;
    this.#receiver.push(bytes);
    return this.takeEvents();
  }

  /** Events that did not come of received bytes: after `takeOutput`, the "drain" of streams that only waited for that. */
  takeEvents(): readonly Http2Event[] {
    const core = this.#core;
    if (core.events.length === 0) return NO_EVENTS;
    const { events } = core;
    core.events = [];
    return events;
  }

  /** Everything that is to be written now, joined; undefined when that is nothing. Leave it while the socket is full. */
  takeOutput(): Uint8Array | undefined {
    const core = this.#core;
    const output = core.output.take();
    core.patience.onTaken();
    core.sender.onTaken();
    return output;
  }

  /** Streams that are open in at least one direction. */
  get openStreams(): number {
    return this.#core.streams.size;
  }

  /** Client: whether another stream may be opened now. */
  get canOpen(): boolean {
    const core = this.#core;
    if (core.isServer || core.isFailed || core.streams.nextId > MAX_STREAM_ID) return false;
    if (core.goAwayReceived !== undefined || core.goAwaySent !== undefined) return false;
    return core.streams.size < core.maxOpen;
  }

  /** Nothing more will come of this connection: an error, or a GOAWAY and the end of the streams that it left. */
  get isClosed(): boolean {
    const core = this.#core;
    if (core.isFailed) return true;
    if (core.streams.size > 0) return false;
    return isFinal(core.goAwaySent) || isFinal(core.goAwayReceived);
  }

  /** Octets of DATA that wait for the peer's windows: a peer that never opens them makes us keep these. */
  get queuedBytes(): number {
    return this.#core.sender.queuedBytes;
  }

  /** Octets that the connection keeps: those that wait for the peer's windows, and the unread ones. */
  get keptBytes(): number {
    return this.#core.sender.queuedBytes + this.#core.unreadOctets;
  }

  /** Octets of DATA that have gone out: stands still, with something queued, while the peer opens no window. */
  get sentOctets(): number {
    return this.#core.sender.sentOctets;
  }

  /** The peer has acknowledged our SETTINGS. */
  get isAcknowledged(): boolean {
    return this.#receiver.isAcknowledged;
  }

  /** Frames that have come whole, a header block counting as one: stands still, inside one, while the peer dawdles. */
  get unitsRead(): number {
    return this.#receiver.unitsRead;
  }

  /** Part of a head, or of any frame but DATA, has come, and the rest has not. */
  get isInsideUnit(): boolean {
    return this.#receiver.isInsideUnit;
  }

  /** Octets that `takeOutput` would give. */
  get pendingBytes(): number {
    return this.#core.output.length;
  }

  /** Pings of ours that the peer has yet to answer. */
  get unansweredPings(): number {
    return this.#core.unansweredPings;
  }

  /** Client: sends a request head and gives its stream. Throws a TypeError when `canOpen` is false or a field would not read back. */
  open(headers: readonly Header[], endStream: boolean): number {
    const core = this.#core;
    if (!this.canOpen) throw new TypeError("no stream can be opened");
    const stream = core.addStream(core.streams.nextId);
    try {
      core.sender.sendHead(stream, headers, endStream);
    } catch (error) {
      core.streams.withdraw(stream);
      throw error;
    }
    core.streams.onOwnId();
    stream.hasLocalHead = true;
    stream.isHead = headers.some(([name, value]) => name === ":method" && value === "HEAD");
    return stream.id;
  }

  /** A response head (server), interim ones before it, or trailers, which must end the stream. Throws a TypeError when a field would not read back. */
  sendHeaders(streamId: number, headers: readonly Header[], endStream: boolean): void {
    const core = this.#core;
    const stream = core.streams.get(streamId);
    if (stream === undefined) return;
    if (stream.isLocalEnded || stream.endsAfterQueue) throw new TypeError("headers after the end");
    if (stream.hasLocalHead) {
      if (!endStream) throw new TypeError("trailers must end the stream");
      if (headers.some(([name]) => name.startsWith(":"))) throw new TypeError("pseudo-header in trailers");
      core.sender.sendTrailers(stream, headers);
      return;
    }
    const [name, status] = headers[0] ?? ["", ""];
    if (name !== ":status" || !/^[1-9][0-9]{2}$/.test(status))
      throw new TypeError("a response begins with :status");
    const isInterim = status.charCodeAt(0) === ONE;
    if (isInterim && endStream) throw new TypeError("interim response that ends the stream");
    core.sender.sendHead(stream, headers, endStream);
    if (!isInterim) stream.hasLocalHead = true;
  }

  /** Sends body bytes as far as the peer's windows allow and keeps a copy of the rest; false: hold back until "drain", for the windows or the output are full. */
  sendData(streamId: number, bytes: Uint8Array, endStream: boolean): boolean {
    const stream = this.#core.streams.get(streamId);
    if (stream === undefined) return true;
    if (stream.isLocalEnded || stream.endsAfterQueue) throw new TypeError("data after the end");
    if (!stream.hasLocalHead) throw new TypeError("data before the head");
    return this.#core.sender.send(stream, bytes, endStream);
  }

  /** Ends a stream at once; its queued octets are dropped. */
  reset(streamId: number, code: number): void {
    const core = this.#core;
    const stream = core.streams.get(streamId);
    if (stream === undefined) return;
    core.sendReset(streamId, code);
    core.drop(stream, "reset-by-us");
  }

  /** The reader has taken this much of what data events counted; also after the stream's end. */
  consumed(streamId: number, flowBytes: number): void {
    const core = this.#core;
    if (core.isFailed) return;
    core.returnToConnection(flowBytes);
    const stream: Http2StreamRecord | undefined = core.streams.get(streamId);
    if (stream !== undefined) core.returnToStream(stream, flowBytes);
  }

  /** Says that no streams above `lastStreamId` are served (by default, above those seen); those under way go on. */
  goAway(code: number, lastStreamId?: number): void {
    const core = this.#core;
    if (core.isFailed) return;
    const last = Math.min(lastStreamId ?? core.streams.highestPeerId, core.goAwaySent ?? MAX_STREAM_ID);
    core.goAwaySent = last;
    core.output.goAway(last, code, "");
  }

  /**
   * Ends the connection for a reason that only its driver can know: a bound in time. The error is an event
   * like any other.
   */
  giveUp(code: number, reason: string): void {
    this.#core.fail({ code, reason });
  }

  /** Forgets the waiting output, because nobody will receive it. */
  abandon(): void {
    this.#core.sender.dropAll();
    this.#core.output.take();
  }

  /** Asks the peer for a sign of life: see `unansweredPings`. */
  ping(): void {
    const core = this.#core;
    if (core.isFailed) return;
    core.unansweredPings++;
    core.output.frame(FRAME.PING, 0, 0, PING_PAYLOAD, 0, PING_PAYLOAD.length);
  }
}

/** The largest id announces a GOAWAY and is none yet (RFC 9113 6.8). */
function isFinal(lastStreamId: number | undefined): boolean {
  return lastStreamId !== undefined && lastStreamId < MAX_STREAM_ID;
}
