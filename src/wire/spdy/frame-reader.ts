// Reads the frames of one direction of a SPDY/3.1 connection as they pass. The header blocks of a
// direction are one zlib stream, so every one of them is inflated, in order, whether its stream
// matters or not. Data comes out in pieces as it arrives. Only looks; octets that are no SPDY, or
// inflate without end, end it.

import { Unzlib } from "fflate";
import { SPDY_DICTIONARY } from "./dictionary.ts";

/** One event that the reader found in the octets. */
export type SpdyEvent =
  | {
      readonly kind: "open";
      readonly stream: number;
      readonly headers: ReadonlyMap<string, string>;
      readonly isEnd: boolean;
    }
  /** The payload is valid only until the next push. */
  | { readonly kind: "data"; readonly stream: number; readonly payload: Uint8Array; readonly isEnd: boolean }
  | { readonly kind: "reset"; readonly stream: number };

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const HEADERS = 8;
const FIN = 0x01;
const HEAD = 8;
/** No control frame of Kubernetes comes near it. */
const CONTROL_MAX = 64 * 1024;
const BLOCK_MAX = 256 * 1024;

/** One direction. */
export class SpdyFrameReader {
  #head = new Uint8Array(HEAD);
  #headLength = 0;
  #left = 0;
  #stream = 0;
  #isFin = false;
  /** The control frame that is being read; undefined while data passes. */
  #control:
    | { readonly type: number; readonly flags: number; readonly payload: Uint8Array; length: number }
    | undefined;
  #block: Uint8Array[] = [];
  #blockLength = 0;
  readonly #inflate = new Unzlib({ dictionary: SPDY_DICTIONARY }, (bytes) => {
    this.#blockLength += bytes.length;
    if (this.#blockLength <= BLOCK_MAX) this.#block.push(bytes);
  });
  /** Why no further frame can be read. */
  problem: string | undefined;

  /** Reads the next octets; calls back in order. Nothing after a problem. */
  push(bytes: Uint8Array, event: (event: SpdyEvent) => void): void {
    let at = 0;
    while (at < bytes.length && this.problem === undefined) {
      if (this.#left > 0) {
        const end = Math.min(bytes.length, at + this.#left);
        const part = bytes.subarray(at, end);
        this.#left -= part.length;
        at = end;
        this.#part(part, event);
        continue;
      }
      this.#head[this.#headLength++] = bytes[at++] as number;
      if (this.#headLength === HEAD) this.#begin(event);
    }
  }

  #begin(event: (event: SpdyEvent) => void): void {
    this.#headLength = 0;
    const view = new DataView(this.#head.buffer);
    const flags = this.#head[4] as number;
    const length = view.getUint32(4) & 0xffffff;
    this.#left = length;
    if (((this.#head[0] as number) & 0x80) === 0) {
      this.#control = undefined;
      this.#stream = view.getUint32(0) & 0x7fffffff;
      this.#isFin = (flags & FIN) !== 0;
      if (length === 0) this.#part(new Uint8Array(0), event);
      return;
    }
    if (view.getUint16(0) !== 0x8003) {
      this.problem = "this is not SPDY/3";
      return;
    }
    if (length > CONTROL_MAX) {
      this.problem = `a control frame of ${length} octets`;
      return;
    }
    this.#control = { type: view.getUint16(2), flags, payload: new Uint8Array(length), length: 0 };
    if (length === 0) this.#controlDone(event);
  }

  #part(part: Uint8Array, event: (event: SpdyEvent) => void): void {
    const control = this.#control;
    if (control === undefined) {
      event({ kind: "data", stream: this.#stream, payload: part, isEnd: this.#left === 0 && this.#isFin });
      return;
    }
    control.payload.set(part, control.length);
    control.length += part.length;
    if (this.#left === 0) this.#controlDone(event);
  }

  #controlDone(event: (event: SpdyEvent) => void): void {
    const control = this.#control;
    this.#control = undefined;
    if (control === undefined) return;
    const { type, flags, payload } = control;
    const skip = type === SYN_STREAM ? 10 : type === SYN_REPLY || type === HEADERS ? 4 : 0;
    if (type !== RST_STREAM && skip === 0) return;
    if (payload.length < Math.max(skip, 4)) {
      this.problem = "a control frame is too short";
      return;
    }
    const stream = new DataView(payload.buffer).getUint32(0) & 0x7fffffff;
    if (type === RST_STREAM) {
      event({ kind: "reset", stream });
      return;
    }
    const headers = this.#headers(payload.subarray(skip));
    if (headers !== undefined && type === SYN_STREAM)
      event({ kind: "open", stream, headers, isEnd: (flags & FIN) !== 0 });
  }

  #headers(compressed: Uint8Array): ReadonlyMap<string, string> | undefined {
    this.#block = [];
    this.#blockLength = 0;
    try {
      // A copy: the inflater keeps its input.
      this.#inflate.push(compressed.slice());
    } catch {
      this.problem = "a header block cannot be inflated";
      return undefined;
    }
    if (this.#blockLength > BLOCK_MAX) {
      this.problem = `a header block inflates to more than ${BLOCK_MAX} octets`;
      return undefined;
    }
    const headers = readBlock(Buffer.concat(this.#block, this.#blockLength));
    if (headers === undefined) this.problem = "a header block cannot be read";
    return headers;
  }
}

/**
 * Names and values, each after its length in 32 bits. Of several values of a name the first counts, as for whoever asks
 * a server for one. Undefined when it ends early, and when a name is not in lower case or stands twice, which no server
 * takes.
 */
function readBlock(block: Buffer): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  let at = 4;
  const text = (): string | undefined => {
    if (at + 4 > block.length) return undefined;
    const length = block.readUInt32BE(at);
    if (at + 4 + length > block.length) return undefined;
    const read = block.toString("latin1", at + 4, at + 4 + length);
    at += 4 + length;
    return read;
  };
  if (block.length < 4) return undefined;
  for (let count = block.readUInt32BE(0); count > 0; count -= 1) {
    const name = text();
    const value = text();
    if (name === undefined || value === undefined) return undefined;
    if (headers.has(name) || name !== name.toLowerCase()) return undefined;
    headers.set(name, value.split("\0", 1)[0] ?? "");
  }
  return headers;
}
