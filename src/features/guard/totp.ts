// Time-based one-time codes (RFC 6238: SHA-1, 30 s, six digits, what every authenticator supports).
// Pure: the clock and the last accepted counter are given. A code counts once; one step of clock
// difference is tolerated.

import { createHmac, timingSafeEqual } from "node:crypto";

const STEP_MS = 30_000;
const DIGITS = 6;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code for a counter. */
export function totpCode(secret: Uint8Array, counter: number): string {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac("sha1", secret).update(message).digest();
  const offset = (mac.at(-1) ?? 0) & 0xf;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 10 ** DIGITS).padStart(DIGITS, "0");
}

/** The counter that a code is right for, when it is later than the last one that was accepted. */
export function acceptedCounter(
  secret: Uint8Array,
  code: string,
  nowMs: number,
  lastCounter: number,
): number | undefined {
  const typed = code.replace(/[\s-]/g, "");
  if (!/^\d{6}$/.test(typed)) return undefined;
  const present = Math.floor(nowMs / STEP_MS);
  let found: number | undefined;
  for (const counter of [present - 1, present, present + 1]) {
    const isRight = timingSafeEqual(Buffer.from(totpCode(secret, counter)), Buffer.from(typed));
    if (isRight && counter > lastCounter) found = counter;
  }
  return found;
}

/** RFC 4648 base 32 without padding, as authenticators take it. */
export function encodeBase32(bytes: Uint8Array): string {
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  return (bits.match(/.{1,5}/g) ?? [])
    .map((part) => ALPHABET[Number.parseInt(part.padEnd(5, "0"), 2)])
    .join("");
}

/** Bytes of a base 32 text; undefined when it is none. */
export function decodeBase32(text: string): Uint8Array | undefined {
  let bits = "";
  for (const letter of text) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) return undefined;
    bits += value.toString(2).padStart(5, "0");
  }
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (part) => Number.parseInt(part, 2));
}

/** The URI that an authenticator reads from a QR code. */
export function otpauthUri(secret: Uint8Array, account: string): string {
  const label = encodeURIComponent(`iddio:${account}`);
  return `otpauth://totp/${label}?secret=${encodeBase32(secret)}&issuer=iddio&algorithm=SHA1&digits=6&period=30`;
}
