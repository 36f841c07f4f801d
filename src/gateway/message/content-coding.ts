// Undoes content and transfer codings so that a classifier sees the same body as the upstream.
// Bounded in size: a body that does not fit or does not decode is unreadable, and an unreadable
// body is never guessed at. Neither is one that a server which leaves the codings on would read as
// something else: packed data has room for other text.

import { brotliDecompressSync, inflateSync } from "node:zlib";
import { type Header, headerValues } from "../../model/request.ts";
import { readsAsText } from "./coded-text.ts";
import { type Unpacked, unpackGzip } from "./gzip.ts";

/** The default of `classify_body_limit`, for a body that no daemon limits. */
const USUAL_LIMIT = 1024 * 1024;
/** Codings that change no byte of the body, or were undone before. */
const TRANSPARENT = new Set(["identity", "aws-chunked", "chunked"]);
/** Codings may be stacked (RFC 9110 8.4); nobody stacks more in earnest. */
const MAX_CODINGS = 2;

/**
 * The body without its codings (gzip, x-gzip, deflate, br, identity; `aws-chunked` frames the payload and is
 * left as it is). Undefined: unknown coding, malformed, with anything else in it, or more than `limit` bytes when decoded,
 * because decoded bytes cost as much work as sent ones.
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
  if (codings.length > 0 && readsAsText(headers, bytes)) return undefined;
  let decoded = bytes;
  for (const coding of codings.reverse()) {
    const next = decodeOne(coding, decoded, limit);
    if (next === undefined) return undefined;
    decoded = next;
  }
  return decoded;
}

function decodeOne(coding: string, bytes: Uint8Array, limit: number): Uint8Array | undefined {
  const options = { maxOutputLength: limit, info: true } as const;
  try {
    if (coding === "gzip" || coding === "x-gzip") return unpackGzip(bytes, limit);
    if (coding === "deflate") return wholly(bytes, inflateSync(bytes, options) as unknown as Unpacked);
    if (coding === "br") return wholly(bytes, brotliDecompressSync(bytes, options) as unknown as Unpacked);
  } catch {
    return undefined;
  }
  return undefined;
}

/** The unpacked octets, if that took every octet: decoders stop at the end of their stream and are silent about a rest. */
function wholly(packed: Uint8Array, { buffer, engine }: Unpacked): Uint8Array | undefined {
  return engine.bytesWritten === packed.length ? buffer : undefined;
}
