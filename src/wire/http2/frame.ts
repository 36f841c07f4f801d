// Frames of HTTP/2 (RFC 9113 sections 4 and 6): their numbers, and the writing of them. Knows
// neither the meaning of a frame for a stream nor whether it may be sent now.

import type { Header } from "../../model/request.ts";
import { HpackEncoder } from "../hpack/encoder.ts";

/** Frame types; others are ignored (RFC 9113 5.5). */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Frame flags; ACK is END_STREAM's bit on SETTINGS and PING. */
export const FLAG = { ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** Octets before a frame's payload. */
export const FRAME_HEADER_BYTES = 9;

/** A client sends these octets before its first frame (RFC 9113 3.4). */
export const PREFACE: Uint8Array = Uint8Array.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (octet) =>
  octet.charCodeAt(0),
);

const FIRST_SLAB_BYTES = 1024;
const SLAB_BYTES = 16_384;

/** Four octets as an unsigned number. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return readUint31(bytes, at) + ((bytes[at] as number) >= 0x80 ? 0x80000000 : 0);
}

/** Four octets as a number, without the first bit, which is reserved wherever this is used. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) & 0x7f) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Frames joined as they will go out. Octets that were taken are never written to again; small outputs share a slab. */
export class Http2Output {
  #bytes = new Uint8Array(FIRST_SLAB_BYTES);
  #start = 0;
  #at = 0;

  /** Octets not yet taken. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Everything written since the last call; undefined when that is nothing. */
  take(): Uint8Array | undefined {
    if (this.#at === this.#start) return undefined;
    const taken = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return taken;
  }

  /** Makes room for so many octets at once: cheaper than growing frame by frame. */
  reserve(length: number): void {
    if (this.#bytes.length - this.#at >= length) return;
    const pending = this.#at - this.#start;
    const larger = new Uint8Array(Math.max(SLAB_BYTES, length + pending * 2));
    larger.set(this.#bytes.subarray(this.#start, this.#at));
    this.#bytes = larger;
    this.#start = 0;
    this.#at = pending;
  }

  #header(at: number, length: number, type: number, flags: number, streamId: number): void {
    const bytes = this.#bytes;
    bytes[at] = length >>> 16;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    this.#uint32(at + 5, streamId);
  }

  #uint32(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  octets(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A frame whose payload is `bytes[start, end)`. */
  frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(FRAME_HEADER_BYTES + length);
    this.#header(this.#at, length, type, flags, streamId);
    this.#at += FRAME_HEADER_BYTES;
    this.#bytes.set(length === bytes.length ? bytes : bytes.subarray(start, end), this.#at);
    this.#at += length;
  }

  /** RST_STREAM and WINDOW_UPDATE: one number. */
  numberFrame(type: number, streamId: number, value: number): void {
    this.reserve(FRAME_HEADER_BYTES + 4);
    this.#header(this.#at, 4, type, 0, streamId);
    this.#uint32(this.#at + FRAME_HEADER_BYTES, value);
    this.#at += FRAME_HEADER_BYTES + 4;
  }

  /** `reason` must be ASCII. */
  goAway(lastStreamId: number, code: number, reason: string): void {
    const payload = new Uint8Array(8 + reason.length);
    for (let i = 0; i < reason.length; i++) payload[8 + i] = reason.charCodeAt(i);
    this.frame(FRAME.GOAWAY, 0, 0, payload, 0, payload.length);
    this.#uint32(this.#at - payload.length, lastStreamId);
    this.#uint32(this.#at - payload.length + 4, code);
  }

  /** HEADERS, and CONTINUATIONs when the block is longer than `maxFrame`. Throws a TypeError and leaves nothing. */
  headers(
    encoder: HpackEncoder,
    streamId: number,
    fields: readonly Header[],
    endStream: boolean,
    maxFrame: number,
  ): void {
    this.reserve(FRAME_HEADER_BYTES + HpackEncoder.maxLength(fields));
    const start = this.#at + FRAME_HEADER_BYTES;
    const end = encoder.encode(fields, this.#bytes, start);
    const flags = endStream ? FLAG.END_STREAM : 0;
    if (end - start <= maxFrame) {
      this.#header(this.#at, end - start, FRAME.HEADERS, flags | FLAG.END_HEADERS, streamId);
      this.#at = end;
      return;
    }
    const block = this.#bytes.slice(start, end);
    this.frame(FRAME.HEADERS, flags, streamId, block, 0, maxFrame);
    for (let at = maxFrame; at < block.length; at += maxFrame) {
      const pieceEnd = Math.min(block.length, at + maxFrame);
      const isLast = pieceEnd === block.length;
      this.frame(FRAME.CONTINUATION, isLast ? FLAG.END_HEADERS : 0, streamId, block, at, pieceEnd);
    }
  }
}
