// Keys of a role for one action: one signed call of STS's AssumeRole, with the action's session
// policy. The session's name tells who asked, so that CloudTrail has it too.

import { sendRequest } from "../../../host/outgoing/send-request.ts";
import { UserError } from "../../../model/user-error.ts";
import { issuersWords, lifeOf, type Minted } from "../minting/minted.ts";
import type { AwsRole } from "../stored-credential.ts";
import { sha256 } from "./canonical-request.ts";
import { type AwsKeys, authorization, signatureOver, signingKey } from "./signature.ts";

/** The purpose that the keys are needed for. */
export interface RoleNeed {
  /** "" for all that the role may do. */
  readonly policy: string;
  /** Letters, digits and hyphens. */
  readonly session: string;
}

/** Mints them; the value is the JSON of a credential process. Throws a `UserError`. */
export async function assumeRole(
  role: AwsRole,
  keys: AwsKeys,
  need: RoleNeed,
  nowMs: number,
  proxyFor: (url: string) => string,
): Promise<Minted> {
  const url = new URL(role.sts);
  const session = need.session.replace(/[^\w+=,.@-]/g, "-").slice(0, 64);
  const body = new URLSearchParams({
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: role.arn,
    RoleSessionName: session,
    DurationSeconds: String(role.ttlS),
    ...(role.externalId === "" ? {} : { ExternalId: role.externalId }),
    ...(need.policy === "" ? {} : { Policy: need.policy }),
  }).toString();
  const answer = await sendRequest({
    url: url.href,
    reach: "private",
    proxy: proxyFor(url.href),
    headers: signedFields(url, role.region, keys, body, nowMs),
    body,
  });
  if (answer.kind === "unreachable") throw failed(answer.reason);
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(answer.text)?.[1];
  if (answer.status !== 200) {
    const sent = [keys.secretKey, keys.sessionToken ?? ""];
    const says = [element("Code"), element("Message")].filter(Boolean).join(": ");
    throw failed(`STS answered ${answer.status}${says === "" ? "" : `: ${issuersWords(says, sent)}`}`);
  }
  const [AccessKeyId, SecretAccessKey, SessionToken, Expiration] = [
    "AccessKeyId",
    "SecretAccessKey",
    "SessionToken",
    "Expiration",
  ].map(element);
  const endMs = Date.parse(Expiration ?? "");
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || Number.isNaN(endMs))
    throw failed("STS's answer holds no keys");
  return {
    value: JSON.stringify({ AccessKeyId, SecretAccessKey, SessionToken }),
    lifeMs: lifeOf(endMs, answer.dateMs),
    id: AccessKeyId,
    scope: { role: role.arn, session, ...(need.policy === "" ? {} : { policy: need.policy }) },
  };
}

function signedFields(
  url: URL,
  region: string,
  { accessKey, secretKey, sessionToken }: AwsKeys,
  body: string,
  nowMs: number,
): Record<string, string> {
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/sts/aws4_request`;
  const fields: Record<string, string> = {
    "content-type": "application/x-www-form-urlencoded; charset=utf-8",
    "x-amz-date": time,
    ...(sessionToken === undefined ? {} : { "x-amz-security-token": sessionToken }),
  };
  const headers = [["host", url.host] as const, ...Object.entries(fields)];
  const signed = headers.map(([name]) => name).sort();
  const request = { method: "POST", target: url.pathname, headers, payload: sha256(body) };
  const key = signingKey(secretKey, { day, region, service: "sts" });
  const reading = { path: "normalised", query: "sent" } as const;
  const signature = signatureOver(request, { time, scope }, signed, reading, key);
  return { ...fields, authorization: authorization(accessKey, scope, signed, signature) };
}

function failed(reason: string): UserError {
  return new UserError(`no keys of the role were had: ${reason}`, {
    hint: "check the role's trust policy, its external id and its longest session",
  });
}
