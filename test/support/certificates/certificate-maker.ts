// Makes certificates for tests: correct by default, and wrong in whatever way a test asks for.

import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  bitString,
  context,
  der,
  flags,
  integer,
  octetString,
  oid,
  sequence,
  set,
  TRUE,
  text,
  time,
} from "./der-writer.ts";

/** A key pair; making one costs, so tests share them. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly spki: Uint8Array;
}

/** An extension by its identifier. */
export interface Extension {
  readonly id: string;
  readonly isCritical?: boolean;
  readonly value: Uint8Array;
}

/** The parts of a certificate; every part has a correct default. */
export interface CertificateParts {
  readonly subject?: Uint8Array;
  readonly issuer?: Uint8Array;
  readonly keys?: KeyPair;
  readonly issuerKeys?: KeyPair;
  readonly serial?: Uint8Array;
  readonly from?: Date;
  readonly to?: Date;
  /** Added to the usual ones, or put in place of the one with the same identifier. */
  readonly extensions?: readonly Extension[];
  readonly withoutExtensions?: readonly string[];
  readonly algorithm?: { readonly id: Uint8Array; readonly hash: string | null };
  /** The algorithm outside of what is signed. */
  readonly outerAlgorithm?: Uint8Array;
  readonly version?: Uint8Array;
  readonly beforeExtensions?: Uint8Array;
}

/** A made certificate with what is needed to issue below it. */
export interface MadeCertificate {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly subject: Uint8Array;
  readonly keys: KeyPair;
  /** The private key in PEM. */
  readonly keyPem: string;
}

/** Identifiers of extensions. */
export const ID = {
  ski: "2.5.29.14",
  keyUsage: "2.5.29.15",
  san: "2.5.29.17",
  basic: "2.5.29.19",
  names: "2.5.29.30",
  policies: "2.5.29.32",
  mappings: "2.5.29.33",
  aki: "2.5.29.35",
  policyConstraints: "2.5.29.36",
  usages: "2.5.29.37",
  anyPolicy: "2.5.29.54",
  aia: "1.3.6.1.5.5.7.1.1",
} as const;

/** Signature algorithms. */
export const ALGORITHM = {
  ecdsaSha256: { id: sequence(oid("1.2.840.10045.4.3.2")), hash: "sha256" },
  ecdsaSha384: { id: sequence(oid("1.2.840.10045.4.3.3")), hash: "sha384" },
  ecdsaSha1: { id: sequence(oid("1.2.840.10045.4.1")), hash: "sha1" },
  ed25519: { id: sequence(oid("1.3.101.112")), hash: null },
} as const;

/** Makes a key pair on a curve, P-256 unless told. */
export function makeKeys(curve = "P-256"): KeyPair {
  const pair = generateKeyPairSync("ec", { namedCurve: curve });
  return { privateKey: pair.privateKey, spki: pair.publicKey.export({ format: "der", type: "spki" }) };
}

/** Makes a key pair of another kind. */
export function makeOtherKeys(kind: "ed25519" | { readonly rsaBits: number }): KeyPair {
  const pair =
    kind === "ed25519"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("rsa", { modulusLength: kind.rsaBits });
  return { privateKey: pair.privateKey, spki: pair.publicKey.export({ format: "der", type: "spki" }) };
}

const sharedKeys = new Map<string, KeyPair>();

/** The key pair that belongs to a label in this process. */
export function keysOf(label: string): KeyPair {
  const known = sharedKeys.get(label) ?? makeKeys();
  sharedKeys.set(label, known);
  return known;
}

/** A name with one common name, or with none and so empty. */
export function nameOf(commonName?: string): Uint8Array {
  return commonName === undefined
    ? sequence()
    : sequence(set(sequence(oid("2.5.4.3"), der(0x0c, text(commonName)))));
}

/** Host names and addresses (as bytes) for alternative names and constraints. */
export type Name = string | Uint8Array;

/** One name as a GeneralName. */
export function generalName(name: Name): Uint8Array {
  return typeof name === "string" ? context(2, false, text(name)) : context(7, false, name);
}

/** Subject alternative names. */
export function alternativeNames(names: readonly Name[], isCritical = false): Extension {
  return { id: ID.san, isCritical, value: sequence(...names.map(generalName)) };
}

/** Name constraints; addresses are followed by their mask. */
export function nameConstraints(
  {
    permitted = [],
    excluded = [],
  }: { readonly permitted?: readonly Name[]; readonly excluded?: readonly Name[] },
  isCritical = true,
): Extension {
  const trees = (number: number, names: readonly Name[]) =>
    names.length === 0 ? [] : [context(number, true, ...names.map((name) => sequence(generalName(name))))];
  return { id: ID.names, isCritical, value: sequence(...trees(0, permitted), ...trees(1, excluded)) };
}

/** Basic constraints. */
export function basicConstraints(isCa: boolean, pathLength?: number, isCritical = true): Extension {
  const length = pathLength === undefined ? [] : [integer(pathLength)];
  return { id: ID.basic, isCritical, value: sequence(...(isCa ? [TRUE] : []), ...length) };
}

/** Key usage by the standard's bit numbers. */
export function keyUsage(...bits: readonly number[]): Extension {
  return { id: ID.keyUsage, isCritical: true, value: flags(...bits) };
}

/** Extended key usage by identifiers. */
export function usages(...ids: readonly string[]): Extension {
  return { id: ID.usages, value: sequence(...ids.map(oid)) };
}

/** The identifier that a key is given in subject and authority key identifiers. */
export function keyIdOf({ spki }: KeyPair): Uint8Array {
  return createHash("sha1").update(spki).digest();
}

/** A self-signed root. */
export function makeRoot(label = "root", parts: CertificateParts = {}): MadeCertificate {
  const keys = parts.keys ?? keysOf(label);
  const subject = parts.subject ?? nameOf(label);
  return make([basicConstraints(true), keyUsage(5, 6), { id: ID.ski, value: octetString(keyIdOf(keys)) }], {
    issuer: subject,
    issuerKeys: keys,
    ...parts,
    subject,
    keys,
  });
}

/** An authority below `issuer`. */
export function makeAuthority(
  issuer: MadeCertificate,
  label: string,
  parts: CertificateParts = {},
): MadeCertificate {
  const keys = parts.keys ?? keysOf(label);
  return make(
    [
      basicConstraints(true),
      keyUsage(5, 6),
      { id: ID.ski, value: octetString(keyIdOf(keys)) },
      authorityKeyId(issuer.keys),
    ],
    { subject: nameOf(label), issuer: issuer.subject, issuerKeys: issuer.keys, ...parts, keys },
  );
}

/** A server's certificate below `issuer` for `names`. */
export function makeServer(
  issuer: MadeCertificate,
  names: readonly Name[] = ["example.com"],
  parts: CertificateParts = {},
): MadeCertificate {
  return make(
    [
      basicConstraints(false),
      keyUsage(0),
      usages("1.3.6.1.5.5.7.3.1"),
      alternativeNames(names),
      authorityKeyId(issuer.keys),
    ],
    {
      subject: nameOf("a server"),
      issuer: issuer.subject,
      issuerKeys: issuer.keys,
      keys: keysOf("server"),
      ...parts,
    },
  );
}

/** An authority key identifier that is a key identifier alone. */
export function authorityKeyId(keys: KeyPair): Extension {
  return { id: ID.aki, value: sequence(context(0, false, keyIdOf(keys))) };
}

/** An AuthorityInformationAccess, a policy list and the like: an extension of any value. */
export function extension(id: string, value: Uint8Array, isCritical = false): Extension {
  return { id, value, isCritical };
}

let serials = 1;

function make(usual: readonly Extension[], parts: CertificateParts): MadeCertificate {
  const { subject = nameOf("nobody"), keys = keysOf("nobody"), algorithm = ALGORITHM.ecdsaSha256 } = parts;
  const { issuer = subject, issuerKeys = keys, extensions = [], withoutExtensions = [] } = parts;
  const kept = usual.filter(
    ({ id }) => !withoutExtensions.includes(id) && !extensions.some((each) => each.id === id),
  );
  const all = [...kept, ...extensions].map(({ id, isCritical, value }) =>
    sequence(oid(id), ...(isCritical ? [TRUE] : []), octetString(value)),
  );
  serials += 1;
  const body = sequence(
    parts.version ?? context(0, true, integer(2)),
    parts.serial ?? integer(1000 + serials),
    algorithm.id,
    issuer,
    sequence(time(parts.from ?? new Date("2020-01-01")), time(parts.to ?? new Date("2049-01-01"))),
    subject,
    keys.spki,
    parts.beforeExtensions ?? new Uint8Array(),
    all.length === 0 ? new Uint8Array() : context(3, true, sequence(...all)),
  );
  const signature = sign(algorithm.hash, body, issuerKeys.privateKey);
  const bytes = sequence(body, parts.outerAlgorithm ?? algorithm.id, bitString(signature));
  return {
    der: bytes,
    pem: pemOf(bytes),
    subject,
    keys,
    get keyPem() {
      return keys.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    },
  };
}

/** A certificate in PEM. */
export function pemOf(bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
