// The rules for one certificate by its place in a chain, whatever the others are (RFC 5280 6.1.3
// and 6.1.4, and the strength that the Baseline Requirements ask for). These rules protect, so they
// hold for every chain; those about tidy issuing are issuance-rules.ts. Each answers with a clause
// that follows "it" or "the certificate".

import type { Certificate } from "../certificates/certificate.ts";
import { isEmptyName } from "../certificates/distinguished-name.ts";
import { EXTENSION, KEY_USAGE } from "../certificates/extensions.ts";
import { addressText } from "./server-identity.ts";

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
/** anyExtendedKeyUsage. */
export const ANY_USAGE = "2.5.29.37.0";

const UNDERSTOOD: ReadonlySet<string> = new Set(Object.values(EXTENSION));

/** Judges the time of validity; `nowSeconds` is whole. */
export function timeProblem({ notBefore, notAfter }: Certificate, nowSeconds: number): string | undefined {
  if (nowSeconds > notAfter) return `expired on ${dateText(notAfter)}`;
  return nowSeconds < notBefore ? `is not valid before ${dateText(notBefore)}` : undefined;
}

function dateText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Judges the certificate of an authority, trusted or presented. */
export function authorityProblem(certificate: Certificate): string | undefined {
  const { basicConstraints, keyUsage } = certificate.extensions;
  if (!basicConstraints?.isCa) return "belongs to no certificate authority";
  if (keyUsage !== undefined && (keyUsage & KEY_USAGE.keyCertSign) === 0)
    return "must not be used to sign certificates (key usage)";
  if (isEmptyName(certificate.subject)) return "names no subject";
  return commonProblem(certificate);
}

/** Judges a server's own certificate, name aside. */
export function serverProblem(certificate: Certificate): string | undefined {
  const { keyUsage, alternativeNames } = certificate.extensions;
  if (!alternativeNames) return "has no subject alternative name";
  if (alternativeNames.some((name) => name.kind === "address" && addressText(name.bytes) === undefined))
    return "holds a malformed address";
  const { digitalSignature, keyEncipherment } = KEY_USAGE;
  const useful = digitalSignature | (certificate.publicKey.kind === "rsa" ? keyEncipherment : 0);
  if (keyUsage !== undefined && (keyUsage & useful) === 0)
    return "must not be used by a TLS server (key usage)";
  return commonProblem(certificate);
}

function commonProblem({ publicKey, extensions }: Certificate): string | undefined {
  if (publicKey.weakness !== undefined) return `has a key that is not accepted: ${publicKey.weakness}`;
  for (const oid of extensions.critical)
    if (!UNDERSTOOD.has(oid)) return `has a critical extension that is not understood (${oid})`;
  // RFC 5280 4.2.1.12; an authority's list limits the certificates below it, as every client reads it.
  const usages = extensions.extendedKeyUsage;
  if (usages && !usages.includes(SERVER_AUTH) && !usages.includes(ANY_USAGE))
    return "must not be used for TLS servers (extended key usage)";
  return undefined;
}
