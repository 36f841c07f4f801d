// Signs a request of AWS again: the client's signature, made with placeholder keys, is checked over
// the received parts, and another one is made with the real keys over the outgoing parts. Only for
// endpoints of AWS's own services, in the service and region that were signed for: a signature for
// an attacker's own host would let him use it.

import type { Alteration } from "../../../gateway/message/alteration.ts";
import type { UpstreamAnswer } from "../../../gateway/message/upstream-answer.ts";
import type { LendingRequest } from "../../../gateway/request/contracts/credential-release.ts";
import { type Header, headerValue } from "../../../model/request.ts";
import { awsCatalogue } from "../../../protocols/aws/catalogue.ts";
import { readAwsHost } from "../../../protocols/aws/endpoint.ts";
import { type SignableRequest, type SignedReading, sha256 } from "./canonical-request.ts";
import {
  type AwsKeys,
  authorization,
  madeAt,
  readSignature,
  type StatedSignature,
  signatureOver,
  signingKey,
  verifiedReading,
  withParameters,
} from "./signature.ts";
import { SignedChunks } from "./signed-chunks.ts";

/** A request whose client proved that it has the placeholder. */
export interface ProvenRequest {
  readonly stated: StatedSignature;
  readonly reading: SignedReading;
  readonly payload: string;
  readonly placeholder: AwsKeys;
}

/** Bodies without a hash in their fields are read whole, to be hashed. */
export const MAX_HASHED_BYTES = 16 * 1024 * 1024;
const SKEW_MS = 15 * 60_000;
const HASH = /^[0-9a-f]{64}$/;
const CHUNKED = /^STREAMING-AWS4-HMAC-SHA256-PAYLOAD(?:-TRAILER)?$/;
/** Fields that a hop may change: never signed again, whatever the client signed. */
const OF_HOP: ReadonlySet<string> = new Set([
  ...["connection", "expect", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"],
]);
const TOKEN = "x-amz-security-token";

/** Checks the client's signature. A text: why it is not signed again, as a clause. */
export async function provenRequest(
  request: LendingRequest,
  placeholder: AwsKeys,
  extraHosts: (host: string, port: number) => boolean,
  clocksMs: readonly number[],
): Promise<ProvenRequest | string> {
  const { head } = request;
  const stated = readSignature(head.target, head.headers);
  if (typeof stated === "string") return stated;
  const problem =
    (extraHosts(head.host, head.port) ? undefined : endpointProblem(head.host, head.port, stated)) ??
    timeProblem(stated, clocksMs);
  if (problem !== undefined) return problem;
  const payload = await payloadOf(request, stated);
  if (payload === undefined)
    return `has a body that has to be hashed and is larger than ${MAX_HASHED_BYTES / 2 ** 20} MiB, or found no room`;
  if (
    payload.startsWith("STREAMING-") &&
    !CHUNKED.test(payload) &&
    payload !== "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
  )
    return `has a body of the kind ${payload.slice(0, 60)}, which iddio does not sign again`;
  const signable = { method: head.method, target: head.target, headers: head.headers, payload };
  const reading = verifiedReading(signable, stated, placeholder.secretKey);
  return reading === undefined
    ? "has a signature that the placeholder's secret does not make"
    : { stated, reading, payload, placeholder };
}

/** Replaces a request's signature by one with the real keys, in the headers, the query or the chunks. */
export function resigned(
  { method, target }: { readonly method: string; readonly target: string },
  { stated, reading, payload, placeholder }: ProvenRequest,
  keys: AwsKeys,
): Alteration {
  const key = signingKey(keys.secretKey, stated);
  let seed = "";
  let outgoing: { readonly headers: readonly Header[]; readonly target: string } | undefined;
  const signed = (headers: readonly Header[]) => {
    outgoing ??= signedAgain({ method, target, payload }, headers);
    return outgoing;
  };
  function signedAgain(
    request: Omit<SignableRequest, "headers">,
    headers: readonly Header[],
  ): { readonly headers: readonly Header[]; readonly target: string } {
    const kept = headers.filter(([name]) => !["authorization", TOKEN].includes(name.toLowerCase()));
    const isField = stated.place === "field";
    if (isField && keys.sessionToken !== undefined) kept.push(["X-Amz-Security-Token", keys.sessionToken]);
    const present = new Set(kept.map(([name]) => name.toLowerCase()));
    const names = new Set([...stated.signed, ...(isField ? [TOKEN] : [])]);
    const covered = [...names].filter((name) => present.has(name) && !OF_HOP.has(name)).sort();
    const query = isField
      ? request.target
      : withParameters(
          request.target,
          new Map([
            ["X-Amz-Credential", `${keys.accessKey}/${stated.scope}`],
            ["X-Amz-SignedHeaders", covered.join(";")],
            ["X-Amz-Security-Token", keys.sessionToken],
            ["X-Amz-Signature", undefined],
          ]),
        );
    seed = signatureOver({ ...request, target: query, headers: kept }, stated, covered, reading, key);
    if (!isField) return { headers: kept, target: `${query}&X-Amz-Signature=${seed}` };
    const field = authorization(keys.accessKey, stated.scope, covered, seed);
    return { headers: [...kept, ["Authorization", field]], target: query };
  }
  return {
    fields: (headers) => signed(headers).headers,
    target: (headers) => signed(headers).target,
    ...(CHUNKED.test(payload)
      ? {
          through: (body) =>
            new SignedChunks(
              body,
              stated,
              { key: signingKey(placeholder.secretKey, stated), seed: stated.signature },
              { key, seed },
            ),
        }
      : {}),
  };
}

/** The answering server's clock, if it sends one. */
export function clockOf(answer: UpstreamAnswer): number | undefined {
  const ms = Date.parse(headerValue(answer.headers, "date") ?? "");
  return Number.isNaN(ms) ? undefined : ms;
}

/** Why nothing is signed for a host, as a clause; undefined when something may be. */
export function endpointProblem(
  host: string,
  port: number,
  { service, region }: StatedSignature,
): string | undefined {
  const endpoint = readAwsHost(host);
  if (port !== 443 || (endpoint.kind !== "api" && endpoint.kind !== "s3"))
    return `is not for ${host}:${port}, which is no endpoint of a service of AWS`;
  if (endpoint.region !== undefined && endpoint.region !== region)
    return `was signed for ${region}, and ${host} is in ${endpoint.region}`;
  const isOfHost =
    endpoint.kind === "s3"
      ? /^s3(?:express|-object-lambda|-outposts)?$/.test(service)
      : awsCatalogue()
          .bySigning.get(service)
          ?.apis.some((api) => endpoint.group.apis.includes(api));
  return isOfHost === true ? undefined : `was signed for '${service.slice(0, 40)}', which ${host} is not`;
}

/** By our clock, or by AWS's where ours is wrong: clients go by the one that AWS told them. */
function timeProblem(stated: StatedSignature, clocksMs: readonly number[]): string | undefined {
  const made = madeAt(stated);
  const lastMs = stated.expires === undefined ? SKEW_MS : stated.expires * 1000;
  return clocksMs.some((now) => now - made < lastMs && made - now < SKEW_MS)
    ? undefined
    : "has a signature that is not of now";
}

async function payloadOf(
  { head, body }: LendingRequest,
  stated: StatedSignature,
): Promise<string | undefined> {
  const said = headerValue(head.headers, "x-amz-content-sha256");
  if (said !== undefined) return HASH.test(said) || /^[A-Z0-9-]{1,80}$/.test(said) ? said : undefined;
  if (stated.place === "query" && stated.service.startsWith("s3")) return "UNSIGNED-PAYLOAD";
  const bytes = await body(MAX_HASHED_BYTES);
  return bytes && sha256(bytes);
}
