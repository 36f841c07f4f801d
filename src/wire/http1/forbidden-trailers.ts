// Which fields may not stand in a trailer section, whichever version of HTTP carries it.

/** RFC 9110 6.5.1: what frames, routes, authenticates or changes the meaning of a message may not come after it. */
export const FORBIDDEN_TRAILERS = new Set(
  (
    "authorization connection content-encoding content-length content-range content-type cookie expect forwarded host " +
    "if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive max-forwards proxy-authenticate " +
    "proxy-authorization proxy-connection range set-cookie te trailer transfer-encoding upgrade www-authenticate " +
    "content_length transfer_encoding x-http-method x-http-method-override x-method-override"
  ).split(" "),
);
