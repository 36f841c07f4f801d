// Writes DER for tests, also what no library would write.

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
export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts);
/** SET. */
export const set = (...parts: readonly Uint8Array[]): Uint8Array => der(0x31, ...parts);
/** OCTET STRING. */
export const octetString = (...parts: readonly Uint8Array[]): Uint8Array => der(0x04, ...parts);
/** BIT STRING of whole bytes. */
export const bitString = (bytes: Uint8Array): Uint8Array => der(0x03, Uint8Array.of(0), bytes);
/** BOOLEAN TRUE. */
export const TRUE = der(0x01, Uint8Array.of(0xff));
/** NULL. */
export const NULL = der(0x05);
/** A context-specific value, with parts or without. */
export const context = (
  number: number,
  isConstructed: boolean,
  ...parts: readonly Uint8Array[]
): Uint8Array => der(0x80 + (isConstructed ? 0x20 : 0) + number, ...parts);

/** A string type's content. */
export const text = (value: string): Uint8Array => Buffer.from(value, "utf8");

/** A non-negative INTEGER, minimal. */
export function integer(value: number | bigint): Uint8Array {
  let hex = value.toString(16);
  if (hex.length % 2 === 1) hex = `0${hex}`;
  if (Number.parseInt(hex.slice(0, 2), 16) >= 0x80) hex = `00${hex}`;
  return der(0x02, Buffer.from(hex, "hex"));
}

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
  return der(0x06, Uint8Array.from(bytes));
}

/** Flags as a BIT STRING, without trailing zero bits; numbers are the standard's. */
export function flags(...numbers: readonly number[]): Uint8Array {
  const last = Math.max(0, ...numbers);
  const bytes = new Uint8Array(1 + Math.floor(last / 8) + 1);
  bytes[0] = 7 - (last % 8);
  for (const number of numbers)
    bytes[1 + Math.floor(number / 8)] = (bytes[1 + Math.floor(number / 8)] ?? 0) | (0x80 >> (number % 8));
  return der(0x03, bytes);
}

/** UTCTime before 2050, else GeneralizedTime. */
export function time(date: Date): Uint8Array {
  const digits = date.toISOString().replace(/\.\d+Z$|[-:T]/g, "");
  return date.getUTCFullYear() < 2050
    ? der(0x17, text(`${digits.slice(2)}Z`))
    : der(0x18, text(`${digits}Z`));
}
