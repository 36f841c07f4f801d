// Which fields HPACK may put into a table. A secret is never indexed, so that no other stream of
// the connection can probe for it (RFC 7541 7.1); a value that never recurs would only push out
// others. A field that the peer marked never indexed stays so wherever its value goes on to
// (7.1.3).

import type { Header } from "../../model/request.ts";

/** How a literal is written: "plain" leaves the table as it is, "never" also tells every later hop to. */
export type Indexing = "table" | "plain" | "never";

const SECRET = new Set(
  (
    "authorization proxy-authorization cookie set-cookie x-amz-security-token x-goog-iam-authorization-token " +
    "x-api-key x-auth-token x-auth-key private-token x-vault-token x-goog-api-key x-csrf-token"
  ).split(" "),
);

const CHANGING = new Set(
  (
    ":path age audit-id cf-ray content-length content-range etag grpc-message grpc-status-details-bin grpc-timeout if-match " +
    "if-modified-since if-none-match if-range if-unmodified-since last-modified link location range traceparent tracestate " +
    "x-amz-content-sha256 x-amz-date x-amz-id-2 x-amz-request-id x-amzn-requestid x-github-request-id x-request-id"
  ).split(" "),
);

const marked = new WeakSet<Header>();
let hasMarks = false;

/** Remembers that the peer sent this field as never indexed; by identity, so hand on the same tuple. */
export function markNeverIndexed(header: Header): void {
  hasMarks = true;
  marked.add(header);
}

/** How to write this field when no table holds it yet. */
export function indexingOf(header: Header): Indexing {
  const name = header[0];
  if (SECRET.has(name) || isMarkedNeverIndexed(header)) return "never";
  return CHANGING.has(name) ? "plain" : "table";
}

/** Whether the peer marked it; such a field may not be written as an index even where a table holds it. */
export function isMarkedNeverIndexed(header: Header): boolean {
  return hasMarks && marked.has(header);
}
