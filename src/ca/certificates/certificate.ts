// One X.509 certificate as a value (RFC 5280 4.1). Reads strictly and judges only form: whether it
// may stand where it stands in a chain is certificate-rules.ts.

import { DerError, enterOnly, readInteger, readOctetBits, readTime, TAG } from "./der.ts";
import { isEmptyName, readName } from "./distinguished-name.ts";
import { type Extensions, readExtensions } from "./extensions.ts";
import { type PublicKey, readPublicKey, readSignatureScheme, type SignatureScheme } from "./public-key.ts";

/** A certificate that could be read. Bytes are views into `der`. */
export interface Certificate {
  readonly der: Uint8Array;
  /** The part that the signature covers. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
  readonly scheme: SignatureScheme | { readonly refused: string };
  readonly serial: Uint8Array;
  /** Distinguished names as they are encoded; equal bytes are equal names. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Seconds since 1970; both ends belong to the time of validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** A time before 2050 is in the form for later ones. */
  readonly hasOddTime: boolean;
  readonly hasUniqueId: boolean;
  readonly spki: Uint8Array;
  readonly publicKey: PublicKey;
  readonly extensions: Extensions;
}

const VERSION_3 = 2;
const YEAR_2050 = Date.UTC(2050, 0) / 1000;
/** TLS stacks accept no longer chain, so nothing larger is a certificate. */
const MOST_BYTES = 512 * 1024;

/** Reads one certificate in DER, or says in a clause why it cannot be read. */
export function parseCertificate(der: Uint8Array): Certificate | { readonly problem: string } {
  try {
    return readCertificate(der);
  } catch (error) {
    if (error instanceof DerError) return { problem: error.message };
    throw error;
  }
}

function readCertificate(der: Uint8Array): Certificate {
  if (der.length > MOST_BYTES) throw new DerError("it is too large");
  const outer = enterOnly(der, TAG.sequence);
  const signed = outer.take(TAG.sequence);
  const algorithm = outer.take(TAG.sequence).whole;
  const signature = readOctetBits(outer.take(TAG.bitString).content);
  outer.finish();

  const body = enterOnly(signed.whole, TAG.sequence);
  const version = body.takeIf(TAG.context + TAG.constructed);
  const versionNumber = version && enterVersion(version.content);
  if (versionNumber !== VERSION_3) throw new DerError("it is not of version 3");
  const serial = readInteger(body.take(TAG.integer).content);
  if (!areEqualBytes(body.take(TAG.sequence).whole, algorithm))
    throw new DerError("its two signature algorithms differ");
  const issuer = body.take(TAG.sequence).whole;
  const validity = body.enter(TAG.sequence);
  const [from, to] = [readTime(validity.next()), readTime(validity.next())];
  validity.finish();
  const subject = body.take(TAG.sequence).whole;
  const spki = body.take(TAG.sequence).whole;
  const issuerId = body.takeIf(TAG.context + 1);
  const subjectId = body.takeIf(TAG.context + 2);
  const extensions = body.takeIf(TAG.context + TAG.constructed + 3);
  body.finish();
  if (!extensions) throw new DerError("it has no extensions");
  if (isEmptyName(issuer)) throw new DerError("it names no issuer");
  readName(issuer);
  readName(subject);
  return {
    der,
    signed: signed.whole,
    signature,
    scheme: readSignatureScheme(algorithm),
    serial,
    issuer,
    subject,
    notBefore: from.seconds,
    notAfter: to.seconds,
    hasOddTime: [from, to].some(({ seconds, isLate }) => isLate !== seconds >= YEAR_2050),
    hasUniqueId: issuerId !== undefined || subjectId !== undefined,
    spki,
    publicKey: readPublicKey(spki),
    extensions: readExtensions(extensions.content),
  };
}

function enterVersion(content: Uint8Array): number | undefined {
  return content.length === 3 && content[0] === TAG.integer && content[1] === 1 ? content[2] : undefined;
}

/** Whether two byte strings are the same. */
export function areEqualBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Whether a certificate names itself as its issuer, as roots and renewed keys of one authority do. */
export function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return areEqualBytes(issuer, subject);
}
