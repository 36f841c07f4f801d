// Makes one leaf. Apart from the store of leaves, because the library that makes certificates is
// loaded with the first of them.

import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { canonicalAddress } from "../match/destination.ts";
import { type Authority, KEY_ALGORITHM, pemOf, randomSerial, SIGNING_ALGORITHM } from "./authority.ts";
import type { Leaf } from "./leaf.ts";

/** The key of every leaf of this process, and all that their certificates have in common. */
export class LeafMint {
  readonly #authority: Authority;
  readonly #issuer: x509.Name;
  readonly #publicKey: webcrypto.CryptoKey;
  readonly #keyPem: string;
  readonly #extensions: readonly x509.Extension[];

  private constructor(
    authority: Authority,
    issuer: x509.X509Certificate,
    key: { readonly publicKey: webcrypto.CryptoKey; readonly pem: string },
    extensions: readonly x509.Extension[],
  ) {
    this.#authority = authority;
    this.#issuer = issuer.subjectName;
    this.#publicKey = key.publicKey;
    this.#keyPem = key.pem;
    this.#extensions = extensions;
  }

  /** Makes the key. */
  static async start(authority: Authority): Promise<LeafMint> {
    const pair = (await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, [
      "sign",
      "verify",
    ])) as webcrypto.CryptoKeyPair;
    const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", pair.privateKey);
    const issuer = new x509.X509Certificate(new Uint8Array(authority.certificate.raw));
    const key = { publicKey: pair.publicKey, pem: pemOf(new Uint8Array(pkcs8), "PRIVATE KEY") };
    return new LeafMint(authority, issuer, key, [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(pair.publicKey),
      await issuerKeyIdentifier(issuer),
    ]);
  }

  /** The leaf for a host in lower case; times in milliseconds since 1970. Rejects a name that can be none. */
  async make(host: string, notBefore: number, notAfter: number): Promise<Leaf> {
    const subject = subjectOf(host);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      subject: subject.name,
      issuer: this.#issuer,
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      publicKey: this.#publicKey,
      signingKey: this.#authority.signingKey,
      signingAlgorithm: SIGNING_ALGORITHM,
      extensions: [subject.alternative, ...this.#extensions],
    });
    return {
      certPem: pemOf(new Uint8Array(certificate.rawData), "CERTIFICATE") + this.#authority.certificatePem,
      keyPem: this.#keyPem,
    };
  }
}

/** Repeats the authority's own key identifier: it may come from a file that another tool made (RFC 5280 4.2.1.1). */
async function issuerKeyIdentifier(issuer: x509.X509Certificate): Promise<x509.Extension> {
  const own = issuer.getExtension(x509.SubjectKeyIdentifierExtension);
  if (own === null) return x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey);
  return new x509.AuthorityKeyIdentifierExtension(own.keyId);
}

function subjectOf(host: string): { readonly name: x509.JsonName; readonly alternative: x509.Extension } {
  const address = canonicalAddress(host.replace(/^\[(.*)\]$/, "$1"));
  if (
    address === undefined &&
    !/^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/.test(host)
  )
    throw new Error(`no certificate can be made for ${JSON.stringify(host)}`);
  const alternative = new x509.SubjectAlternativeNameExtension([
    address === undefined ? { type: "dns", value: host } : { type: "ip", value: address },
  ]);
  // The common name is for people only and must repeat the alternative (CA/B baseline requirements 7.1.4.3);
  // a longer name than X.520's 64 characters goes without.
  const shown = address ?? host;
  return { name: [{ O: ["iddio"] }, ...(shown.length <= 64 ? [{ CN: [shown] }] : [])], alternative };
}
