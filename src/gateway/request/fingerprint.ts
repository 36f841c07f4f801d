// When two requests are the same one sent again, and when they come from the same credential.
// Everything that the client sent counts, except for a short closed list of fields that change from
// try to try: a person allows exactly the shown request, and none that only looks like it.

import { createHash, createHmac, randomBytes } from "node:crypto";
import type { Carrier } from "../../model/ask.ts";
import type { Classification } from "../../model/classification.ts";
import type { Protocol } from "../../model/protocol.ts";
import { type Header, headerValue, headerValues, type RequestHead } from "../../model/request.ts";
import { decodeLoosely } from "../../protocols/lenient-path.ts";
import { secretPairsOf } from "../../redaction/mask-pairs.ts";
import { isCredentialField } from "../../redaction/secret-name.ts";

/** Signatures, dates, ids of a try, traces and the name of the client: all that may differ. */
const VOLATILE = new Set(
  (
    "signature signature-input dpop date x-amz-date x-goog-date x-ms-date " +
    "x-request-id request-id x-correlation-id x-client-request-id x-ms-client-request-id kubectl-session sec-websocket-key " +
    "traceparent tracestate baggage b3 x-b3-traceid x-b3-spanid x-b3-parentspanid x-b3-sampled x-amzn-trace-id x-cloud-trace-context " +
    "grpc-trace-bin uber-trace-id sentry-trace x-datadog-trace-id x-datadog-parent-id " +
    // How long this try may take.
    "grpc-timeout " +
    // Google's and AWS's libraries put the number of the try beside their names.
    "user-agent x-amz-user-agent x-goog-api-client amz-sdk-invocation-id amz-sdk-request amz-sdk-retry"
  ).split(" "),
);

/**
 * Hash of who asks: bearer token, key id, or another identity; `identity` names a client certificate that
 * iddio holds. The same one in another `iddio run` is another asker. "" when nothing does.
 */
export function credentialOf(
  protocol: Protocol,
  head: RequestHead,
  identity: string,
  runId?: string,
): string {
  const parts: string[] = identity === "" ? [] : [`certificate ${identity}`];
  // Under any other protocol a signature is a field like any other, which an agent could add at will.
  // Beside a second one it is not certain which of them counts: then all of them do, with their signatures.
  const isAlone = headerValues(head.headers, "authorization").length <= 1;
  const accessKey = protocol === "aws" && isAlone ? awsAccessKey(head) : undefined;
  if (accessKey !== undefined) parts.push(`aws ${accessKey}`);
  for (const [name, value] of head.headers) {
    const lower = name.toLowerCase();
    if (VOLATILE.has(lower) || !isCredentialField(lower) || value === "") continue;
    // The signature itself changes with every try, and the session's token belongs to the key.
    if (accessKey !== undefined && (lower === "authorization" || lower === "x-amz-security-token")) continue;
    parts.push(`${lower} ${value}`);
  }
  for (const [name, value] of head.headers)
    if (name.toLowerCase() === "sec-websocket-protocol" && /bearer|token|auth/i.test(value))
      parts.push(`websocket ${value}`);
  // kubectl names a version of a schema by its hash.
  const isSchema = protocol === "kubectl" && head.target.startsWith("/openapi/v3/");
  if (accessKey === undefined)
    for (const [name, value] of secretPairsOf(head.target))
      if (!isSchema || name !== "hash") parts.push(`?${name} ${value}`);
  if (parts.length === 0) return "";
  // Another identity under the same credential is another asker.
  const run = runId === undefined ? [] : [`run ${runId}`];
  return hash([...parts, ...impersonation(head.headers), ...run]);
}

/** The access key of a SigV4 signature, in the field or presigned; undefined beside a second one. */
function awsAccessKey(head: RequestHead): string | undefined {
  const signed = headerValue(head.headers, "authorization");
  const inQuery = decodeLoosely(head.target).match(/(?<=[?&;]X-Amz-Credential=)[^/&;]+/gi) ?? [];
  if (signed === undefined) return inQuery.length === 1 ? inQuery[0] : undefined;
  if (inQuery.length > 0 || (signed.match(/Credential=/gi)?.length ?? 0) > 1) return undefined;
  return /^AWS4-[A-Z0-9-]+ Credential=([^/, ]+)/.exec(signed)?.[1];
}

/** Impersonation fields: they change the effect of the same request. */
function impersonation(headers: readonly Header[]): string[] {
  return headers
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => name.startsWith("impersonate-") || name.startsWith("x-remote-"))
    .map(([name, value]) => `${name} ${value}`)
    .sort();
}

/**
 * Identifies a request across retries. `body` is every byte as sent, `trailers` the fields behind it; without the
 * whole body there is no fingerprint.
 */
export function fingerprintOf(
  classification: Classification,
  head: RequestHead,
  body: Uint8Array,
  credential: string,
  trailers: readonly Header[] = [],
): string {
  return hash([
    "http",
    // The classification is part of the fingerprint: a request that is classified differently is not the one
    // that was allowed.
    ...classified(classification),
    head.method,
    `${head.host}:${head.port}`,
    head.target,
    createHash("sha256").update(body).digest("hex"),
    credential,
    ...lasting(classification.protocol, head.headers),
    "trailers",
    ...lasting(classification.protocol, trailers),
  ]);
}

/** Every field that lasts from try to try, by name; those of one name in the order in which they were sent. */
function lasting(protocol: Protocol, headers: readonly Header[]): string[] {
  return headers
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !VOLATILE.has(name))
    .map(([name, value]) => [name, name === "authorization" ? unsigned(protocol, value) : value] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}: ${value}`);
}

/** A SigV4 field without its signature and the day of its scope. */
function unsigned(protocol: Protocol, value: string): string {
  if (protocol !== "aws" || !value.startsWith("AWS4-")) return value;
  return value.replace(/Signature=[0-9a-f]+/i, "Signature=").replace(/(Credential=[^/, ]+\/)\d{8}\//, "$1");
}

function classified({ protocol, tier, command, labels, parts }: Classification): string[] {
  const scope = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return [protocol, tier, command, JSON.stringify(scope), ...(parts ?? []).flatMap(classified)];
}

/**
 * Equal for the attempts of one kubectl at one stream: refused over WebSocket, it tries SPDY at once, by
 * another method, and the person who said no should not be asked the same again.
 */
export function fallbackKeyOf(head: RequestHead, credential: string): string {
  const session = headerValues(head.headers, "kubectl-session").join("\n");
  return hash([
    `${head.host}:${head.port}`,
    head.target,
    credential,
    session,
    ...impersonation(head.headers),
  ]);
}

/**
 * A fingerprint covers secrets, and short ones could be guessed from it: outside the daemon, asks are named
 * by this digest.
 */
const DIGEST_KEY = randomBytes(32);

/**
 * The digest of an ask that HTTP does not carry. `parts`: everything that it would do and who asks for it, in one fixed
 * order; two asks with equal parts are the same ask sent again.
 */
export function askDigest(carrier: Carrier, parts: readonly string[]): string {
  return digestOf(hash([carrier, ...parts]));
}

/**
 * Makes the digest that a reply names its request by. Without a fingerprint the digest is random, so it
 * matches no other request.
 */
export function digestOf(fingerprint: string | undefined): string {
  if (fingerprint === undefined) return randomBytes(16).toString("hex");
  return createHmac("sha256", DIGEST_KEY).update(fingerprint).digest("hex").slice(0, 32);
}

function hash(parts: readonly string[]): string {
  // Lengths first, so that no two lists of parts run together into the same bytes.
  let text = "";
  for (const part of parts) text += `${part.length}:${part}`;
  return createHash("sha256").update(text).digest("hex");
}
