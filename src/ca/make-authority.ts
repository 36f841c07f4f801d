// Makes the certificate and key of a new authority: self-signed, and good for ten years, because
// every client on this machine is told to trust it.

import { type KeyObject, randomBytes } from "node:crypto";
import {
  authorityKeyId,
  basicConstraints,
  keyIdOf,
  keyUsage,
  makeCertificate,
  makeKey,
  nameWith,
  subjectKeyId,
  USAGE,
} from "./make-certificate.ts";

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 3650;
/** Clocks of containers and virtual machines lag: valid from a day ago. */
const BACKDATED_MS = DAY_MS;

/** A self-signed certificate in DER and its key. */
export function makeAuthority(): { readonly der: Uint8Array; readonly privateKey: KeyObject } {
  const { privateKey, spki } = makeKey();
  const now = Math.floor(Date.now() / 1000) * 1000;
  // The random part tells this machine's authority from those of others in a trust store's list.
  const name = nameWith(`iddio dev CA ${randomBytes(4).toString("hex")}`);
  const keyId = keyIdOf(spki);
  const der = makeCertificate(
    {
      issuer: name,
      subject: name,
      notBefore: new Date(now - BACKDATED_MS),
      notAfter: new Date(now + LIFETIME_DAYS * DAY_MS),
      spki,
      extensions: [
        basicConstraints(true),
        keyUsage(USAGE.keyCertSign, USAGE.crlSign),
        subjectKeyId(keyId),
        authorityKeyId(keyId),
      ],
    },
    privateKey,
  );
  return { der, privateKey };
}
