// The static table of HPACK (RFC 7541 Appendix A): index 1 is the first entry here.

import type { Header } from "../../model/request.ts";

const STATUSES = [200, 204, 206, 304, 400, 404, 500];

const LATER_NAMES =
  "accept-charset accept-encoding accept-language accept-ranges accept access-control-allow-origin age allow " +
  "authorization cache-control content-disposition content-encoding content-language content-length content-location " +
  "content-range content-type cookie date etag expect expires from host if-match if-modified-since if-none-match " +
  "if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range " +
  "referer refresh retry-after server set-cookie strict-transport-security transfer-encoding user-agent vary via " +
  "www-authenticate";

/** The 61 entries; most have an empty value and serve for their name. */
export const STATIC_TABLE: readonly Header[] = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  ...STATUSES.map((status): Header => [":status", String(status)]),
  ...LATER_NAMES.split(" ").map((name): Header => [name, name === "accept-encoding" ? "gzip, deflate" : ""]),
];
