// CBOR (RFC 8949) as the API server takes it: definite lengths, names as text or byte strings, no
// tag but the one that says "this is CBOR". A name that comes twice, and everything else that could
// be read in two ways, is a problem.

import { type BodyTree, MAX_DEPTH, MAX_NODES, type TreeReading } from "./tree.ts";

const SELF_DESCRIBED = 55799;

/** Reads one CBOR item that fills the whole body. */
export function readCbor(bytes: Uint8Array): TreeReading {
  const reader = new Reader(bytes);
  const tree = reader.read(0);
  return tree === undefined || !reader.isAtEnd()
    ? { problem: "the body is not CBOR as the API server takes it" }
    : { trees: [tree] };
}

const utf8 = new TextDecoder("utf-8");

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #nodes = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** One item; undefined when it is malformed, too deep or too much. */
  read(depth: number): BodyTree | undefined {
    if (depth > MAX_DEPTH || ++this.#nodes > MAX_NODES) return undefined;
    const first = this.#bytes[this.#at++];
    if (first === undefined) return undefined;
    const major = first >> 5;
    if (major === 7) return this.#simple(first & 31);
    const argument = this.#argument(first & 31);
    if (argument === undefined) return undefined;
    switch (major) {
      case 0:
        return argument;
      case 1:
        return -1 - argument;
      case 2:
      case 3:
        return this.#text(argument);
      case 4:
        return this.#list(argument, depth);
      case 5:
        return this.#map(argument, depth);
      default:
        return argument === SELF_DESCRIBED && depth === 0 ? this.read(depth + 1) : undefined;
    }
  }

  #list(length: number, depth: number): BodyTree | undefined {
    const items: BodyTree[] = [];
    for (let i = 0; i < length; i++) {
      const item = this.read(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }

  #map(length: number, depth: number): BodyTree | undefined {
    const members: Record<string, BodyTree> = Object.create(null);
    for (let i = 0; i < length; i++) {
      const name = this.read(depth + 1);
      if (typeof name !== "string" || name in members) return undefined;
      const value = this.read(depth + 1);
      if (value === undefined) return undefined;
      members[name] = value;
    }
    return members;
  }

  #text(length: number): string | undefined {
    const end = this.#at + length;
    if (end > this.#bytes.length) return undefined;
    const text = utf8.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return text;
  }

  #simple(low: number): BodyTree | undefined {
    if (low === 20 || low === 21) return low === 21;
    if (low === 22 || low === 23) return null;
    const width = low === 25 ? 2 : low === 26 ? 4 : low === 27 ? 8 : undefined;
    if (width === undefined || this.#at + width > this.#bytes.length) return undefined;
    const at = this.#at;
    this.#at += width;
    // A half-precision number is 0 or is not; nothing that is judged needs more.
    if (width === 2) return (this.#view.getUint16(at) & 0x7fff) === 0 ? 0 : 1;
    return width === 4 ? this.#view.getFloat32(at) : this.#view.getFloat64(at);
  }

  #argument(low: number): number | undefined {
    if (low < 24) return low;
    const width = low <= 27 ? 1 << (low - 24) : undefined;
    if (width === undefined || this.#at + width > this.#bytes.length) return undefined;
    const at = this.#at;
    this.#at += width;
    if (width === 1) return this.#view.getUint8(at);
    if (width === 2) return this.#view.getUint16(at);
    if (width === 4) return this.#view.getUint32(at);
    return Number(this.#view.getBigUint64(at));
  }
}
