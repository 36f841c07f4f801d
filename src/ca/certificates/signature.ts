// Checks one certificate's signature with another's key. The bytes that were parsed are the bytes
// that are checked, so nothing can read them in two ways.

import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Certificate } from "./certificate.ts";

/** Imported keys, for as long as their certificates are in use. */
const keys = new WeakMap<Certificate, KeyObject | "unusable">();

/** Whether `issuer`'s key made the signature on `certificate`, by an accepted algorithm. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  const { scheme, signed, signature } = certificate;
  if ("refused" in scheme || scheme.key !== issuer.publicKey.kind) return false;
  const key = keyOf(issuer);
  if (key === "unusable") return false;
  try {
    return verify(
      scheme.hash,
      signed,
      scheme.isPss
        ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
        : { key, dsaEncoding: "der" },
      signature,
    );
  } catch {
    // A signature that the library cannot check does not count.
    return false;
  }
}

function keyOf(certificate: Certificate): KeyObject | "unusable" {
  const known = keys.get(certificate);
  if (known) return known;
  const key = importKey(certificate);
  keys.set(certificate, key);
  return key;
}

function importKey({ spki }: Certificate): KeyObject | "unusable" {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  } catch {
    return "unusable";
  }
}
