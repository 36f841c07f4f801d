// Refusals for gRPC clients, whatever the protocol block: a response of headers only, with
// the status where gRPC looks for it (PROTOCOL-HTTP2, "Trailers-Only"). Under any other HTTP
// status than 200 clients drop the message.

import type { Header, RequestHead } from "../model/request.ts";
import { headerValue } from "../model/request.ts";
import type { Refusal, RefusalReply } from "./refused.ts";

/** Codes of google.rpc.Code: a request that may be tried again is unavailable, everything else is denied. */
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;
/** Nothing that clients try again by themselves. */
const UNKNOWN = 2;

/** Whether the client speaks gRPC. */
export function isGrpc(request: RequestHead): boolean {
  const type = headerValue(request.headers, "content-type")?.toLowerCase() ?? "";
  return (
    type === "application/grpc" ||
    type.startsWith("application/grpc+") ||
    type.startsWith("application/grpc;")
  );
}

/** The reply: empty body, `grpc-status` and a percent-encoded `grpc-message`. */
export function renderGrpc(refusal: Refusal, message: string): RefusalReply {
  const failed = refusal.retry ? UNAVAILABLE : UNKNOWN;
  const code = refusal.status === 502 || refusal.status === 503 ? failed : PERMISSION_DENIED;
  const headers: Header[] = [
    ["content-type", "application/grpc"],
    ["grpc-status", String(code)],
    ["grpc-message", encodeMessage(message)],
    ["x-iddio-outcome", refusal.outcome],
  ];
  return { status: 200, headers, body: new Uint8Array(0) };
}

/** Percent-encodes the percent sign and everything but printable ASCII. */
function encodeMessage(message: string): string {
  let encoded = "";
  for (const byte of new TextEncoder().encode(message))
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return encoded;
}
