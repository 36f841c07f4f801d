// The extensions of a certificate (RFC 5280 4.2) as values. An extension that is malformed makes
// the whole certificate unreadable; one that is critical and not known here is reported, because
// the standard then demands a refusal.

import { DerCursor, DerError, enterOnly, readBoolean, readCount, readFlags, readOid, TAG } from "./der.ts";
import { type GeneralName, readGeneralName, readGeneralNames } from "./general-name.ts";
import { type NameConstraints, readNameConstraints } from "./name-constraints.ts";

/** Bits of key usage, as `readFlags` numbers them. */
export const KEY_USAGE = {
  digitalSignature: 1,
  keyEncipherment: 4,
  keyAgreement: 16,
  keyCertSign: 32,
} as const;

/** The authority's key, and its certificate by its own issuer's name and serial number. */
export interface AuthorityKeyId {
  readonly keyId: Uint8Array | undefined;
  /** GeneralNames, without the tag of the field. */
  readonly issuer: Uint8Array | undefined;
  readonly serial: Uint8Array | undefined;
}

/** The extensions that were read; absent ones are undefined. */
export interface Extensions {
  readonly basicConstraints?: { readonly isCa: boolean; readonly pathLength: number | undefined };
  /** Bits of KEY_USAGE. */
  readonly keyUsage?: number;
  readonly extendedKeyUsage?: readonly string[];
  readonly alternativeNames?: readonly GeneralName[];
  readonly nameConstraints?: NameConstraints;
  readonly subjectKeyId?: Uint8Array;
  readonly authorityKeyId?: AuthorityKeyId;
  readonly policies?: readonly string[];
  readonly requiresPolicyAfter?: number;
  /** Identifiers of all that are present and of those that are critical. */
  readonly present: ReadonlySet<string>;
  readonly critical: ReadonlySet<string>;
}

type Mutable = { -readonly [Key in keyof Extensions]: Extensions[Key] };

/** Identifiers of extensions. */
export const EXTENSION = {
  subjectKeyId: "2.5.29.14",
  keyUsage: "2.5.29.15",
  alternativeNames: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  policies: "2.5.29.32",
  policyMappings: "2.5.29.33",
  authorityKeyId: "2.5.29.35",
  policyConstraints: "2.5.29.36",
  extendedKeyUsage: "2.5.29.37",
  inhibitAnyPolicy: "2.5.29.54",
  authorityInformation: "1.3.6.1.5.5.7.1.1",
} as const;

/** More than any certificate has; a bound on the cost of a hostile one. */
const MOST_EXTENSIONS = 64;

const READERS: Readonly<Record<string, (value: Uint8Array, into: Mutable) => void>> = {
  [EXTENSION.basicConstraints]: readBasicConstraints,
  [EXTENSION.keyUsage]: (value, into) => {
    into.keyUsage = readFlags(takeOnly(value, TAG.bitString));
  },
  [EXTENSION.extendedKeyUsage]: (value, into) => {
    into.extendedKeyUsage = readList(value, (cursor) => readOid(cursor.take(TAG.oid).content));
  },
  [EXTENSION.alternativeNames]: (value, into) => {
    into.alternativeNames = readGeneralNames(value);
  },
  [EXTENSION.nameConstraints]: (value, into) => {
    into.nameConstraints = readNameConstraints(value);
  },
  [EXTENSION.subjectKeyId]: (value, into) => {
    into.subjectKeyId = takeOnly(value, TAG.octetString);
    if (into.subjectKeyId.length === 0) throw new DerError("a key identifier is empty");
  },
  [EXTENSION.authorityKeyId]: readAuthorityKeyId,
  [EXTENSION.policies]: (value, into) => {
    into.policies = readList(value, (cursor) => readOid(cursor.enter(TAG.sequence).take(TAG.oid).content));
  },
  [EXTENSION.policyConstraints]: readPolicyConstraints,
  [EXTENSION.authorityInformation]: (value) => {
    readList(value, (cursor) => {
      const access = cursor.enter(TAG.sequence);
      readOid(access.take(TAG.oid).content);
      readGeneralName(access.next());
      access.finish();
    });
  },
};

/** Reads the Extensions of a certificate. Throws DerError. */
export function readExtensions(list: Uint8Array): Extensions {
  const present = new Set<string>();
  const critical = new Set<string>();
  const found: Mutable = { present, critical };
  const cursor = enterOnly(list, TAG.sequence);
  if (cursor.isAtEnd) throw new DerError("the list of extensions is empty");
  while (!cursor.isAtEnd) {
    const extension = cursor.enter(TAG.sequence);
    const oid = readOid(extension.take(TAG.oid).content);
    const flag = extension.takeIf(TAG.boolean);
    if (flag) {
      // DER leaves a default value out.
      if (!readBoolean(flag.content)) throw new DerError("a default value is written out");
      critical.add(oid);
    }
    const value = extension.take(TAG.octetString).content;
    extension.finish();
    if (present.has(oid)) throw new DerError(`the extension ${oid} is there twice`);
    present.add(oid);
    if (present.size > MOST_EXTENSIONS) throw new DerError("there are too many extensions");
    READERS[oid]?.(value, found);
  }
  return found;
}

function takeOnly(bytes: Uint8Array, tag: number): Uint8Array {
  const cursor = new DerCursor(bytes);
  const { content } = cursor.take(tag);
  cursor.finish();
  return content;
}

function readList<T>(value: Uint8Array, read: (cursor: DerCursor) => T): readonly T[] {
  const cursor = enterOnly(value, TAG.sequence);
  const items: T[] = [];
  while (!cursor.isAtEnd) items.push(read(cursor));
  if (items.length === 0) throw new DerError("a list in an extension is empty");
  return items;
}

function readBasicConstraints(value: Uint8Array, into: Mutable): void {
  const cursor = enterOnly(value, TAG.sequence);
  const flag = cursor.takeIf(TAG.boolean);
  const isCa = flag !== undefined && readBoolean(flag.content);
  const length = cursor.takeIf(TAG.integer);
  cursor.finish();
  if (length && !isCa) throw new DerError("a path length is given for a certificate that is no authority");
  into.basicConstraints = { isCa, pathLength: length && readCount(length.content) };
}

function readAuthorityKeyId(value: Uint8Array, into: Mutable): void {
  const cursor = enterOnly(value, TAG.sequence);
  const keyId = cursor.takeIf(TAG.context)?.content;
  const issuer = cursor.takeIf(TAG.context + TAG.constructed + 1);
  const serial = cursor.takeIf(TAG.context + 2);
  cursor.finish();
  if (keyId?.length === 0) throw new DerError("a key identifier is empty");
  into.authorityKeyId = { keyId, issuer: issuer?.content, serial: serial?.content };
}

function readPolicyConstraints(value: Uint8Array, into: Mutable): void {
  const cursor = enterOnly(value, TAG.sequence);
  const required = cursor.takeIf(TAG.context);
  const inhibited = cursor.takeIf(TAG.context + 1);
  cursor.finish();
  if (!required && !inhibited) throw new DerError("a list in an extension is empty");
  if (required) into.requiresPolicyAfter = readCount(required.content);
  if (inhibited) readCount(inhibited.content);
}
