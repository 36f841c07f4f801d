// The bearer of EKS: `k8s-aws-v1.` and a signed URL of STS's GetCallerIdentity, whose signature
// also covers the name of the cluster, in a field that the token does not hold. A token that was
// signed with placeholder keys is checked for each cluster that the credential names, and goes out
// signed with the real keys, to EKS alone.

import type { Classification } from "../../../model/classification.ts";
import { type Header, headerValues, type RequestHead } from "../../../model/request.ts";
import { splitTarget } from "../../../wire/path.ts";
import { isForHost } from "../kinds.ts";
import type { StoredCredential } from "../stored-credential.ts";
import { type SignedReading, sha256 } from "./canonical-request.ts";
import { endpointProblem } from "./resign.ts";
import {
  type AwsKeys,
  madeAt,
  readSignature,
  type StatedSignature,
  signatureOver,
  signingKey,
  statedAccessKey,
  verifiedReading,
  withParameters,
} from "./signature.ts";

/** A token as a request holds it. */
export interface EksToken {
  readonly text: string;
  readonly accessKey: string;
  /** Of STS. */
  readonly host: string;
  readonly target: string;
}

/** A token whose client proved that it has the placeholder. */
export interface ProvenEksToken {
  readonly token: EksToken;
  readonly stated: StatedSignature;
  readonly reading: SignedReading;
  /** The fields that its signature covers. */
  readonly headers: readonly Header[];
}

/** The operation of such a token: keys that are minted for it need no more. */
export const IDENTITY: Classification = {
  protocol: "aws",
  tier: "observe",
  command: "sts get-caller-identity",
  aliases: ["sts:GetCallerIdentity"],
  labels: { service: "sts" },
  reason: "tells who signed it",
};

const TOKEN = /^Bearer\s+k8s-aws-v1\.([A-Za-z0-9_-]{1,8192})={0,2}$/i;
const NAMED = "x-k8s-aws-id";
/** STS takes such a URL for a quarter of an hour, whatever it says itself. */
const LIFE_MS = 15 * 60_000;
const EKS =
  /^(?:[a-z0-9-]+\.)+(?:[a-z0-9-]+\.eks\.amazonaws\.com(?:\.cn)?|eks-cluster\.[a-z0-9-]+\.api\.aws)$/;
/** EKS itself takes no other. */
const PARAMETERS = new Set([
  ...["action", "version", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires"],
  ...["x-amz-security-token", "x-amz-signature", "x-amz-signedheaders"],
]);

/** The token of a request; undefined where it has none that can be read. */
export function eksTokenOf(headers: readonly Header[]): EksToken | undefined {
  const fields = headerValues(headers, "authorization");
  const encoded = fields.length === 1 ? TOKEN.exec(fields[0] ?? "")?.[1] : undefined;
  if (encoded === undefined) return undefined;
  const url = /^https:\/\/([a-z0-9.-]+)(\/[\x21-\x7e]*)$/.exec(
    Buffer.from(encoded, "base64url").toString("latin1"),
  );
  const [, host = "", target = ""] = url ?? [];
  const accessKey = url === null ? undefined : statedAccessKey(target, []);
  return accessKey === undefined ? undefined : { text: `k8s-aws-v1.${encoded}`, accessKey, host, target };
}

/** Checks a token. A text: why none is signed again, as a clause. */
export function provenEksToken(
  token: EksToken,
  { host, port }: Pick<RequestHead, "host" | "port">,
  { hosts, origin }: StoredCredential,
  placeholder: AwsKeys,
  clocksMs: readonly number[],
): ProvenEksToken | string {
  const clusters = origin.from === "aws" ? (origin.clusters ?? []) : [];
  if (!(port === 443 && EKS.test(host)) && !isForHost(hosts, host, port))
    return `is not for ${host}:${port}, which is no cluster of EKS`;
  const stated = readSignature(token.target, []);
  if (typeof stated === "string") return stated;
  const problem = whyNoIdentity(token, stated);
  if (problem !== undefined) return problem;
  if (!clocksMs.some((now) => Math.abs(now - madeAt(stated)) < LIFE_MS))
    return "has a signature that is not of now";
  for (const name of clusters) {
    const headers: Header[] = [
      ["Host", token.host],
      [NAMED, name],
    ];
    const reading = verifiedReading(signable(token.target, headers), stated, placeholder.secretKey);
    if (reading !== undefined) return { token, stated, reading, headers };
  }
  return clusters.length === 0
    ? "is for no cluster that it may go to (credentials add aws … --eks NAME)"
    : `is for none of the clusters ${clusters.join(", ")}, or the placeholder's secret does not make its signature`;
}

function whyNoIdentity({ host, target }: EksToken, stated: StatedSignature): string | undefined {
  const { path, query = "" } = splitTarget(target);
  const parameters = new URLSearchParams(query);
  const names = [...parameters.keys()].map((name) => name.toLowerCase());
  const isIdentity =
    path === "/" &&
    parameters.get("Action") === "GetCallerIdentity" &&
    new Set(names).size === names.length &&
    names.every((name) => PARAMETERS.has(name));
  if (!isIdentity || stated.service !== "sts" || [...stated.signed].sort().join(";") !== `host;${NAMED}`)
    return "is no proof of an identity for one cluster";
  return endpointProblem(host, 443, stated);
}

function signable(target: string, headers: readonly Header[]) {
  return { method: "GET", target, headers, payload: sha256("") };
}

/** The token, signed with the real keys: by the same clock, for the same cluster. */
export function resignedEksToken({ token, stated, reading, headers }: ProvenEksToken, keys: AwsKeys): string {
  const target = withParameters(
    token.target,
    new Map([
      ["X-Amz-Credential", `${keys.accessKey}/${stated.scope}`],
      ["X-Amz-Security-Token", keys.sessionToken],
      ["X-Amz-Signature", undefined],
    ]),
  );
  const key = signingKey(keys.secretKey, stated);
  const signature = signatureOver(signable(target, headers), stated, stated.signed, reading, key);
  const url = `https://${token.host}${target}&X-Amz-Signature=${signature}`;
  return `k8s-aws-v1.${Buffer.from(url, "latin1").toString("base64url")}`;
}

/** The fields with another token. */
export function withEksToken(headers: readonly Header[], token: EksToken, text: string): readonly Header[] {
  return headers.map(([name, value]) =>
    name.toLowerCase() === "authorization" && value.includes(token.text)
      ? ([name, `Bearer ${text}`] as const)
      : ([name, value] as const),
  );
}
