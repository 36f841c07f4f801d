// Refusals as AWS would send them, in the protocol of the request: JSON with an error type for the
// JSON protocols and REST services, CBOR for Smithy's RPC, XML for the query protocol, EC2 and the
// REST services that speak XML. A body in another protocol is what botocore calls "unable to parse
// response", and the person then reads no reason.

import { type Header, headerValue, type RequestHead } from "../../model/request.ts";
import { escapeXml } from "../../text/escape-xml.ts";
import type { Refusal, RenderedRefusal } from "../refused.ts";

/** The answer in the protocol that the request speaks; the request's head tells it. */
export function renderAwsError({ status }: Refusal, message: string, request: RequestHead): RenderedRefusal {
  const headers: readonly Header[] = [["x-amzn-requestid", NO_REQUEST]];
  const code = (denied: string): string => (status === 403 ? denied : (OTHERS[status] ?? "RequestRefused"));
  switch (protocolOf(request)) {
    case "cbor":
      return {
        contentType: "application/cbor",
        body: encodeCbor({ __type: code("AccessDeniedException"), message }),
        headers: [...headers, ["smithy-protocol", "rpc-v2-cbor"]],
      };
    case "ec2":
      return xml(
        `<Response><Errors><Error><Code>${code("UnauthorizedOperation")}</Code><Message>${escapeXml(message)}</Message></Error></Errors><RequestID>${NO_REQUEST}</RequestID></Response>`,
        headers,
      );
    case "query":
      return xml(
        `<ErrorResponse><Error><Type>Sender</Type><Code>${code("AccessDenied")}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>${NO_REQUEST}</RequestId></ErrorResponse>`,
        headers,
      );
    case "s3":
      return xml(
        `<Error><Code>${code("AccessDenied")}</Code><Message>${escapeXml(message)}</Message><RequestId>${NO_REQUEST}</RequestId></Error>`,
        headers,
      );
    case "json": {
      // `message` and `Message`: services differ in which they send, clients in which they read first.
      const body = `${JSON.stringify({ __type: code("AccessDeniedException"), message, Message: message })}\n`;
      const isTyped = headerValue(request.headers, "x-amz-target") !== undefined;
      const contentType = isTyped ? "application/x-amz-json-1.1" : "application/json";
      return {
        contentType,
        body,
        headers: [...headers, ["x-amzn-errortype", code("AccessDeniedException")]],
      };
    }
  }
}

/** Error codes for faults of the wire or the upstream, by status. */
const OTHERS: Readonly<Record<number, string>> = {
  400: "BadRequest",
  421: "MisdirectedRequest",
  502: "BadGateway",
};

/** Clients log a request id; no AWS service has ever seen this request. */
const NO_REQUEST = "iddio";

function protocolOf(request: RequestHead): "cbor" | "ec2" | "json" | "query" | "s3" {
  const { host, target, headers } = request;
  if (headerValue(headers, "smithy-protocol")?.toLowerCase() === "rpc-v2-cbor") return "cbor";
  if (headerValue(headers, "x-amz-target") !== undefined) return "json";
  const type = headerValue(headers, "content-type")?.toLowerCase() ?? "";
  const question = target.indexOf("?");
  const service = signedService(request);
  const isQuery =
    type.startsWith("application/x-www-form-urlencoded") ||
    (question !== -1 && /(?:^|&)Action=/.test(target.slice(question + 1)));
  if (isQuery) return service === "ec2" || /(?:^|\.)ec2[.-]/.test(host) ? "ec2" : "query";
  if (service === "route53" || service === "cloudfront") return "query";
  if (/(?:^|\.)(?:route53|cloudfront|s3-control)[.-]/.test(host)) return "query";
  if (service !== undefined && /^s3(?:express|-object-lambda|-outposts)?$/.test(service)) return "s3";
  // Buckets stand before, regions and `dualstack` after: acme.s3.eu-west-1, s3-accesspoint, s3express-…
  return /(?:^|[.-])s3(?:[.-]|express|$)/.test(host) ? "s3" : "json";
}

/** The service in the signature: a store or an emulator of the user's own has no telling host name. */
function signedService({ headers, target }: RequestHead): string | undefined {
  const authorization = headerValue(headers, "authorization");
  const scope = authorization ?? target.replace(/%2F/gi, "/");
  return /Credential=[^/,&\s]+\/\d{8}(?:\/[a-z0-9-]*)?\/([a-z0-9-]+)\/aws4_request/i.exec(scope)?.[1];
}

function xml(body: string, headers: readonly Header[]): RenderedRefusal {
  return { contentType: "text/xml", body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`, headers };
}

/** A map of texts to texts, RFC 8949. */
function encodeCbor(map: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(map);
  return Uint8Array.from([0xa0 | entries.length, ...entries.flat().flatMap((text) => [...cborText(text)])]);
}

function cborText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const { length } = bytes;
  const head =
    length < 24 ? [0x60 | length] : length < 256 ? [0x78, length] : [0x79, length >> 8, length & 0xff];
  return Uint8Array.from([...head, ...bytes]);
}
