// The three answers of every head parser in this folder. Parsers are functions of the bytes seen so
// far: once an answer is "ok" or "bad" for some bytes, it is the same answer for any longer input
// that starts with them, so a caller may retry with more bytes after "need-more" and never
// otherwise.

/** need-more: the input is a proper prefix. ok: `length` bytes from the start were consumed. bad: refuse and close. */
export type ParseResult<T> =
  | { readonly kind: "need-more" }
  | { readonly kind: "ok"; readonly value: T; readonly length: number }
  | { readonly kind: "bad"; readonly status: number; readonly reason: string };

/** The one "need-more" value, so that a trickling peer costs no allocations. */
export const NEED_MORE: { readonly kind: "need-more" } = { kind: "need-more" };

/** A refusal: the status of the reply (400, 414, 417, 431, 501, 505) and a short lower-case clause. */
export function bad(status: number, reason: string): { kind: "bad"; status: number; reason: string } {
  return { kind: "bad", status, reason };
}
