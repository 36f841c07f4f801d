// AWS's keys as operators keep them: the output of a credential process, a profile of a credentials
// file, or `ACCESSKEY:SECRET[:TOKEN]`. No error quotes the text.

import { UserError } from "../../../model/user-error.ts";
import type { AwsKeys } from "./signature.ts";

/** Keys, and when they end where that is said. */
export interface ReadKeys extends AwsKeys {
  readonly endMs?: number;
}

const ACCESS_KEY = /^[A-Z0-9]{16,128}$/;
const SECRET = /^[\x21-\x7e]{16,256}$/;
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

/** Reads them. Throws a `UserError`. */
export function readKeys(text: string, profile: string): ReadKeys {
  const found = ofJson(text) ?? ofProfile(text, profile) ?? ofLine(text);
  if (found === undefined || !ACCESS_KEY.test(found.accessKey) || !SECRET.test(found.secretKey))
    throw new UserError("there is no access key with its secret in it", {
      hint: "what `aws configure export-credentials` prints, a credentials file with --profile, or ACCESSKEY:SECRET",
    });
  if (found.sessionToken !== undefined && !TOKEN.test(found.sessionToken))
    throw new UserError("its session token cannot be sent");
  return found;
}

/** The credential process' format, version 1, and what STS answers. */
function ofJson(text: string): ReadKeys | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = value;
    if (typeof AccessKeyId !== "string" || typeof SecretAccessKey !== "string") return undefined;
    const endMs = Date.parse(String(Expiration));
    return {
      accessKey: AccessKeyId,
      secretKey: SecretAccessKey,
      ...(typeof SessionToken === "string" ? { sessionToken: SessionToken } : {}),
      ...(Number.isNaN(endMs) ? {} : { endMs }),
    };
  } catch {
    return undefined;
  }
}

function ofProfile(text: string, profile: string): ReadKeys | undefined {
  const values = new Map<string, string>();
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    const head = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line);
    if (head?.[1] !== undefined) section = head[1];
    const pair = /^\s*(aws_access_key_id|aws_secret_access_key|aws_session_token)\s*=\s*(\S+)\s*$/.exec(line);
    if (pair?.[1] !== undefined && section === profile) values.set(pair[1], pair[2] ?? "");
  }
  const accessKey = values.get("aws_access_key_id");
  const secretKey = values.get("aws_secret_access_key");
  const sessionToken = values.get("aws_session_token");
  if (accessKey === undefined || secretKey === undefined) return undefined;
  return { accessKey, secretKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}

function ofLine(text: string): ReadKeys | undefined {
  const [accessKey = "", secretKey = "", ...token] = text.trim().split(":");
  if (secretKey === "") return undefined;
  return { accessKey, secretKey, ...(token.length === 0 ? {} : { sessionToken: token.join(":") }) };
}
