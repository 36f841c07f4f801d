// Random names for requests and rows, from the system's generator by the page: one call
// a name would cost more than judging the request it names. Never for keys or tokens that
// must not lie in memory before they are used.

import { randomFillSync } from "node:crypto";

const page = Buffer.alloc(4096);
let at = page.length;

/** So many random bytes (at most 64) as lower-case hex. */
export function randomHex(bytes: number): string {
  if (at + bytes > page.length) {
    randomFillSync(page);
    at = 0;
  }
  const text = page.toString("hex", at, at + bytes);
  at += bytes;
  return text;
}
