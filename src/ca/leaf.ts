// Certificates for the names and addresses that clients ask for, minted on demand. All of one
// process share one key that is never written to disk. Each carries exactly one subject alternative
// name, so that an HTTP/2 client has no reason to send requests for another host over the same
// connection (RFC 9113 9.1.1).

import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { canonicalAddress } from "../match/destination.ts";
import { type Authority, KEY_ALGORITHM, randomSerial, SIGNING_ALGORITHM } from "./authority.ts";

const DAY_MS = 86_400_000;
/** Well under the 398 days that clients accept at most. */
const LIFETIME_MS = 90 * DAY_MS;
/** For clients whose clock is behind; not further back than the authority itself. */
const BACKDATED_MS = DAY_MS / 2;
/** A leaf with less than this left is minted again. */
const RENEW_BEFORE_MS = 30 * DAY_MS;

/** A certificate and its key, as a TLS server needs them. */
export interface Leaf {
  /** The leaf, then the authority's certificate. */
  readonly certPem: string;
  /** PKCS #8; the same for every leaf of this process. */
  readonly keyPem: string;
}

interface Cached {
  readonly leaf: Promise<Leaf>;
  /** Milliseconds of the epoch. */
  readonly renewAt: number;
}

interface LeafKey {
  readonly publicKey: webcrypto.CryptoKey;
  readonly keyPem: string;
  readonly extensions: readonly x509.Extension[];
}

/** Mints and remembers leaves; the least recently used are forgotten first. */
export class LeafStore {
  readonly #authority: Authority;
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #cache = new Map<string, Cached>();
  #key: Promise<LeafKey> | undefined;

  constructor(
    authority: Authority,
    options: { readonly capacity?: number; readonly now?: () => number } = {},
  ) {
    this.#authority = authority;
    this.#capacity = options.capacity ?? 1000;
    this.#now = options.now ?? Date.now;
  }

  /**
   * The leaf for one host name (ASCII, as in SNI) or IP address (with or without brackets). Calls at the same
   * time share one mint. Rejects a name that can be neither.
   */
  leafFor(name: string): Promise<Leaf> {
    const host = name.toLowerCase().replace(/\.$/, "");
    const cached = this.#cache.get(host);
    this.#cache.delete(host);
    const entry = cached !== undefined && cached.renewAt > this.#now() ? cached : this.#mintEntry(host);
    this.#cache.set(host, entry); // at the end: most recently used
    if (this.#cache.size > this.#capacity) {
      const oldest = this.#cache.keys().next().value;
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    return entry.leaf;
  }

  #mintEntry(host: string): Cached {
    const now = this.#now();
    const notAfter = Math.min(now + LIFETIME_MS, this.#authority.notAfter.getTime());
    // Near the authority's own end there is nothing longer to be had: such a leaf is kept while it is valid.
    const renewAt = Math.max(notAfter - RENEW_BEFORE_MS, Math.min(now + DAY_MS, notAfter));
    const leaf = this.#mint(host, now, notAfter);
    const entry = { leaf, renewAt };
    leaf.catch(() => {
      if (this.#cache.get(host) === entry) this.#cache.delete(host);
    });
    return entry;
  }

  async #mint(host: string, now: number, notAfter: number): Promise<Leaf> {
    const subject = subjectOf(host);
    this.#key ??= makeKey(this.#authority);
    const key = await this.#key;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      subject: subject.name,
      issuer: this.#authority.certificate.subjectName,
      notBefore: new Date(Math.max(now - BACKDATED_MS, this.#authority.notBefore.getTime())),
      notAfter: new Date(notAfter),
      publicKey: key.publicKey,
      signingKey: this.#authority.signingKey,
      signingAlgorithm: SIGNING_ALGORITHM,
      extensions: [subject.alternative, ...key.extensions],
    });
    return {
      certPem: `${certificate.toString("pem")}\n${this.#authority.certificatePem}`,
      keyPem: key.keyPem,
    };
  }
}

async function makeKey(authority: Authority): Promise<LeafKey> {
  const pair = (await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", pair.privateKey);
  return {
    publicKey: pair.publicKey,
    keyPem: `${x509.PemConverter.encode(pkcs8, "PRIVATE KEY")}\n`,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(pair.publicKey),
      await issuerKeyIdentifier(authority),
    ],
  };
}

/** Repeats the authority's own key identifier: it may come from a file that another tool made (RFC 5280 4.2.1.1). */
async function issuerKeyIdentifier(authority: Authority): Promise<x509.Extension> {
  const own = authority.certificate.getExtension(x509.SubjectKeyIdentifierExtension);
  if (own === null) return x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey);
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
