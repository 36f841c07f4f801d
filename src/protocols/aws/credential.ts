// Who signed a request, as far as the signature's own scope says: access key, region, service.
// Verifies nothing: AWS does, and refuses a scope that is not the one that was signed. Never
// returns a secret.

import { headerValue, type RequestHead } from "../../model/request.ts";

/** The scope of a Signature Version 4, or what older schemes tell of it. */
export interface AwsScope {
  readonly accessKey: string;
  readonly region: string | undefined;
  readonly service: string | undefined;
}

/** From the Authorization field, else from `X-Amz-Credential` of a presigned URL; undefined for an unsigned request. */
export function readScope(head: RequestHead): AwsScope | undefined {
  const authorization = headerValue(head.headers, "authorization");
  if (authorization !== undefined) {
    const at = authorization.indexOf("Credential=");
    if (at < 0) return undefined;
    const end = authorization.slice(at + 11).search(/[,\s]/);
    return parseScope(end < 0 ? authorization.slice(at + 11) : authorization.slice(at + 11, at + 11 + end));
  }
  const presigned = /[?&]X-Amz-Credential=([^&]+)/i.exec(head.target)?.[1];
  return presigned === undefined ? undefined : parseScope(presigned.replace(/%2F/gi, "/"));
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
