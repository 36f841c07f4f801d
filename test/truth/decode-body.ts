// Removes content codings for the scored cases, as the gateway does for live requests.

import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { type Header, headerValues } from "../../src/model/request.ts";

const LIMIT = { maxOutputLength: 16 << 20 };

/** The body without gzip, deflate or br; undefined for anything else that was done to it. */
export function decodeBody(headers: readonly Header[], bytes: Uint8Array): Uint8Array | undefined {
  const codings = headerValues(headers, "content-encoding")
    .flatMap((value) => value.split(","))
    .map((coding) => coding.trim().toLowerCase());
  let body = bytes;
  try {
    for (const coding of codings.reverse())
      if (coding === "gzip" || coding === "x-gzip") body = gunzipSync(body, LIMIT);
      else if (coding === "deflate") body = inflateSync(body, LIMIT);
      else if (coding === "br") body = brotliDecompressSync(body, LIMIT);
      // aws-chunked is a framing that classifiers which read bodies must know of themselves.
      else if (coding !== "identity" && coding !== "aws-chunked" && coding !== "") return undefined;
  } catch {
    return undefined;
  }
  return body;
}
