// Which fields may not stand in a trailer section, whichever version of HTTP carries it, and which
// few of a request go on to the upstream: a trailer comes after the request was judged.

import type { Header } from "../../model/request.ts";

/** RFC 9110 6.5.1: what frames, routes, authenticates or changes the meaning of a message may not come after it. */
export const FORBIDDEN_TRAILERS = new Set(
  (
    "authorization connection content-encoding content-length content-range content-type cookie expect forwarded host " +
    "if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive max-forwards proxy-authenticate " +
    "proxy-authorization proxy-connection range set-cookie te trailer transfer-encoding upgrade www-authenticate " +
    "content_length transfer_encoding x-http-method x-http-method-override x-method-override"
  ).split(" "),
);

/** Checksums and signatures of the body: they are about the body, not about the effect of the request. */
const PASSING =
  /^(?:content-md5|content-digest|repr-digest|digest|etag|server-timing|x-goog-hash|x-content-sha256|x-amz-checksum-[a-z0-9]+|x-amz-trailer-signature|x-checksum-[a-z0-9]+)$/;

/** The trailers of a request that are shown, hashed and forwarded; the others are dropped. */
export function passingTrailers(trailers: readonly Header[]): readonly Header[] {
  if (trailers.length === 0) return trailers;
  return trailers.filter(([name]) => PASSING.test(name.toLowerCase()));
}
