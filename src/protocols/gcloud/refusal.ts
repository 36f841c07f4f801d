// Refusals as Google would send them: a google.rpc error in JSON, which gcloud prints with its
// details; XML for Cloud Storage's XML API; an OAuth error at the token endpoint; and for gRPC a
// status in the head of an answer without body, because gRPC clients read a status only from an
// answer that is 200.

import type { Header, RequestHead } from "../../model/request.ts";
import { headerValue } from "../../model/request.ts";
import { escapeXml } from "../../text/escape-xml.ts";
import { machineReadable, type Refusal, type RenderedRefusal } from "../refused.ts";

/** Names of google.rpc.Code by HTTP status. */
const CODES: Readonly<Record<number, readonly [name: string, number: number]>> = {
  400: ["INVALID_ARGUMENT", 3],
  403: ["PERMISSION_DENIED", 7],
  421: ["FAILED_PRECONDITION", 9],
  502: ["UNAVAILABLE", 14],
};

/** The answer in the format of the endpoint that the request was for. */
export function renderGoogleError(refusal: Refusal, message: string, request: RequestHead): RenderedRefusal {
  const [name, number] = CODES[refusal.status] ?? ["PERMISSION_DENIED", 7];
  const [path = ""] = request.target.split("?");
  if (/^application\/grpc\b/i.test(headerValue(request.headers, "content-type") ?? "")) {
    const headers: readonly Header[] = [
      ["grpc-status", String(number)],
      ["grpc-message", percentEncode(message)],
    ];
    return { contentType: "application/grpc", body: "", status: 200, headers };
  }
  if (isXmlApi(request.host, path)) return renderXml(message);
  const error =
    request.host === "oauth2.googleapis.com" || path === "/o/oauth2/token"
      ? { error: "access_denied", error_description: message }
      : { error: errorOf(refusal, message, name) };
  return { contentType: "application/json; charset=UTF-8", body: `${JSON.stringify(error, undefined, 2)}\n` };
}

function errorOf(refusal: Refusal, message: string, name: string): unknown {
  const { outcome, retry, ...rest } = machineReadable(refusal);
  return {
    code: refusal.status,
    message,
    // Older clients (bq, gsutil) read these.
    errors: [{ message, domain: "iddio", reason: "forbidden" }],
    status: name,
    details: [
      {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        reason: `IDDIO_${outcome.toUpperCase()}`,
        domain: "iddio",
        metadata: { ...rest, retry: String(retry) },
      },
    ],
  };
}

/** Cloud Storage serves XML to paths that begin with a bucket or an object, JSON below fixed words. */
function isXmlApi(host: string, path: string): boolean {
  if (!/(?:^|\.)storage\.googleapis\.com$/.test(host)) return false;
  return !/^\/(?:storage|upload|download|resumable|batch)\//.test(path);
}

function renderXml(message: string): RenderedRefusal {
  const body = `<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code><Message>${escapeXml(message)}</Message></Error>\n`;
  return { contentType: "application/xml; charset=UTF-8", body };
}

/** As the gRPC over HTTP/2 protocol encodes Status-Message: all but printable ASCII, and the percent sign. */
function percentEncode(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let out = "";
  for (const byte of bytes)
    out +=
      byte < 0x20 || byte > 0x7e || byte === 0x25
        ? `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
        : String.fromCharCode(byte);
  return out;
}
