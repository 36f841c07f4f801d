// Flow control of what we send (RFC 9113 5.2, 6.9): DATA goes out as far as both windows allow, the
// rest is queued and follows in turn, one frame a stream, as the peer opens them. Of the peer's
// frames it knows only the windows and the settings that change them.

import type { Header } from "../../model/request.ts";
import { checkFields, type HpackEncoder } from "../hpack/encoder.ts";
import { FLAG, FRAME, FRAME_HEADER_BYTES, type Http2Output } from "./frame.ts";
import type { Http2StreamRecord } from "./stream.ts";

/** No window may exceed it. */
export const MAX_WINDOW = 0x7fffffff;
/** Before any SETTINGS or WINDOW_UPDATE. */
export const DEFAULT_WINDOW = 65_535;
/** Every peer takes frames of this size; larger ones would only make the other streams wait longer for their turn. */
const MAX_FRAME = 16_384;
/** A stream with so much queued is held back until it has less. */
const HIGH_MARK = 65_536;
/** So much output that nobody takes holds back anyone who adds to it. */
const OUTPUT_MARK = 262_144;
/** A frame this small that only the window made small is dribble. */
const SMALL_FRAME = 256;

/** Callbacks for the sender's own decisions. */
export interface Http2SenderHost {
  /** END_STREAM went out. */
  onLocalEnd(stream: Http2StreamRecord): void;
  onDrain(stream: Http2StreamRecord): void;
  /** A frame went out: `length` octets; dribble when the peer's window was all that kept it small. */
  onDataSent(length: number, isDribble: boolean): void;
}

/** Sends the DATA and trailers of one connection's streams. */
export class Http2Sender {
  readonly #host: Http2SenderHost;
  readonly #output: Http2Output;
  readonly #encoder: HpackEncoder;
  #window = DEFAULT_WINDOW;
  /** Streams with something queued, in the order in which their turns come. */
  #waiting: Http2StreamRecord[] = [];
  /** Streams held back by the output, not by a window. */
  #crowded: Http2StreamRecord[] = [];
  /** Octets of DATA that went out so far. */
  sentOctets = 0;
  /** The send window of new streams, in octets. */
  initialWindow = DEFAULT_WINDOW;

  constructor(host: Http2SenderHost, output: Http2Output, encoder: HpackEncoder) {
    this.#host = host;
    this.#output = output;
    this.#encoder = encoder;
  }

  /** Sends a head, before any DATA of its stream. Throws a TypeError when it cannot be sent. */
  sendHead(stream: Http2StreamRecord, fields: readonly Header[], endStream: boolean): void {
    this.#output.headers(this.#encoder, stream.id, fields, endStream, MAX_FRAME);
    if (endStream) this.#end(stream);
  }

  /** Octets that wait for windows, over all streams. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const stream of this.#waiting) bytes += stream.queuedBytes;
    return bytes;
  }

  /** False: hold back until the host hears `onDrain`. The bytes are not referred to after the call. */
  send(stream: Http2StreamRecord, bytes: Uint8Array, endStream: boolean): boolean {
    let at = 0;
    if (!stream.isListed) {
      at = this.#sendNow(stream, bytes, endStream);
      if (stream.isLocalEnded) return true;
      if (at === bytes.length && !endStream) return this.#hasRoom(stream);
    }
    if (at < bytes.length) stream.enqueue(bytes, at);
    if (endStream) stream.endsAfterQueue = true;
    this.#list(stream);
    if (stream.queuedBytes < HIGH_MARK) return this.#hasRoom(stream);
    stream.isHeldBack = true;
    return false;
  }

  /** False: the stream is held back until the output has been taken. */
  #hasRoom(stream: Http2StreamRecord): boolean {
    if (this.#output.length < OUTPUT_MARK) return true;
    if (!stream.isHeldBack) this.#crowded.push(stream);
    stream.isHeldBack = true;
    return false;
  }

  /** The output has been taken: who waited only for that may go on. */
  onTaken(): void {
    if (this.#crowded.length === 0) return;
    const crowded = this.#crowded;
    this.#crowded = [];
    for (const stream of crowded) if (!stream.isGone) this.#relieve(stream);
  }

  /** Trailers, after everything that is queued. Throws a TypeError when they cannot be sent. */
  sendTrailers(stream: Http2StreamRecord, trailers: readonly Header[]): void {
    if (!stream.isListed) {
      this.sendHead(stream, trailers, true);
      return;
    }
    checkFields(trailers);
    stream.trailers = trailers;
    stream.endsAfterQueue = true;
  }

  /** Takes a stream that was reset out of its turn. */
  forget(stream: Http2StreamRecord): void {
    stream.dropQueue();
    if (!stream.isListed) return;
    stream.isListed = false;
    this.#waiting = this.#waiting.filter((other) => other !== stream);
  }

  /** The connection is gone: nothing that waits will be sent, and nobody may keep it in memory. */
  dropAll(): void {
    for (const stream of this.#waiting) {
      stream.dropQueue();
      stream.isListed = false;
    }
    this.#waiting = [];
    this.#crowded = [];
  }

  /** The peer opened the connection's window; false when beyond the largest window. */
  openConnection(octets: number): boolean {
    this.#window += octets;
    if (this.#window > MAX_WINDOW) return false;
    this.#flush();
    return true;
  }

  /** The peer opened a stream's window; false when beyond the largest window. */
  openStream(stream: Http2StreamRecord, octets: number): boolean {
    stream.sendWindow += octets;
    if (stream.sendWindow > MAX_WINDOW) return false;
    if (stream.isListed && this.#window > 0) this.#flushOne(stream);
    return true;
  }

  /** The peer changed its initial window; false when that takes a stream's window beyond the largest. */
  changeInitialWindow(octets: number, streams: Iterable<Http2StreamRecord>): boolean {
    const change = octets - this.initialWindow;
    this.initialWindow = octets;
    for (const stream of streams) {
      stream.sendWindow += change;
      if (stream.sendWindow > MAX_WINDOW) return false;
    }
    this.#flush();
    return true;
  }

  /** Sends as much of the queues as the windows allow, a frame from each stream in turn. */
  #flush(): void {
    let idle = 0;
    while (idle < this.#waiting.length && this.#window > 0) {
      const stream = this.#waiting.shift() as Http2StreamRecord;
      idle = this.#sendQueued(stream) ? 0 : idle + 1;
      if (stream.queuedBytes > 0) this.#waiting.push(stream);
      else stream.isListed = false;
      this.#relieve(stream);
    }
  }

  /** The same for one stream; any other that waits would have had no use for the connection's window. */
  #flushOne(stream: Http2StreamRecord): void {
    let sent = true;
    while (sent) sent = this.#sendQueued(stream);
    if (stream.queuedBytes === 0) {
      stream.isListed = false;
      this.#waiting = this.#waiting.filter((other) => other !== stream);
    }
    this.#relieve(stream);
  }

  #relieve(stream: Http2StreamRecord): void {
    if (!stream.isHeldBack || stream.queuedBytes >= HIGH_MARK) return;
    stream.isHeldBack = false;
    if (!stream.isLocalEnded) this.#host.onDrain(stream);
  }

  #reserveFor(octets: number): void {
    if (octets > 0) this.#output.reserve(octets + Math.ceil(octets / MAX_FRAME) * FRAME_HEADER_BYTES);
  }

  /** How many octets went out; all of them, or as many as the windows took. */
  #sendNow(stream: Http2StreamRecord, bytes: Uint8Array, endStream: boolean): number {
    const { length } = bytes;
    let at = 0;
    if (length > MAX_FRAME) this.#reserveFor(Math.min(length, this.#window, stream.sendWindow));
    for (;;) {
      const size = Math.max(0, Math.min(length - at, this.#window, stream.sendWindow, MAX_FRAME));
      const isLast = endStream && at + size === length;
      if (size === 0 && !isLast) return at;
      this.#frame(stream, bytes, at, at + size, isLast);
      this.#host.onDataSent(size, size < SMALL_FRAME && at + size < length);
      at += size;
      if (isLast) this.#end(stream);
      if (at === length) return at;
    }
  }

  /** One frame from the queue, if the windows allow one; whether anything went out. */
  #sendQueued(stream: Http2StreamRecord): boolean {
    const queued = stream.queuedBytes;
    const size = Math.min(queued, this.#window, stream.sendWindow, MAX_FRAME);
    if (size <= 0) return false;
    const isLast = size === queued && stream.endsAfterQueue && stream.trailers === undefined;
    this.#frame(stream, stream.queue, stream.queueStart, stream.queueStart + size, isLast);
    this.#host.onDataSent(size, size < SMALL_FRAME && size < queued);
    stream.dequeue(size);
    if (isLast) this.#end(stream);
    else if (stream.trailers !== undefined && size === queued) this.sendHead(stream, stream.trailers, true);
    return true;
  }

  #frame(stream: Http2StreamRecord, bytes: Uint8Array, start: number, end: number, isLast: boolean): void {
    this.#output.frame(FRAME.DATA, isLast ? FLAG.END_STREAM : 0, stream.id, bytes, start, end);
    const octets = end - start;
    this.sentOctets += octets;
    this.#window -= octets;
    stream.sendWindow -= octets;
  }

  #end(stream: Http2StreamRecord): void {
    stream.isLocalEnded = true;
    stream.endsAfterQueue = false;
    stream.trailers = undefined;
    this.#host.onLocalEnd(stream);
  }

  #list(stream: Http2StreamRecord): void {
    if (stream.isListed) return;
    stream.isListed = true;
    this.#waiting.push(stream);
  }
}
