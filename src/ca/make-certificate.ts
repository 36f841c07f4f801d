// Makes one certificate (RFC 5280 4.1), written as DER by itself: a library for it takes longer to
// load than all that a daemon does with its certificates, and 10 ms for each of them.

import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { TAG } from "./certificates/der.ts";
import {
  bitString,
  context,
  der,
  flags,
  octetString,
  oid,
  sequence,
  set,
  TRUE,
  time,
  utf8,
} from "./certificates/der-writer.ts";
import { EXTENSION } from "./certificates/extensions.ts";

/** The bytes of the uncompressed point of a P-256 key, which end its SubjectPublicKeyInfo. */
const POINT_BYTES = 65;
const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const ORGANISATION = "2.5.4.10";
const COMMON_NAME = "2.5.4.3";
const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
/** All characters of a PrintableString (X.680 41.4): the kind that a name has where it can. */
const PRINTABLE = /^[A-Za-z0-9 '()+,./:=?-]*$/;

/** Numbers of key usages. */
export const USAGE = { digitalSignature: 0, keyCertSign: 5, crlSign: 6 } as const;

/** A new key on P-256, the curve of every key that iddio makes. */
export interface MadeKey {
  readonly privateKey: KeyObject;
  /** The public half as SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
}

/** Makes a key. */
export function makeKey(): MadeKey {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { privateKey: pair.privateKey, spki: pair.publicKey.export({ format: "der", type: "spki" }) };
}

/** The content of a certificate. Names are encoded distinguished names. */
export interface CertificateContent {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly spki: Uint8Array;
  readonly extensions: readonly Uint8Array[];
}

/** The certificate in DER, signed with a key on P-256. */
export function makeCertificate(content: CertificateContent, signingKey: KeyObject): Uint8Array {
  const signed = sequence(
    context(0, true, der(TAG.integer, Uint8Array.of(2))),
    der(TAG.integer, randomSerial()),
    ECDSA_WITH_SHA256,
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.spki,
    context(3, true, sequence(...content.extensions)),
  );
  return sequence(signed, ECDSA_WITH_SHA256, bitString(sign("sha256", signed, signingKey)));
}

/** 127 random bits, positive and never zero (RFC 5280 4.1.2.2). */
function randomSerial(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

/** The distinguished name of iddio with a common name, or without. */
export function nameWith(commonName: string | undefined): Uint8Array {
  const shown = commonName === undefined ? [] : [namePart(COMMON_NAME, commonName)];
  return sequence(namePart(ORGANISATION, "iddio"), ...shown);
}

function namePart(type: string, value: string): Uint8Array {
  return set(sequence(oid(type), der(PRINTABLE.test(value) ? PRINTABLE_STRING : UTF8_STRING, utf8(value))));
}

/** Basic constraints, critical: an authority for leaves only, or no authority. */
export function basicConstraints(isCa: boolean): Uint8Array {
  const value = isCa ? [TRUE, der(TAG.integer, Uint8Array.of(0))] : [];
  return extension(EXTENSION.basicConstraints, sequence(...value), true);
}

/** Key usage, critical; numbers of USAGE. */
export function keyUsage(...usages: readonly number[]): Uint8Array {
  return extension(EXTENSION.keyUsage, flags(...usages), true);
}

/** Extended key usage: a server of TLS. */
export const SERVER_AUTH = extension(EXTENSION.extendedKeyUsage, sequence(oid("1.3.6.1.5.5.7.3.1")));

/** The identifier of the certificate's own key. */
export function subjectKeyId(keyId: Uint8Array): Uint8Array {
  return extension(EXTENSION.subjectKeyId, octetString(keyId));
}

/** The identifier of the issuer's key. */
export function authorityKeyId(keyId: Uint8Array): Uint8Array {
  return extension(EXTENSION.authorityKeyId, sequence(context(0, false, keyId)));
}

/** Subject alternative names: one host name in ASCII, or one address as its bytes. */
export function alternativeName(name: string | Uint8Array): Uint8Array {
  const general = typeof name === "string" ? context(2, false, utf8(name)) : context(7, false, name);
  return extension(EXTENSION.alternativeNames, sequence(general));
}

/** The identifier of a key on P-256: SHA-1 of its bits (RFC 5280 4.2.1.2). */
export function keyIdOf(spki: Uint8Array): Uint8Array {
  return createHash("sha1").update(spki.subarray(-POINT_BYTES)).digest();
}

function extension(id: string, value: Uint8Array, isCritical = false): Uint8Array {
  return sequence(oid(id), ...(isCritical ? [TRUE] : []), octetString(value));
}
