// When two requests are the same one sent again, and when they come from the same
// credential. Signatures, dates and attempt counters change with every try, so only what
// the upstream acts upon and who asks it count.

import { createHash } from "node:crypto";
import type { Classification } from "../../model/classification.ts";
import type { Protocol } from "../../model/protocol.ts";
import { type Header, headerValue, headerValues, type RequestHead } from "../../model/request.ts";

/** Fields that are, or carry, a credential. */
const CREDENTIALS = [
  "authorization",
  "x-api-key",
  "x-auth-key",
  "x-auth-email",
  "private-token",
  "cookie",
  "x-amz-security-token",
];

/** Fields that change what the same method, target and body mean. */
const MEANING = [
  "content-encoding",
  "content-type",
  "x-amz-target",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
];

/** Hash of who asks: bearer token, key id, or what else identifies; `identity` names a client certificate that iddio holds. */
export function credentialOf(protocol: Protocol, head: RequestHead, identity: string): string {
  const parts: string[] = identity === "" ? [] : [`certificate ${identity}`];
  // Under any other protocol a signature is a field like any other, which an agent could add at will.
  const accessKey = protocol === "aws" ? awsAccessKey(head) : undefined;
  if (accessKey !== undefined) parts.push(`aws ${accessKey}`);
  else
    for (const [name, value] of head.headers)
      if (CREDENTIALS.includes(name.toLowerCase())) parts.push(`${name.toLowerCase()} ${value}`);
  return parts.length === 0 ? "" : hash(parts);
}

/** The access key of a SigV4 signature, in the field or presigned; the signature itself changes with every try. */
function awsAccessKey(head: RequestHead): string | undefined {
  const signed = headerValue(head.headers, "authorization");
  if (signed !== undefined) return /^AWS4-[A-Z0-9-]+ Credential=([^/, ]+)/.exec(signed)?.[1];
  return /[?&]X-Amz-Credential=([^/&%]+)/i.exec(head.target)?.[1];
}

/** Whom the request pretends to be: such fields change what the same request does. */
function impersonation(headers: readonly Header[]): string[] {
  return headers
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => name.startsWith("impersonate-") || name.startsWith("x-remote-"))
    .map(([name, value]) => `${name} ${value}`)
    .sort();
}

/** Identifies a request across retries. `body` is every byte as sent; without the whole body there is no fingerprint. */
export function fingerprintOf(
  classification: Classification,
  head: RequestHead,
  body: Uint8Array,
  credential: string,
): string {
  return hash([
    // What was asked about is part of what was allowed: nothing that is classified otherwise is the same.
    ...classified(classification),
    ...MEANING.map((name) => headerValues(head.headers, name).join("\n")),
    head.method,
    `${head.host}:${head.port}`,
    head.target,
    createHash("sha256").update(body).digest("hex"),
    credential,
    ...impersonation(head.headers),
  ]);
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
  const session = headerValue(head.headers, "kubectl-session") ?? "";
  return hash([
    `${head.host}:${head.port}`,
    head.target,
    credential,
    session,
    ...impersonation(head.headers),
  ]);
}

function hash(parts: readonly string[]): string {
  const sum = createHash("sha256");
  // Lengths first, so that no two lists of parts run together into the same bytes.
  for (const part of parts) sum.update(`${part.length}:`).update(part);
  return sum.digest("hex");
}
