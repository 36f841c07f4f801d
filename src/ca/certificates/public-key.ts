// The key in a certificate and the signature algorithms that iddio accepts: those of the CA/Browser
// Forum's Baseline Requirements 6.1.5 and 7.1.3, and Ed25519, which private authorities use.
// Nothing here computes.

import {
  DerCursor,
  DerError,
  enterOnly,
  readCount,
  readInteger,
  readOctetBits,
  readOid,
  TAG,
} from "./der.ts";

/** A SubjectPublicKeyInfo, judged. `weakness` is a clause when the key must not be trusted. */
export interface PublicKey {
  readonly kind: "rsa" | "ec" | "ed25519" | "other";
  readonly weakness: string | undefined;
}

/** How a signature is computed; undefined hash: the algorithm brings its own. */
export interface SignatureScheme {
  readonly key: "rsa" | "ec" | "ed25519";
  readonly hash: "sha256" | "sha384" | "sha512" | undefined;
  readonly isPss: boolean;
}

const RSA = "1.2.840.113549.1.1.1";
const EC = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";
const RSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";

const CURVES: ReadonlySet<string> = new Set(["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"]);
const HASHES: Readonly<Record<string, "sha256" | "sha384" | "sha512">> = {
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};
const HASH_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const;

const SCHEMES: Readonly<Record<string, SignatureScheme>> = {
  "1.2.840.113549.1.1.11": { key: "rsa", hash: "sha256", isPss: false },
  "1.2.840.113549.1.1.12": { key: "rsa", hash: "sha384", isPss: false },
  "1.2.840.113549.1.1.13": { key: "rsa", hash: "sha512", isPss: false },
  "1.2.840.10045.4.3.2": { key: "ec", hash: "sha256", isPss: false },
  "1.2.840.10045.4.3.3": { key: "ec", hash: "sha384", isPss: false },
  "1.2.840.10045.4.3.4": { key: "ec", hash: "sha512", isPss: false },
  [ED25519]: { key: "ed25519", hash: undefined, isPss: false },
};

/** Names for the algorithms that are refused most. */
const REFUSED: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.4": "MD5",
  "1.2.840.113549.1.1.5": "SHA-1",
  "1.3.14.3.2.29": "SHA-1",
  "1.2.840.10045.4.1": "SHA-1",
  "1.2.840.10040.4.3": "DSA with SHA-1",
  "2.16.840.1.101.3.4.3.2": "DSA",
};

/** Bounds of an RSA modulus in bits: below is breakable, above only makes the check slow. */
const RSA_BITS = { least: 2048, most: 16_384 } as const;

/** Reads a SubjectPublicKeyInfo. Throws DerError when it is malformed. */
export function readPublicKey(spki: Uint8Array): PublicKey {
  const cursor = enterOnly(spki, TAG.sequence);
  const algorithm = cursor.enter(TAG.sequence);
  const bits = readOctetBits(cursor.take(TAG.bitString).content);
  cursor.finish();
  const oid = readOid(algorithm.take(TAG.oid).content);
  switch (oid) {
    case RSA:
      return { kind: "rsa", weakness: rsaWeakness(bits) };
    case EC: {
      const parameters = algorithm.next();
      const isNamed = parameters.tag === TAG.oid && CURVES.has(readOid(parameters.content));
      return { kind: "ec", weakness: isNamed ? undefined : "its curve is not P-256, P-384 or P-521" };
    }
    case ED25519:
      algorithm.finish();
      return { kind: "ed25519", weakness: undefined };
    default:
      return { kind: "other", weakness: "it is neither RSA, ECDSA nor Ed25519" };
  }
}

function rsaWeakness(bits: Uint8Array): string | undefined {
  const cursor = enterOnly(bits, TAG.sequence);
  const modulus = readInteger(cursor.take(TAG.integer).content);
  const exponent = readCount(cursor.take(TAG.integer).content);
  cursor.finish();
  const lead = modulus[0] === 0 ? 1 : 0;
  const size = (modulus.length - lead) * 8 - Math.clz32(modulus[lead] ?? 0) + 24;
  if ((modulus[0] ?? 0) >= 0x80) throw new DerError("a modulus is negative");
  if (size < RSA_BITS.least) return `an RSA key of ${size} bits is too short`;
  if (size > RSA_BITS.most) return `an RSA key of ${size} bits is too long to check`;
  if (size % 8 !== 0) return `an RSA key of ${size} bits is of no whole number of bytes`;
  return exponent < 3 || exponent % 2 === 0
    ? "the exponent of its RSA key is not odd and above 1"
    : undefined;
}

/** The scheme that an AlgorithmIdentifier names, or a clause that says why it is not accepted. */
export function readSignatureScheme(algorithm: Uint8Array): SignatureScheme | { readonly refused: string } {
  const cursor = enterOnly(algorithm, TAG.sequence);
  const oid = readOid(cursor.take(TAG.oid).content);
  if (oid === RSA_PSS) return readPss(cursor);
  const scheme = SCHEMES[oid];
  if (!scheme) return { refused: `signed with ${REFUSED[oid] ?? "an algorithm that is not accepted"}` };
  // RFC 4055 wants NULL for RSA, RFC 5758 and 8410 nothing at all for the others.
  if (scheme.key === "rsa") cursor.takeIf(TAG.null);
  cursor.finish();
  return scheme;
}

/** RFC 4055 3.1. Only what anyone issues is accepted: one hash throughout, a salt of its length. */
function readPss(cursor: DerCursor): SignatureScheme | { readonly refused: string } {
  const refused = { refused: "signed with RSA-PSS parameters that are not accepted" };
  const parameters = cursor.enter(TAG.sequence);
  cursor.finish();
  const field = (number: number) => parameters.takeIf(TAG.context + TAG.constructed + number)?.content;
  const hashField = field(0);
  const maskField = field(1);
  const saltField = field(2);
  if (!hashField || !maskField || !saltField || !parameters.isAtEnd) return refused;
  const hash = readHash(hashField);
  const mask = enterOnly(maskField, TAG.sequence);
  if (readOid(mask.take(TAG.oid).content) !== MGF1) return refused;
  const maskHash = readHash(mask.next().whole);
  mask.finish();
  const salt = readCount(new DerCursor(saltField).take(TAG.integer).content);
  return hash !== undefined && hash === maskHash && salt === HASH_BYTES[hash]
    ? { key: "rsa", hash, isPss: true }
    : refused;
}

function readHash(algorithm: Uint8Array): "sha256" | "sha384" | "sha512" | undefined {
  const cursor = enterOnly(algorithm, TAG.sequence);
  const oid = readOid(cursor.take(TAG.oid).content);
  cursor.takeIf(TAG.null);
  cursor.finish();
  return HASHES[oid];
}
