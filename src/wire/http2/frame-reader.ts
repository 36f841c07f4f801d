// Splits the bytes of a connection into frames. Small frames are handed on whole; DATA is handed on
// in the pieces in which it arrives, as views, so bodies are never copied. Knows lengths and
// padding, nothing of streams; it stops when its sink has.

import { FLAG, FRAME, FRAME_HEADER_BYTES, PREFACE, readUint31 } from "./frame.ts";

/** Receives the reader's findings, in order. */
export interface Http2FrameSink {
  /** True once nothing more is wanted; the rest is dropped. */
  readonly isClosed: boolean;
  /** A frame other than DATA; the bytes are valid during the call only. */
  onFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void;
  /** A DATA frame begins; `length` counts its padding, `padding` the pad length octet too. */
  onDataStart(streamId: number, flags: number, length: number, padding: number): void;
  /** Data of the frame begun last, without padding; called at least once a frame. `isLast`: the frame is over. */
  onData(bytes: Uint8Array, start: number, end: number, isLast: boolean): void;
  onBadPreface(): void;
  /** A frame above the limit, whose payload has not been read. */
  onTooLargeFrame(): void;
  /** Padding that leaves no room for the content. */
  onBadPadding(): void;
}

/** Reads one direction of one connection. */
export class Http2FrameReader {
  readonly #sink: Http2FrameSink;
  readonly #maxFrame: number;
  /** Octets of the preface still expected. */
  #prefaceLeft: number;
  /** The frame that is being put together from several pieces, header first. */
  #partial: Uint8Array;
  #have = 0;
  /** Inside DATA: payload and padding still to come; -1 outside. */
  #dataLeft = -1;
  #padLeft = 0;
  /** A padded DATA frame whose first octet has not come. */
  #awaitsPadLength = false;
  #length = 0;
  #flags = 0;
  #streamId = 0;

  constructor(sink: Http2FrameSink, maxFrame: number, expectsPreface: boolean) {
    this.#sink = sink;
    this.#maxFrame = maxFrame;
    this.#prefaceLeft = expectsPreface ? PREFACE.length : 0;
    this.#partial = new Uint8Array(64);
  }

  /** Part of the preface or of a frame other than DATA has come, and the rest has not. */
  get isInsideFrame(): boolean {
    return this.#have > 0 || (this.#prefaceLeft > 0 && this.#prefaceLeft < PREFACE.length);
  }

  push(bytes: Uint8Array): void {
    const end = bytes.length;
    let at = this.#prefaceLeft > 0 ? this.#readPreface(bytes) : 0;
    while (at < end && !this.#sink.isClosed) {
      if (this.#dataLeft >= 0 || this.#awaitsPadLength) at = this.#readData(bytes, at, end);
      else if (this.#have > 0) at = this.#fillPartial(bytes, at, end);
      else if (end - at < FRAME_HEADER_BYTES) at = this.#keep(bytes, at, end, FRAME_HEADER_BYTES);
      else {
        const length = lengthAt(bytes, at);
        if (length > this.#maxFrame) {
          this.#sink.onTooLargeFrame();
          return;
        }
        const payload = at + FRAME_HEADER_BYTES;
        if (bytes[at + 3] === FRAME.DATA) {
          this.#startData(bytes, at, length);
          at = payload;
        } else if (end - payload >= length) {
          this.#hand(bytes, at, length);
          at = payload + length;
        } else at = this.#keep(bytes, at, end, FRAME_HEADER_BYTES + length);
      }
    }
  }

  #readPreface(bytes: Uint8Array): number {
    const from = PREFACE.length - this.#prefaceLeft;
    const count = Math.min(this.#prefaceLeft, bytes.length);
    for (let i = 0; i < count; i++) {
      if (bytes[i] === PREFACE[from + i]) continue;
      this.#sink.onBadPreface();
      return bytes.length;
    }
    this.#prefaceLeft -= count;
    return count;
  }

  /** Copies the octets of a frame that have come, `need` octets long, so that the rest can be added. */
  #keep(bytes: Uint8Array, at: number, end: number, need: number): number {
    if (this.#partial.length < need) {
      const larger = new Uint8Array(need);
      larger.set(this.#partial.subarray(0, this.#have));
      this.#partial = larger;
    }
    const taken = Math.min(end - at, need - this.#have);
    this.#partial.set(bytes.subarray(at, at + taken), this.#have);
    this.#have += taken;
    return at + taken;
  }

  #fillPartial(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#have < FRAME_HEADER_BYTES) {
      at = this.#keep(bytes, at, end, FRAME_HEADER_BYTES);
      if (this.#have < FRAME_HEADER_BYTES) return at;
    }
    const length = lengthAt(this.#partial, 0);
    if (length > this.#maxFrame) {
      this.#sink.onTooLargeFrame();
      return end;
    }
    if (this.#partial[3] === FRAME.DATA) {
      this.#have = 0;
      this.#startData(this.#partial, 0, length);
      return at;
    }
    at = this.#keep(bytes, at, end, FRAME_HEADER_BYTES + length);
    if (this.#have < FRAME_HEADER_BYTES + length) return at;
    this.#have = 0;
    this.#hand(this.#partial, 0, length);
    return at;
  }

  #hand(bytes: Uint8Array, at: number, length: number): void {
    const payload = at + FRAME_HEADER_BYTES;
    const flags = bytes[at + 4] as number;
    this.#sink.onFrame(
      bytes[at + 3] as number,
      flags,
      readUint31(bytes, at + 5),
      bytes,
      payload,
      payload + length,
    );
  }

  #startData(bytes: Uint8Array, at: number, length: number): void {
    this.#flags = bytes[at + 4] as number;
    this.#streamId = readUint31(bytes, at + 5);
    this.#length = length;
    if ((this.#flags & FLAG.PADDED) === 0) this.#openData(bytes, 0);
    else if (length === 0) this.#sink.onBadPadding();
    else this.#awaitsPadLength = true;
  }

  /** `padding` counts the octet that gives its length. */
  #openData(bytes: Uint8Array, padding: number): void {
    this.#sink.onDataStart(this.#streamId, this.#flags, this.#length, padding);
    this.#padLeft = padding === 0 ? 0 : padding - 1;
    this.#dataLeft = this.#length - padding;
    if (this.#dataLeft > 0) return;
    this.#sink.onData(bytes, 0, 0, true);
    if (this.#padLeft === 0) this.#dataLeft = -1;
  }

  #readData(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.#awaitsPadLength) {
      this.#awaitsPadLength = false;
      const padding = 1 + (bytes[at++] as number);
      if (padding > this.#length) {
        this.#sink.onBadPadding();
        return end;
      }
      this.#openData(bytes, padding);
      return at;
    }
    if (this.#dataLeft > 0) {
      const pieceEnd = Math.min(end, at + this.#dataLeft);
      this.#dataLeft -= pieceEnd - at;
      this.#sink.onData(bytes, at, pieceEnd, this.#dataLeft === 0);
      at = pieceEnd;
    }
    if (this.#dataLeft > 0) return at;
    const skipped = Math.min(end - at, this.#padLeft);
    this.#padLeft -= skipped;
    if (this.#padLeft === 0) this.#dataLeft = -1;
    return at + skipped;
  }
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
}
