// Makes the certificate and key of a new authority. Apart from the authority, because the library
// that makes certificates takes longer to load than all that a start does with them.

import { randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { KEY_ALGORITHM, randomSerial, SIGNING_ALGORITHM } from "./authority.ts";

const DAY_MS = 86_400_000;
const LIFETIME_DAYS = 3650;
/** Clocks of containers and virtual machines lag: valid from a day ago. */
const BACKDATED_MS = DAY_MS;

/** A self-signed certificate in DER and its key as PKCS #8. */
export async function makeAuthority(): Promise<{ readonly der: Uint8Array; readonly pkcs8: Uint8Array }> {
  const keys = (await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const certificate = await selfSigned(keys);
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { der: new Uint8Array(certificate.rawData), pkcs8: new Uint8Array(pkcs8) };
}

function selfSigned(keys: webcrypto.CryptoKeyPair): Promise<x509.X509Certificate> {
  const now = Math.floor(Date.now() / 1000) * 1000;
  const { KeyUsageFlags } = x509;
  return Promise.all([
    x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
  ]).then((identifiers) =>
    x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: randomSerial(),
      // The random part tells this machine's authority from those of others in a trust store's list.
      name: [{ O: ["iddio"] }, { CN: [`iddio dev CA ${randomBytes(4).toString("hex")}`] }],
      notBefore: new Date(now - BACKDATED_MS),
      notAfter: new Date(now + LIFETIME_DAYS * DAY_MS),
      keys,
      signingAlgorithm: SIGNING_ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        ...identifiers,
      ],
    }),
  );
}
