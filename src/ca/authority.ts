// The certificate authority of this installation: one ECDSA P-256 key, made at the first start and
// never again by itself. Clients trust it by name, so a damaged or missing half is an error that
// says what to do: a new authority would break every client that trusts the old one, and look like
// an attack to those who check.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  webcrypto,
  X509Certificate,
} from "node:crypto";
import { chmod, readFile, stat } from "node:fs/promises";
import { UserError } from "../model/user-error.ts";
import { errorCode, writeFileAtomic } from "../state/files.ts";
import type { StatePaths } from "../state/paths.ts";

/** The algorithm of every key that iddio makes. */
export const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;

/** The algorithm of every signature that iddio makes. */
export const SIGNING_ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;

/** A serial number for a certificate: 127 random bits, positive and never zero (RFC 5280 4.1.2.2). */
export function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

/** The authority, with its key in memory. */
export class Authority {
  readonly certificate: X509Certificate;
  /** Signs leaves; never leaves the process. */
  readonly signingKey: webcrypto.CryptoKey;
  /** As in ca.crt. */
  readonly certificatePem: string;
  /** SHA-256 over the DER, upper-case hex with colons, as `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string;
  /** Valid from. */
  readonly notBefore: Date;
  /** Valid until. */
  readonly notAfter: Date;

  private constructor(certificate: X509Certificate, signingKey: webcrypto.CryptoKey) {
    this.certificate = certificate;
    this.signingKey = signingKey;
    this.certificatePem = pemOf(certificate.raw, "CERTIFICATE");
    this.fingerprint = certificateFingerprint(certificate.raw);
    this.notBefore = new Date(certificate.validFrom);
    this.notAfter = new Date(certificate.validTo);
  }

  /**
   * Loads ca.crt and ca.key, or makes both when neither is there. Throws a `UserError` when one is missing, damaged,
   * expired, or when they are not a pair. The caller holds the daemon's lock.
   */
  static async open(paths: StatePaths): Promise<Authority> {
    const [certificate, key] = await Promise.all([
      readIfThere(paths.caCertificate),
      readIfThere(paths.caKey),
    ]);
    if (certificate === undefined && key === undefined) return Authority.#create(paths);
    if (certificate === undefined) throw halfMissing(paths.caCertificate, paths.caKey);
    if (key === undefined) throw halfMissing(paths.caKey, paths.caCertificate);
    await restrict(paths.caKey);
    const loaded = parseCertificate(certificate, paths);
    const signingKey = await parseKey(key, loaded, paths);
    checkUsable(loaded, paths);
    return new Authority(loaded, signingKey);
  }

  /** Writes a new authority. The library that makes certificates is loaded only here and for leaves. */
  static async #create(paths: StatePaths): Promise<Authority> {
    const { makeAuthority } = await import("./make-authority.ts");
    const { der, pkcs8 } = await makeAuthority();
    const authority = new Authority(new X509Certificate(der), await importSigningKey(pkcs8));
    // The certificate first: should the machine stop between the two lines, there is no key that anybody could mistake
    // for a good one.
    await writeFileAtomic(paths.caCertificate, authority.certificatePem, 0o644);
    await writeFileAtomic(paths.caKey, pemOf(pkcs8, "PRIVATE KEY"), 0o600);
    return authority;
  }
}

/** Lines of 64 characters, with the last one ended (RFC 7468). */
export function pemOf(der: Uint8Array, label: string): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .replace(/(.{64})(?=.)/g, "$1\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

/** SHA-256 of a certificate's DER, upper-case hex with colons. */
export function certificateFingerprint(der: Uint8Array): string {
  const digest = createHash("sha256").update(der).digest("hex").toUpperCase();
  return digest.replace(/(..)(?=.)/g, "$1:");
}

function importSigningKey(pkcs8: Uint8Array): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey("pkcs8", new Uint8Array(pkcs8), KEY_ALGORITHM, false, ["sign"]);
}

function parseCertificate(pem: string, paths: StatePaths): X509Certificate {
  try {
    if (pem.split("-----BEGIN CERTIFICATE-----").length === 2) return new X509Certificate(pem);
  } catch {
    // reported below, with a hint
  }
  throw unusable(`'${paths.caCertificate}' does not hold one whole certificate`, paths);
}

async function parseKey(
  pem: string,
  certificate: X509Certificate,
  paths: StatePaths,
): Promise<webcrypto.CryptoKey> {
  let spki: Buffer;
  let pkcs8: Buffer;
  try {
    const key = createPrivateKey(pem);
    spki = createPublicKey(key).export({ type: "spki", format: "der" });
    pkcs8 = key.export({ type: "pkcs8", format: "der" });
  } catch {
    throw unusable(`'${paths.caKey}' does not hold a whole private key`, paths);
  }
  if (!spki.equals(new Uint8Array(certificate.publicKey.export({ type: "spki", format: "der" }))))
    throw unusable(`'${paths.caKey}' is not the key of '${paths.caCertificate}'`, paths);
  try {
    return await importSigningKey(pkcs8);
  } catch {
    throw unusable(`'${paths.caKey}' is not an ECDSA P-256 key`, paths);
  }
}

function checkUsable(certificate: X509Certificate, paths: StatePaths): void {
  const [notBefore, notAfter] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (!certificate.ca)
    throw unusable(`'${paths.caCertificate}' is not the certificate of an authority`, paths);
  if (notAfter.getTime() <= Date.now())
    throw new UserError(`'${paths.caCertificate}' expired on ${notAfter.toISOString().slice(0, 10)}`, {
      hint: "iddio repair makes a new one; clients that were told to trust the old one must be told again",
    });
  if (notBefore.getTime() > Date.now())
    throw new UserError(
      `'${paths.caCertificate}' is valid only from ${notBefore.toISOString()}, and it is ${new Date().toISOString()} here`,
      { hint: "set the clock of this machine" },
    );
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw new UserError(`cannot read '${path}': ${error instanceof Error ? error.message : String(error)}`, {
      hint: `make it yours and readable (chmod u+r '${path}')`,
      cause: error,
    });
  }
}

/** A key that others can read is made private again before it is used. */
async function restrict(path: string): Promise<void> {
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
}

function halfMissing(missing: string, present: string): UserError {
  return new UserError(`'${missing}' is missing, but '${present}' is there`, {
    hint: `restore it from a backup, or remove '${present}' to make a new authority (clients must then trust the new one)`,
  });
}

function unusable(message: string, paths: StatePaths): UserError {
  return new UserError(message, {
    hint: `restore both from a backup, or remove '${paths.caCertificate}' and '${paths.caKey}' to make a new authority (clients must then trust the new one)`,
  });
}
