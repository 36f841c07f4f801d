// One HTTPS request of our own to an address that a person configured: a collector, a webhook, an
// object store. Owns what such a request may reach: the name is resolved here and the connection
// goes to the address that was checked, so that a name cannot be pointed at the cloud's metadata
// service between two look-ups. Redirects are not followed.

import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { gzipSync } from "node:zlib";
import ipaddr from "ipaddr.js";
import { isSecureUrl } from "../../text/secure-url.ts";

/** The networks that a request may reach: `private` includes one's own networks, `public` is only the internet. */
export type Reach = "private" | "public";

/** One request. */
export interface OutboundRequest {
  readonly url: string;
  readonly method?: "POST" | "PUT" | "GET" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The body is sent compressed where that saves something. */
  readonly gzip?: boolean;
  /** PEM certificates that are trusted instead of the system's. */
  readonly caPem?: string;
  readonly reach: Reach;
  /** URL of a proxy (http or https); the proxy then resolves the name. */
  readonly proxy?: string;
  readonly signal?: AbortSignal;
  /** For the whole exchange; 30 s. */
  readonly timeoutMs?: number;
  /** More of an answer is not read; 64 KiB. */
  readonly maxAnswerBytes?: number;
}

/** The answer, or why there is none, as a clause. */
export type OutgoingAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly text: string;
      readonly afterMs?: number;
      /** The receiver's clock, by its Date field. */
      readonly dateMs?: number;
    }
  | { readonly kind: "unreachable"; readonly reason: string };

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const GZIP_FROM_BYTES = 1024;
const MAX_AFTER_MS = 60 * 60_000;

/** Sends it. Never throws because of the network or the receiver. */
export async function sendRequest(request: OutboundRequest): Promise<OutgoingAnswer> {
  if (!isSecureUrl(request.url)) return unreachable(`'${request.url}' is neither https nor on this machine`);
  const url = new URL(request.url);
  const proxy = request.proxy ?? "";
  if (proxy.startsWith("socks")) return unreachable("a SOCKS proxy is not supported here");
  const place = proxy === "" ? await outboundPlace(url, request.reach) : { host: url.hostname };
  if ("refused" in place) return unreachable(place.refused);
  const { body, encoding } = encoded(request);
  const target = new URL(url);
  target.hostname = isIP(place.host) === 6 ? `[${place.host}]` : place.host;
  const timeout = AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS);
  const ownName = url.hostname.replace(/^\[(.*)\]$/, "$1");
  try {
    const response = await fetch(target.href, {
      method: request.method ?? "POST",
      headers: { ...request.headers, ...encoding, host: url.host },
      ...(body === undefined ? {} : { body }),
      redirect: "manual",
      keepalive: true,
      signal: request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]),
      ...(proxy === "" ? {} : { proxy }),
      tls: {
        ...(isIP(ownName) === 0 ? { serverName: ownName } : {}),
        ...(request.caPem === undefined ? {} : { ca: request.caPem }),
      },
    });
    const text = await readBounded(response, request.maxAnswerBytes ?? MAX_ANSWER_BYTES);
    const afterMs = retryAfter(response.headers.get("retry-after"));
    const dateMs = Date.parse(response.headers.get("date") ?? "");
    return {
      kind: "answered",
      status: response.status,
      text,
      ...(afterMs === undefined ? {} : { afterMs }),
      ...(Number.isNaN(dateMs) ? {} : { dateMs }),
    };
  } catch (error) {
    if (timeout.aborted) return unreachable("there was no answer in time");
    const { code, message } = error as { code?: unknown; message?: unknown };
    return unreachable(typeof code === "string" && code !== "" ? `${code} at ${url.host}` : String(message));
  }
}

function unreachable(reason: string): OutgoingAnswer {
  return { kind: "unreachable", reason };
}

/** The address that a name stands for and that may be reached. */
export async function outboundPlace(
  url: { readonly hostname: string },
  reach: Reach,
): Promise<{ readonly host: string } | { readonly refused: string }> {
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses =
    isIP(name) === 0
      ? (await lookup(name, { all: true }).catch(() => [])).map(({ address }) => address)
      : [name];
  if (addresses.length === 0) return { refused: `'${name}' cannot be resolved` };
  const isLocalName = name === "localhost" || (isIP(name) !== 0 && rangeOf(name) === "loopback");
  let refused = "";
  for (const address of addresses) {
    const problem = addressProblem(address, reach, isLocalName);
    if (problem === undefined) return { host: address };
    refused = `'${name}' is ${problem}`;
  }
  return { refused };
}

/** Why an address is not connected to, as the end of a clause; undefined when it may be. */
export function addressProblem(address: string, reach: Reach, isLocalName = false): string | undefined {
  const range = rangeOf(address);
  switch (range) {
    case "unicast":
      return undefined;
    case "loopback":
      return isLocalName && reach === "private" ? undefined : "an address of this machine";
    case "private":
    case "uniqueLocal":
    case "carrierGradeNat":
      return reach === "private" ? undefined : "a private address";
    case "linkLocal":
      return "a link-local address, where clouds answer with credentials";
    default:
      return `an address that nothing is sent to (${range})`;
  }
}

/** IPv4 inside IPv6 counts as IPv4. */
function rangeOf(address: string): string {
  if (!ipaddr.isValid(address)) return "unreadable";
  const parsed = ipaddr.process(address);
  if (parsed.kind() === "ipv4") return parsed.range();
  const bytes = parsed.toByteArray();
  const range = parsed.range();
  // The well-known prefix of NAT64 and 6to4 carry an IPv4 address.
  if (range === "rfc6052") return rangeOf(bytes.slice(12, 16).join("."));
  if (range === "6to4") return rangeOf(bytes.slice(2, 6).join("."));
  // fd00:ec2::254 is the metadata service of AWS.
  if (parsed.toNormalizedString() === "fd00:ec2:0:0:0:0:0:254") return "linkLocal";
  return range;
}

function encoded({ body, gzip = false }: OutboundRequest): {
  readonly body: string | Uint8Array<ArrayBuffer> | undefined;
  readonly encoding: Readonly<Record<string, string>>;
} {
  if (!gzip || body === undefined || body.length < GZIP_FROM_BYTES)
    return { body: typeof body === "object" ? new Uint8Array(body) : body, encoding: {} };
  return { body: new Uint8Array(gzipSync(body)), encoding: { "content-encoding": "gzip" } };
}

async function readBounded(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
    if (size > maxBytes) {
      await reader.cancel().catch(() => undefined);
      break;
    }
  }
  return Buffer.concat(chunks).toString("utf8", 0, maxBytes);
}

/** Seconds or a date (RFC 9110, 10.2.3); undefined when it is neither. */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(MAX_AFTER_MS, Math.max(0, ms));
}
