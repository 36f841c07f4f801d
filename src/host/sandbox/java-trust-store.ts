// A Java key store of trusted certificates in the old format (JKS), which every Java reads without
// a password: Java reads no PEM bundle. From java.security's sun.security.provider.JavaKeyStore.

const MAGIC = 0xfeedfeed;
const VERSION = 2;
const TRUSTED = 2;
/**
 * The digest at the end of the file covers the password, this text and the contents; the password is Java's
 * own default.
 */
const WHITENER = "Mighty Aphrodite";
const PASSWORD = "changeit";

/** The key store of every certificate in a PEM text. */
export function javaTrustStore(pem: string): Uint8Array {
  const certificates = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)].map(
    ([, base64 = ""]) => Buffer.from(base64, "base64"),
  );
  const parts: Buffer[] = [words(MAGIC, VERSION, certificates.length)];
  for (const [index, der] of certificates.entries())
    parts.push(words(TRUSTED), text(`iddio-${index}`), words(0, 0), text("X.509"), words(der.length), der);
  const contents = Buffer.concat(parts);
  const digest = new Bun.CryptoHasher("sha1")
    .update(Buffer.from(PASSWORD, "utf16le").swap16())
    .update(WHITENER)
    .update(contents)
    .digest();
  return Buffer.concat([contents, digest]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, index * 4);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}
