// HPACK, the writing side (RFC 7541): fields in, bytes of one header block out, the dynamic table
// kept. Blocks must be sent in the order in which they were written. A field that would not be read
// back as it is throws; the tables are then discarded, so the next block is sound.

import type { Header } from "../../model/request.ts";
import { nameProblem } from "../http2/field.ts";
import { FIELD_VALUE, OCTET_CLASS } from "../octet-class.ts";
import { huffmanLength, writeHuffman } from "./huffman.ts";
import { type Indexing, indexingOf, isMarkedNeverIndexed } from "./indexing.ts";
import { STATIC_TABLE } from "./static-table.ts";

/** Our side of the table, however much the peer allows: more would only cost memory. */
const TABLE_BYTES = 4096;
const TABLE_ENTRIES = 128;
/** Integers of a prefix and two strings' lengths. */
const FIELD_OVERHEAD = 16;
/** Size updates at the start of a block. */
const BLOCK_OVERHEAD = 16;
/** A field that would push out most of the table is not put in. */
const MAX_ENTRY_BYTES = (TABLE_BYTES * 3) / 4;

interface StaticName {
  readonly index: number;
  readonly values: ReadonlyMap<string, number> | undefined;
}

const STATIC_NAMES = staticNames();

function staticNames(): ReadonlyMap<string, StaticName> {
  const names = new Map<string, { index: number; values: Map<string, number> | undefined }>();
  for (const [at, [name, value]] of STATIC_TABLE.entries()) {
    const known = names.get(name) ?? { index: at + 1, values: undefined };
    if (value !== "") {
      known.values ??= new Map();
      known.values.set(value, at + 1);
    }
    names.set(name, known);
  }
  return names;
}

/** Entries with one name: the number of the newest, and the number of each value. */
interface DynamicName {
  newest: number;
  readonly values: Map<string, number>;
}

interface Entry {
  readonly name: string;
  readonly value: string;
  readonly size: number;
}

/** Encodes the header blocks of one direction of one connection. */
export class HpackEncoder {
  readonly #names = new Map<string, DynamicName>();
  readonly #entries = new Array<Entry | undefined>(TABLE_ENTRIES).fill(undefined);
  /** Entries inserted and evicted since the start; the number of an entry is the count before it. */
  #inserted = 0;
  #evicted = 0;
  #bytes = 0;
  #maxBytes = TABLE_BYTES;
  /** The smallest size the table had to have since the last block; undefined when it is unchanged. */
  #smallest: number | undefined;

  /** Follows the peer's SETTINGS_HEADER_TABLE_SIZE; the next block says so. */
  limitTable(bytes: number): void {
    const size = Math.min(bytes, TABLE_BYTES);
    if (size === this.#maxBytes && this.#smallest === undefined) return;
    this.#smallest = Math.min(this.#smallest ?? size, size);
    this.#maxBytes = size;
    this.#evictTo(size);
  }

  /** Room that `encode` needs at most for these fields. */
  static maxLength(headers: readonly Header[]): number {
    let length = BLOCK_OVERHEAD;
    for (const [name, value] of headers) length += name.length + value.length + FIELD_OVERHEAD;
    return length;
  }

  /** Writes one block at `start` and gives the offset after it. Throws a TypeError; nothing is then to be sent. */
  encode(headers: readonly Header[], out: Uint8Array, start: number): number {
    let at = this.#smallest === undefined ? start : this.#writeSizeUpdates(out, start);
    try {
      for (const header of headers) at = this.#writeField(header, out, at);
    } catch (error) {
      // The peer never sees these insertions: have it empty its table as we empty ours.
      this.#evictTo(0);
      this.#smallest = 0;
      throw error;
    }
    this.#smallest = undefined;
    return at;
  }

  #writeSizeUpdates(out: Uint8Array, start: number): number {
    let at = start;
    const smallest = this.#smallest ?? this.#maxBytes;
    if (smallest < this.#maxBytes) at = writeInteger(out, at, 0x20, 0x1f, smallest);
    return writeInteger(out, at, 0x20, 0x1f, this.#maxBytes);
  }

  #writeField(header: Header, out: Uint8Array, start: number): number {
    const [name, value] = header;
    const fixed = STATIC_NAMES.get(name);
    const dynamic = this.#names.get(name);
    if (!isMarkedNeverIndexed(header)) {
      const fixedIndex = fixed?.values?.get(value);
      if (fixedIndex !== undefined) {
        out[start] = 0x80 | fixedIndex;
        return start + 1;
      }
      const number = dynamic?.values.get(value);
      if (number !== undefined) return writeInteger(out, start, 0x80, 0x7f, this.#indexOf(number));
    }
    if (fixed === undefined && dynamic === undefined) checkName(name);
    else if (name === "transfer-encoding") throw new TypeError("connection-specific header");
    const nameIndex = fixed?.index ?? (dynamic === undefined ? 0 : this.#indexOf(dynamic.newest));
    const size = name.length + value.length + 32;
    let indexing: Indexing = indexingOf(header);
    if (indexing === "table" && size > MAX_ENTRY_BYTES) indexing = "plain";
    let at = start;
    if (indexing === "table") at = writeInteger(out, at, 0x40, 0x3f, nameIndex);
    else at = writeInteger(out, at, indexing === "never" ? 0x10 : 0, 0x0f, nameIndex);
    if (nameIndex === 0) at = writeText(out, at, name);
    checkValue(value);
    // A value in the table is sent once, so coding it pays; other values would be coded, and decoded, every
    // time.
    if (indexing !== "table") return writePlainText(out, at, value);
    this.#insert({ name, value, size });
    return writeText(out, at, value);
  }

  #indexOf(number: number): number {
    return STATIC_TABLE.length + this.#inserted - number;
  }

  #insert(entry: Entry): void {
    this.#evictTo(this.#maxBytes - entry.size);
    if (entry.size > this.#maxBytes) return;
    const number = this.#inserted++;
    this.#entries[number & (TABLE_ENTRIES - 1)] = entry;
    this.#bytes += entry.size;
    const known = this.#names.get(entry.name);
    if (known === undefined)
      this.#names.set(entry.name, { newest: number, values: new Map([[entry.value, number]]) });
    else {
      known.newest = number;
      known.values.set(entry.value, number);
    }
  }

  #evictTo(bytes: number): void {
    while (this.#bytes > bytes && this.#evicted < this.#inserted) {
      const number = this.#evicted++;
      const entry = this.#entries[number & (TABLE_ENTRIES - 1)] as Entry;
      this.#entries[number & (TABLE_ENTRIES - 1)] = undefined;
      this.#bytes -= entry.size;
      const known = this.#names.get(entry.name) as DynamicName;
      if (known.newest === number) this.#names.delete(entry.name);
      else if (known.values.get(entry.value) === number) known.values.delete(entry.value);
    }
  }
}

/** RFC 7541 5.1, the first octet's other bits given. */
function writeInteger(out: Uint8Array, start: number, bits: number, mask: number, value: number): number {
  if (value < mask) {
    out[start] = bits | value;
    return start + 1;
  }
  let at = start;
  out[at++] = bits | mask;
  let rest = value - mask;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[at++] = (rest & 0x7f) | 0x80;
  out[at++] = rest;
  return at;
}

/** RFC 7541 5.2; Huffman-coded where that is shorter. */
function writeText(out: Uint8Array, start: number, text: string): number {
  const { length } = text;
  const coded = huffmanLength(text);
  if (coded >= length) return writePlainText(out, start, text);
  return writeHuffman(out, writeInteger(out, start, 0x80, 0x7f, coded), text);
}

function writePlainText(out: Uint8Array, start: number, text: string): number {
  const { length } = text;
  const at = writeInteger(out, start, 0, 0x7f, length);
  for (let i = 0; i < length; i++) out[at + i] = text.charCodeAt(i);
  return at + length;
}

/** Throws the TypeError that `encode` would, for fields that are to be sent later. */
export function checkFields(headers: readonly Header[]): void {
  for (const [name, value] of headers) {
    if (!STATIC_NAMES.has(name)) checkName(name);
    else if (name === "transfer-encoding") throw new TypeError("connection-specific header");
    checkValue(value);
  }
}

function checkName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new TypeError(problem);
}

function checkValue(value: string): void {
  const { length } = value;
  for (let i = 0; i < length; i++) {
    // Above 0xff the table has no entry: `undefined & bit` is 0.
    if (((OCTET_CLASS[value.charCodeAt(i)] as number) & FIELD_VALUE) === 0)
      throw new TypeError("character not allowed in a header value");
  }
  if (length > 0 && (isSpace(value.charCodeAt(0)) || isSpace(value.charCodeAt(length - 1))))
    throw new TypeError("space around a header value");
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
