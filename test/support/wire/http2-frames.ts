// HTTP/2 frames by hand, for tests: written without the engine's own code, so that the two can be
// held against each other. Header blocks are plain literals; nothing here is checked.

import type { Header } from "../../../src/model/request.ts";
import { octets } from "./octets.ts";

/** Frame types and flags by name. */
export const TYPE = {
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
/** See `TYPE`. */
export const FLAGS = { END: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** A client sends this first. */
export const PREFACE_OCTETS: Uint8Array = octets("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A frame as it was read. */
export interface ReadFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** Octets one after the other. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Four octets, highest first. */
export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** Any frame, right or wrong. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | string = "",
): Uint8Array {
  const body = typeof payload === "string" ? octets(payload) : payload;
  const { length } = body;
  return join(Uint8Array.of(length >>> 16, length >>> 8, length, type, flags), uint32(streamId), body);
}

/** SETTINGS with these settings. */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Uint8Array {
  return frame(
    TYPE.SETTINGS,
    0,
    0,
    join(...pairs.map(([id, value]) => join(Uint8Array.of(id >>> 8, id), uint32(value)))),
  );
}

/** A header block of literals that touch no table. */
export function block(fields: readonly Header[]): Uint8Array {
  return join(...fields.map(([name, value]) => join(Uint8Array.of(0), text(name), text(value))));
}

/** An HPACK string without Huffman coding. */
export function text(value: string): Uint8Array {
  const { length } = value;
  if (length < 127) return join(Uint8Array.of(length), octets(value));
  const prefix = [127];
  let rest = length - 127;
  for (; rest >= 128; rest >>= 7) prefix.push((rest & 127) | 128);
  prefix.push(rest);
  return join(Uint8Array.from(prefix), octets(value));
}

/** HEADERS with a whole block; `flags` are added to END_HEADERS. */
export function headers(streamId: number, fields: readonly Header[], flags = 0): Uint8Array {
  return frame(TYPE.HEADERS, FLAGS.END_HEADERS | flags, streamId, block(fields));
}

/** DATA; `flags` as they are. */
export function data(streamId: number, payload: Uint8Array | string, flags = 0): Uint8Array {
  return frame(TYPE.DATA, flags, streamId, payload);
}

/** Any frame whose payload is one number. */
export function numbered(type: number, streamId: number, value: number): Uint8Array {
  return frame(type, 0, streamId, uint32(value));
}

/** The frames in some output, which must be whole. */
export function readFrames(output: Uint8Array): ReadFrame[] {
  const frames: ReadFrame[] = [];
  const view = Buffer.from(output);
  let at = 0;
  while (at < view.length) {
    const length = view.readUIntBE(at, 3);
    const end = at + 9 + length;
    if (end > view.length) throw new Error("a frame is cut off");
    frames.push({
      type: view.readUInt8(at + 3),
      flags: view.readUInt8(at + 4),
      streamId: view.readUInt32BE(at + 5),
      payload: new Uint8Array(view.subarray(at + 9, end)),
    });
    at = end;
  }
  return frames;
}

/** The number at the start of a payload, or at an offset. */
export function numberIn(payload: Uint8Array, at = 0): number {
  return Buffer.from(payload).readUInt32BE(at);
}

/** A request that nothing is wrong with; `changes` replace fields, or add to them. */
export function request(changes: Readonly<Record<string, string>> = {}): Header[] {
  const fields: Record<string, string> = {
    ":method": "GET",
    ":scheme": "https",
    ":path": "/",
    ":authority": "api.example",
    ...changes,
  };
  return Object.entries(fields);
}
