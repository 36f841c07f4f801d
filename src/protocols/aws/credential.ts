// Who signed a request, as far as the signature's own scope says: access key, region, service.
// Verifies nothing: AWS does, and refuses a scope that is not the one that was signed. Never
// returns a secret.

import { headerValues, type RequestHead } from "../../model/request.ts";
import { decodeLoosely } from "../lenient-path.ts";

/** The scope of a Signature Version 4, or what older schemes tell of it. */
export interface AwsScope {
  readonly accessKey: string;
  readonly region: string | undefined;
  readonly service: string | undefined;
}

/**
 * From the Authorization field or from `X-Amz-Credential` of a presigned URL; undefined for an unsigned request, and
 * for one that names several: which of them AWS reads is not known, and any could be an account that is not asked.
 */
export function readScope(head: RequestHead): AwsScope | undefined {
  const fields = headerValues(head.headers, "authorization").map(
    (value) => value.match(/Credential=[^,\s]*/gi) ?? [],
  );
  if (fields.some((found) => found.length === 0)) return undefined;
  const [claim, second] = [...fields.flat(), ...presigned(head.target)];
  return claim === undefined || second !== undefined
    ? undefined
    : parseScope(claim.slice(claim.indexOf("=") + 1));
}

function presigned(target: string): readonly string[] {
  if (!/credential|%/i.test(target)) return [];
  return decodeLoosely(target).match(/(?<=[?&;]X-Amz-)Credential=[^&;]*/gi) ?? [];
}

/** `<key>/<date>/<region>/<service>/aws4_request`; SigV4A has no region. */
function parseScope(text: string): AwsScope | undefined {
  const parts = text.split("/");
  const accessKey = parts[0] ?? "";
  if (parts.length === 5) return { accessKey, region: parts[2] || undefined, service: parts[3] || undefined };
  if (parts.length === 4) return { accessKey, region: undefined, service: parts[2] || undefined };
  return undefined;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * The account that an access key belongs to: since 2019 its id is spelled in the key (base 32, 40 bits after the
 * prefix and one bit). Undefined for the older keys, which begin with I or J there.
 */
export function accountOfKey(accessKey: string): string | undefined {
  if (!/^A[A-Z]IA[A-Z2-7]{16}$/.test(accessKey) || BASE32.indexOf(accessKey[4] ?? "") < 16) return undefined;
  let bits = 0n;
  for (const letter of accessKey.slice(4, 14)) bits = (bits << 5n) | BigInt(BASE32.indexOf(letter));
  return String((bits >> 9n) & 0xffffffffffn).padStart(12, "0");
}
