// The field section that heads and trailers share: `name: value CRLF` lines up to an empty line.
// Owns syntax only (RFC 9112 section 5); the reader knows what a field means. No folding, no bare
// CR or LF, no space before the colon: each has been used to make two parsers disagree.

import type { Header } from "../../model/request.ts";
import { decodeLatin1 } from "../latin1.ts";
import { C1, FIELD_VALUE, OCTET_CLASS, TOKEN } from "../octet-class.ts";

const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;
const SP = 0x20;
const HTAB = 0x09;

/** Offsets of name start, name end, value start, value end for each field. Scratch: valid until the next scan. */
let offsets = new Int32Array(4 * 256);

/**
 * Where a scan ended. `next` is the offset after the empty line; `octetBits` is the union of the classes of all
 * value octets; `isCanonical` says that every line is `name: value`, with one space and none after the value.
 */
export type FieldScan =
  | {
      readonly kind: "ok";
      readonly next: number;
      readonly count: number;
      readonly octetBits: number;
      readonly isCanonical: boolean;
    }
  | { readonly kind: "need-more" }
  | { readonly kind: "bad"; readonly status: 400 | 431; readonly reason: string };

const MORE: FieldScan = { kind: "need-more" };

function malformed(reason: string, status: 400 | 431 = 400): FieldScan {
  return { kind: "bad", status, reason };
}

/**
 * Checks the field lines in `bytes[start, end)` and remembers where they are. After "ok", and before
 * any other scan, `readField` gives the fields' texts.
 */
export function scanFieldLines(bytes: Uint8Array, start: number, end: number, maxFields: number): FieldScan {
  let at = start;
  let count = 0;
  let octetBits = 0;
  let isCanonical = true;
  for (;;) {
    if (at >= end) return MORE;
    if (bytes[at] === CR) {
      if (at + 1 >= end) return MORE;
      return bytes[at + 1] === LF
        ? { kind: "ok", next: at + 2, count, octetBits, isCanonical }
        : malformed("bare carriage return");
    }
    const nameStart = at;
    while (at < end && ((OCTET_CLASS[bytes[at] as number] as number) & TOKEN) !== 0) at++;
    if (at >= end) return MORE;
    if (bytes[at] !== COLON || at === nameStart)
      return malformed(nameProblem(bytes[at] as number, at === nameStart));
    if (count >= maxFields) return malformed("too many header fields", 431);
    const nameEnd = at++;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++;
    const valueStart = at;
    for (; at < end; at++) {
      const bits = OCTET_CLASS[bytes[at] as number] as number;
      if ((bits & FIELD_VALUE) === 0) break;
      octetBits |= bits;
    }
    if (at >= end) return MORE;
    if (bytes[at] !== CR)
      return malformed(bytes[at] === LF ? "bare line feed" : "control character in a header value");
    if (at + 1 >= end) return MORE;
    if (bytes[at + 1] !== LF) return malformed("bare carriage return");
    let valueEnd = at;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    if (valueStart !== nameEnd + 2 || bytes[nameEnd + 1] !== SP || valueEnd !== at) isCanonical = false;
    remember(count++, nameStart, nameEnd, valueStart, valueEnd);
    at += 2;
  }
}

function remember(
  index: number,
  nameStart: number,
  nameEnd: number,
  valueStart: number,
  valueEnd: number,
): void {
  const base = index * 4;
  if (base + 4 > offsets.length) {
    const larger = new Int32Array(offsets.length * 2);
    larger.set(offsets);
    offsets = larger;
  }
  offsets[base] = nameStart;
  offsets[base + 1] = nameEnd;
  offsets[base + 2] = valueStart;
  offsets[base + 3] = valueEnd;
}

function nameProblem(octet: number, isFirst: boolean): string {
  if (octet === LF) return "bare line feed";
  if (octet === SP || octet === HTAB)
    return isFirst ? "folded header line" : "space in or after a header name";
  if (octet === COLON) return "empty header name";
  return octet === CR ? "header line without a colon" : "illegal character in a header name";
}

/** Where the name of a field of the last successful scan begins. */
export function fieldNameStart(index: number): number {
  return offsets[index * 4] as number;
}

/** How long the name of a field of the last successful scan is. */
export function fieldNameLength(index: number): number {
  return (offsets[index * 4 + 1] as number) - (offsets[index * 4] as number);
}

/** The value of a field of the last successful scan, cut from `text` as `readField` does, else from `bytes`. */
export function fieldValue(bytes: Uint8Array, text: string | undefined, index: number): string {
  const start = offsets[index * 4 + 2] as number;
  const end = offsets[index * 4 + 3] as number;
  return text === undefined ? decodeLatin1(bytes.subarray(start, end), true) : text.slice(start, end);
}

/** One field of the last successful scan, cut from `text`, the latin1 text of the scanned bytes. */
export function readField(text: string, index: number): Header {
  const base = index * 4;
  return [
    text.slice(offsets[base] as number, offsets[base + 1] as number),
    text.slice(offsets[base + 2] as number, offsets[base + 3] as number),
  ];
}

/** The scanned bytes as text, so that each field is a slice and not a decode of its own. */
export function scannedText(bytes: Uint8Array, length: number, octetBits: number): string {
  return decodeLatin1(length === bytes.length ? bytes : bytes.subarray(0, length), (octetBits & C1) !== 0);
}
