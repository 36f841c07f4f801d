// Makes the placeholder of AWS keys: an access key of the real account and a random secret, both
// derived from this machine's secret for each run. The account stands in an access key (base 32,
// after the prefix and one bit), and policies go by it, so a placeholder must name the same one.

import { createHmac } from "node:crypto";
import type { AwsKeys } from "./signature.ts";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The placeholder of a credential for an account ("" when that is not known); `runId` is "" outside of runs. */
export function placeholderKeys(secret: Uint8Array, name: string, account: string, runId: string): AwsKeys {
  const random = (what: string) =>
    createHmac("sha256", secret).update(`aws ${what}\0${name}\0${runId}`).digest();
  const bytes = random("key");
  return {
    accessKey: account === "" ? `AKIAI${base32(bytes, 15)}` : `AKIA${withAccount(bytes, account)}`,
    secretKey: random("secret").toString("base64").slice(0, 40),
  };
}

function base32(bytes: Uint8Array, length: number): string {
  return Array.from({ length }, (_, at) => BASE32[(bytes[at] ?? 0) & 31]).join("");
}

/** One bit that is set, forty of the account, and random bits. */
function withAccount(bytes: Uint8Array, account: string): string {
  const bits = (1n << 49n) | (BigInt(account) << 9n) | BigInt((bytes[30] ?? 0) << 1);
  const first = Array.from({ length: 10 }, (_, at) => BASE32[Number((bits >> BigInt((9 - at) * 5)) & 31n)]);
  return first.join("") + base32(bytes, 6);
}
