// Undoes content and transfer codings so that a classifier sees the same body as the upstream.
// Bounded in size: a body that does not fit or does not decode is unreadable, and an unreadable
// body is never guessed at.

import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { type Header, headerValues } from "../../model/request.ts";

/** The default of `classify_body_limit`, for a body that no daemon limits. */
const USUAL_LIMIT = 1024 * 1024;
/** Codings that change no byte of the body, or were undone before. */
const TRANSPARENT = new Set(["identity", "aws-chunked", "chunked"]);
/** Codings may be stacked (RFC 9110 8.4); nobody stacks more in earnest. */
const MAX_CODINGS = 2;

/**
 * The body without its codings (gzip, x-gzip, deflate, br, identity; `aws-chunked` frames the payload and is
 * left as it is). Undefined: unknown coding, malformed, or more than `limit` bytes when decoded, because
 * decoded bytes cost as much work as sent ones.
 */
export function decodeContent(
  headers: readonly Header[],
  bytes: Uint8Array,
  limit = USUAL_LIMIT,
): Uint8Array | undefined {
  // Applied in the order in which they are listed, transfer codings last (RFC 9112 6.1); chunked is off already.
  const codings = [
    ...headerValues(headers, "content-encoding"),
    ...headerValues(headers, "transfer-encoding"),
  ]
    .flatMap((value) => value.split(","))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && !TRANSPARENT.has(coding));
  if (codings.length > MAX_CODINGS) return undefined;
  let decoded = bytes;
  for (const coding of codings.reverse()) {
    const next = decodeOne(coding, decoded, limit);
    if (next === undefined) return undefined;
    decoded = next;
  }
  return decoded;
}

function decodeOne(coding: string, bytes: Uint8Array, limit: number): Uint8Array | undefined {
  const options = { maxOutputLength: limit };
  try {
    if (coding === "gzip" || coding === "x-gzip") return gunzipSync(bytes, options);
    if (coding === "deflate") return inflateSync(bytes, options);
    if (coding === "br") return brotliDecompressSync(bytes, options);
  } catch {
    return undefined;
  }
  return undefined;
}
