// HPACK, the reading side (RFC 7541): bytes of one header block in, fields out, the dynamic table
// kept. Any error is the connection's end, since the tables of the two sides have then parted; a
// field that is merely not allowed is no error here but the section's business.

import { Http2Field } from "../http2/field.ts";
import type { Http2FieldSection } from "../http2/field-section.ts";
import { decodeLatin1 } from "../latin1.ts";
import { C1, OCTET_CLASS } from "../octet-class.ts";
import { decodeHuffman } from "./huffman.ts";
import { markNeverIndexed } from "./indexing.ts";
import { STATIC_TABLE } from "./static-table.ts";

const STATIC_FIELDS: readonly Http2Field[] = STATIC_TABLE.map(([name, value]) => new Http2Field(name, value));
const STATIC_SIZE = STATIC_FIELDS.length;

/** The table size of a peer that was told no other (RFC 9113 6.5.2). */
const TABLE_BYTES = 4096;
/** An entry counts 32 octets and more. */
const TABLE_ENTRIES = 128;
/** An update to the smallest and one to the final size (RFC 7541 4.2). */
const MAX_SIZE_UPDATES = 2;
const MAX_INTEGER_OCTETS = 5;

/** Huffman-coded text on its way to a string: valid until the next is decoded. */
let scratch = new Uint8Array(4096);

/** The end of a block: complete, malformed by the coding's rules, or longer than an honest peer's list. */
export type HpackOutcome = "ok" | "malformed" | "bomb";

/** Decodes the header blocks of one direction of one connection, in order and every one of them. */
export class HpackDecoder {
  /** Newest first from `#newest` downwards, around the end. */
  readonly #entries = new Array<Http2Field | undefined>(TABLE_ENTRIES).fill(undefined);
  #newest = 0;
  #count = 0;
  #bytes = 0;
  #maxBytes = TABLE_BYTES;
  /** Where the item read last ends; -1 when it did not. */
  #next = 0;

  /** Adds the fields in `bytes[start, end)`, which must be a whole block, to the section. */
  decode(bytes: Uint8Array, start: number, end: number, section: Http2FieldSection): HpackOutcome {
    let at = start;
    let sizeUpdates = 0;
    let isFirst = true;
    while (at < end) {
      const octet = bytes[at] as number;
      let field: Http2Field | undefined;
      if (octet >= 0x80) {
        if (octet < 0xff) {
          field = this.#fieldAt(octet & 0x7f);
          this.#next = at + 1;
        } else field = this.#fieldAt(this.#readInteger(bytes, at, end, 0x7f));
      } else if ((octet & 0xe0) === 0x20) {
        if (!isFirst || ++sizeUpdates > MAX_SIZE_UPDATES) return "malformed";
        const size = this.#readInteger(bytes, at, end, 0x1f);
        if (size < 0 || size > TABLE_BYTES) return "malformed";
        this.#maxBytes = size;
        this.#evictTo(size);
        at = this.#next;
        continue;
      } else field = this.#readLiteral(bytes, at, end, octet);
      if (field === undefined) return "malformed";
      isFirst = false;
      at = this.#next;
      section.add(field);
      if (section.isBomb) return "bomb";
    }
    return "ok";
  }

  #fieldAt(index: number): Http2Field | undefined {
    if (index <= STATIC_SIZE) return STATIC_FIELDS[index - 1];
    const age = index - STATIC_SIZE - 1;
    return age < this.#count ? this.#entries[(this.#newest - age) & (TABLE_ENTRIES - 1)] : undefined;
  }

  #readLiteral(bytes: Uint8Array, start: number, end: number, octet: number): Http2Field | undefined {
    const isIndexed = octet >= 0x40;
    const index = this.#readInteger(bytes, start, end, isIndexed ? 0x3f : 0x0f);
    if (index < 0) return undefined;
    let likeName: Http2Field | undefined;
    let name: string | undefined;
    if (index > 0) {
      likeName = this.#fieldAt(index);
      name = likeName?.header[0];
    } else name = this.#readText(bytes, this.#next, end);
    if (name === undefined) return undefined;
    const value = this.#readText(bytes, this.#next, end);
    if (value === undefined) return undefined;
    const field = new Http2Field(name, value, likeName);
    if (isIndexed) this.#insert(field);
    else if (octet >= 0x10) markNeverIndexed(field.header);
    return field;
  }

  /** RFC 7541 5.1; -1 when it is cut off or larger than anything here can be. */
  #readInteger(bytes: Uint8Array, start: number, end: number, mask: number): number {
    let at = start;
    if (at >= end) return -1;
    let value = (bytes[at++] as number) & mask;
    if (value === mask) {
      for (let shift = 0; ; shift += 7) {
        if (at >= end || shift >= 7 * MAX_INTEGER_OCTETS) return -1;
        const octet = bytes[at++] as number;
        value += (octet & 0x7f) * 2 ** shift;
        if (octet < 0x80) break;
      }
    }
    this.#next = at;
    return value;
  }

  /** RFC 7541 5.2. */
  #readText(bytes: Uint8Array, start: number, end: number): string | undefined {
    const length = this.#readInteger(bytes, start, end, 0x7f);
    if (length < 0) return undefined;
    const from = this.#next;
    const to = from + length;
    if (to > end) return undefined;
    this.#next = to;
    if (((bytes[start] as number) & 0x80) === 0) return textOf(bytes, from, to);
    // The shortest code has five bits.
    if (length * 8 > scratch.length * 5) scratch = new Uint8Array(Math.ceil((length * 8) / 5));
    const decoded = decodeHuffman(bytes, from, to, scratch);
    return decoded < 0 ? undefined : textOf(scratch, 0, decoded);
  }

  #insert(field: Http2Field): void {
    // Larger than the table: leaves it empty, and is no error (RFC 7541 4.4).
    this.#evictTo(this.#maxBytes - field.size);
    if (field.size > this.#maxBytes) return;
    this.#newest = (this.#newest + 1) & (TABLE_ENTRIES - 1);
    this.#entries[this.#newest] = field;
    this.#count++;
    this.#bytes += field.size;
  }

  #evictTo(bytes: number): void {
    while (this.#count > 0 && this.#bytes > bytes) {
      const oldest = (this.#newest - --this.#count) & (TABLE_ENTRIES - 1);
      this.#bytes -= this.#entries[oldest]?.size ?? 0;
      this.#entries[oldest] = undefined;
    }
  }
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  if (start === end) return "";
  let octetBits = 0;
  for (let at = start; at < end; at++) octetBits |= OCTET_CLASS[bytes[at] as number] as number;
  return decodeLatin1(bytes.subarray(start, end), (octetBits & C1) !== 0);
}
