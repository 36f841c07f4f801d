// Makes leaves below an authority, all with one key that is never written to disk. Which of them
// exist already is leaf.ts.

import { readAddress } from "../match/destination.ts";
import { type Authority, pemOf } from "./authority.ts";
import { DerCursor, enterOnly, readOid, TAG } from "./certificates/der.ts";
import { EXTENSION } from "./certificates/extensions.ts";
import type { Leaf } from "./leaf.ts";
import {
  alternativeName,
  authorityKeyId,
  basicConstraints,
  keyIdOf,
  keyUsage,
  makeCertificate,
  makeKey,
  nameWith,
  SERVER_AUTH,
  subjectKeyId,
  USAGE,
} from "./make-certificate.ts";

/** X.520's bound on a common name. */
const MOST_SHOWN = 64;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*$/;

/** The key of every leaf of this process, and all that their certificates have in common. */
export class LeafMint {
  readonly #authority: Authority;
  readonly #issuer: Uint8Array;
  readonly #spki: Uint8Array;
  readonly #keyPem: string;
  readonly #extensions: readonly Uint8Array[];

  /** Makes the key. */
  constructor(authority: Authority) {
    const key = makeKey();
    const issuer = readIssuer(authority.certificate.raw);
    this.#authority = authority;
    this.#issuer = issuer.name;
    this.#spki = key.spki;
    this.#keyPem = pemOf(key.privateKey.export({ format: "der", type: "pkcs8" }), "PRIVATE KEY");
    this.#extensions = [
      basicConstraints(false),
      keyUsage(USAGE.digitalSignature),
      SERVER_AUTH,
      subjectKeyId(keyIdOf(key.spki)),
      authorityKeyId(issuer.keyId),
    ];
  }

  /** The leaf for a host in lower case; times in milliseconds since 1970. Throws for a name that can be none. */
  make(host: string, notBefore: number, notAfter: number): Leaf {
    const subject = subjectOf(host);
    const der = makeCertificate(
      {
        issuer: this.#issuer,
        subject: subject.name,
        notBefore: new Date(notBefore),
        notAfter: new Date(notAfter),
        spki: this.#spki,
        extensions: [subject.alternative, ...this.#extensions],
      },
      this.#authority.signingKey,
    );
    return {
      certPem: pemOf(der, "CERTIFICATE") + this.#authority.certificatePem,
      keyPem: this.#keyPem,
    };
  }
}

/**
 * The authority's name as it is encoded, and its own key identifier: it may come from a file that another tool made
 * (RFC 5280 4.2.1.1). The runtime has accepted the certificate, so it is DER.
 */
function readIssuer(certificate: Uint8Array): { readonly name: Uint8Array; readonly keyId: Uint8Array } {
  const body = new DerCursor(certificate).enter(TAG.sequence).enter(TAG.sequence);
  body.takeIf(TAG.context + TAG.constructed);
  body.take(TAG.integer);
  body.take(TAG.sequence);
  body.take(TAG.sequence);
  body.take(TAG.sequence);
  const name = body.take(TAG.sequence).whole;
  const spki = body.take(TAG.sequence).whole;
  body.takeIf(TAG.context + 1);
  body.takeIf(TAG.context + 2);
  const extensions = body.takeIf(TAG.context + TAG.constructed + 3);
  const own = extensions && subjectKeyIdIn(extensions.content);
  return { name, keyId: own ?? keyIdOf(spki) };
}

function subjectKeyIdIn(extensions: Uint8Array): Uint8Array | undefined {
  const cursor = enterOnly(extensions, TAG.sequence);
  while (!cursor.isAtEnd) {
    const each = cursor.enter(TAG.sequence);
    if (readOid(each.take(TAG.oid).content) !== EXTENSION.subjectKeyId) continue;
    each.takeIf(TAG.boolean);
    return new DerCursor(each.take(TAG.octetString).content).take(TAG.octetString).content;
  }
  return undefined;
}

function subjectOf(host: string): { readonly name: Uint8Array; readonly alternative: Uint8Array } {
  const address = readAddress(host.replace(/^\[(.*)\]$/, "$1"));
  if (address === undefined && !HOST_NAME.test(host))
    throw new Error(`no certificate can be made for ${JSON.stringify(host)}`);
  const octets =
    address?.family === 6 ? address.parts.flatMap((group) => [group >> 8, group & 0xff]) : address?.parts;
  // The common name is for people only and must repeat the alternative (CA/B baseline requirements 7.1.4.3);
  // a longer name than X.520 allows goes without.
  const shown = address?.text ?? host;
  return {
    name: nameWith(shown.length <= MOST_SHOWN ? shown : undefined),
    alternative: alternativeName(octets === undefined ? host : Uint8Array.from(octets)),
  };
}
