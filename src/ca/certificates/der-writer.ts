// Writes DER (X.690): the counterpart of der.ts, for the certificates that iddio makes itself.
// Knows nothing of certificates.

import { TAG } from "./der.ts";

/** A value with this tag and these contents. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  const header = length < 128 ? [tag, length] : [tag, 0x80 + digits.length, ...digits];
  return Buffer.concat([Uint8Array.from(header), content]);
}

/** SEQUENCE. */
export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(TAG.sequence, ...parts);
/** SET of one element, or of several that are in order. */
export const set = (...parts: readonly Uint8Array[]): Uint8Array => der(TAG.set, ...parts);
/** OCTET STRING. */
export const octetString = (...parts: readonly Uint8Array[]): Uint8Array => der(TAG.octetString, ...parts);
/** BIT STRING of whole bytes. */
export const bitString = (bytes: Uint8Array): Uint8Array => der(TAG.bitString, Uint8Array.of(0), bytes);
/** BOOLEAN TRUE. */
export const TRUE = der(TAG.boolean, Uint8Array.of(0xff));
/** A context-specific value, with parts or without. */
export const context = (
  number: number,
  isConstructed: boolean,
  ...parts: readonly Uint8Array[]
): Uint8Array => der(TAG.context + (isConstructed ? TAG.constructed : 0) + number, ...parts);

/** A string type's content. */
export const utf8 = (value: string): Uint8Array => Buffer.from(value, "utf8");

/** OBJECT IDENTIFIER. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift((left % 128) + 128);
    bytes.push(...digits);
  }
  return der(TAG.oid, Uint8Array.from(bytes));
}

/** Flags as a BIT STRING, without trailing zero bits; numbers are the standard's. */
export function flags(...numbers: readonly number[]): Uint8Array {
  const last = Math.max(0, ...numbers);
  const bytes = new Uint8Array(1 + Math.floor(last / 8) + 1);
  bytes[0] = 7 - (last % 8);
  for (const number of numbers)
    bytes[1 + Math.floor(number / 8)] = (bytes[1 + Math.floor(number / 8)] ?? 0) | (0x80 >> (number % 8));
  return der(TAG.bitString, bytes);
}

/** UTCTime before 2050, else GeneralizedTime (RFC 5280 4.1.2.5). */
export function time(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/\.\d+Z$|[-:T]/g, "");
  return date.getUTCFullYear() < 2050
    ? der(TAG.utcTime, utf8(`${digits.slice(2)}Z`))
    : der(TAG.generalizedTime, utf8(`${digits}Z`));
}
