// Reads DER (X.690) strictly: one way to write a value, every other way is an error. So the judged
// octets are exactly the signed ones. Knows nothing of certificates. Errors are thrown as DerError
// and turned into a value by anyone who parses a whole structure.

import { decodeLatin1 } from "../../wire/latin1.ts";

/** Says what is wrong with an encoding, as a clause. */
export class DerError extends Error {}

/** Tags that certificates use; CONTEXT is the first context-specific tag, CONSTRUCTED is added to it where it has parts. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context: 0x80,
  constructed: 0x20,
} as const;

/** One value: its tag, its content and the whole of it with its header; both are views into the input. */
export interface DerValue {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** Walks the values that lie one after another in `bytes`. */
export class DerCursor {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** The next value, whatever its tag. */
  next(): DerValue {
    const bytes = this.#bytes;
    const start = this.#offset;
    const tag = bytes[start];
    const first = bytes[start + 1];
    if (tag === undefined || first === undefined) throw new DerError("a value is cut short");
    if ((tag & 0x1f) === 0x1f) throw new DerError("a tag is longer than one byte");
    let from = start + 2;
    let length = first;
    if (first >= 0x80) {
      const count = first - 0x80;
      if (count === 0 || count > 4) throw new DerError("a length is not in DER");
      length = 0;
      for (let i = 0; i < count; i += 1) length = length * 256 + (bytes[from + i] ?? 0);
      if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError("a length is not minimal");
      from += count;
    }
    const end = from + length;
    if (end > bytes.length) throw new DerError("a value is cut short");
    this.#offset = end;
    return { tag, content: bytes.subarray(from, end), whole: bytes.subarray(start, end) };
  }

  /** The next value, which must have this tag. */
  take(tag: number): DerValue {
    if (this.#bytes[this.#offset] !== tag)
      throw new DerError("a value is not of the kind that belongs there");
    return this.next();
  }

  /** The next value when it has this tag. */
  takeIf(tag: number): DerValue | undefined {
    return this.#bytes[this.#offset] === tag ? this.next() : undefined;
  }

  /** A cursor over the content of the next value, which must have this tag. */
  enter(tag: number): DerCursor {
    return new DerCursor(this.take(tag).content);
  }

  /** Throws unless everything was read. */
  finish(): void {
    if (!this.isAtEnd) throw new DerError("a value is followed by others that do not belong there");
  }
}

/** The one value that `bytes` hold, entered. Throws when its tag differs or something follows it. */
export function enterOnly(bytes: Uint8Array, tag: number): DerCursor {
  const outer = new DerCursor(bytes);
  const inner = outer.enter(tag);
  outer.finish();
  return inner;
}

/** An object identifier in dotted decimals. */
export function readOid(content: Uint8Array): string {
  let text = "";
  let arc = 0;
  let isAtArcStart = true;
  for (const byte of content) {
    if (isAtArcStart && byte === 0x80) throw new DerError("an object identifier is not minimal");
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError("an object identifier is too large");
    isAtArcStart = byte < 0x80;
    if (!isAtArcStart) continue;
    if (text === "") {
      const root = Math.min(Math.floor(arc / 40), 2);
      text = `${root}.${arc - root * 40}`;
    } else text += `.${arc}`;
    arc = 0;
  }
  if (text === "" || !isAtArcStart) throw new DerError("an object identifier is cut short");
  return text;
}

/** The content of an INTEGER, checked to be minimal. Two's complement, big-endian. */
export function readInteger(content: Uint8Array): Uint8Array {
  const [first, second] = content;
  if (first === undefined) throw new DerError("an integer is empty");
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
    throw new DerError("an integer is not minimal");
  return content;
}

/** A non-negative INTEGER of at most 31 bits. */
export function readCount(content: Uint8Array): number {
  const bytes = readInteger(content);
  if ((bytes[0] ?? 0) >= 0x80 || bytes.length > 4) throw new DerError("a count is negative or too large");
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** A BOOLEAN; DER has one byte for true. */
export function readBoolean(content: Uint8Array): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff))
    throw new DerError("a boolean is not in DER");
  return content[0] === 0xff;
}

/** A BIT STRING that holds whole bytes: a key or a signature. */
export function readOctetBits(content: Uint8Array): Uint8Array {
  if (content[0] !== 0 || content.length < 2) throw new DerError("a bit string does not hold whole bytes");
  return content.subarray(1);
}

/** A BIT STRING of flags, at most 24: bit 0 of the standard's list is the lowest bit of the result. */
export function readFlags(content: Uint8Array): number {
  const unused = content[0] ?? 8;
  const last = content.at(-1) ?? 0;
  if (content.length < 2 || content.length > 4 || unused > 7) throw new DerError("flags are cut short");
  // DER would drop trailing zero bits; two roots in every store keep them.
  if ((last & ((1 << unused) - 1)) !== 0) throw new DerError("flags are not in DER");
  let flags = 0;
  for (let bit = 0; bit < (content.length - 1) * 8; bit += 1)
    if (((content[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0) flags |= 1 << bit;
  return flags;
}

/** An IA5String's content as text. */
export function readAscii(content: Uint8Array): string {
  for (const byte of content)
    if (byte >= 0x80) throw new DerError("a name holds other than ASCII characters");
  return decodeLatin1(content, false);
}

/** A Time of a certificate (RFC 5280 4.1.2.5) in seconds since 1970. `isLate` tells the form for 2050 and after. */
export function readTime({ tag, content }: DerValue): { readonly seconds: number; readonly isLate: boolean } {
  const isLate = tag === TAG.generalizedTime;
  if (!isLate && tag !== TAG.utcTime) throw new DerError("a time is neither UTCTime nor GeneralizedTime");
  const text = decodeLatin1(content, true);
  const match = (
    isLate ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  ).exec(text);
  if (!match) throw new DerError("a time is not written as RFC 5280 says");
  const [short = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const year = isLate ? short : short + (short >= 50 ? 1900 : 2000);
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  at.setUTCHours(hour, minute, second);
  const isReal =
    at.getUTCMonth() === month - 1 &&
    at.getUTCDate() === day &&
    at.getUTCHours() === hour &&
    minute < 60 &&
    second < 60;
  if (!isReal) throw new DerError("a time does not exist");
  return { seconds: at.getTime() / 1000, isLate };
}
