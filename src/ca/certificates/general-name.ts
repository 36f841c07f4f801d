// GeneralName of RFC 5280 4.2.1.6, as it stands in subject alternative names and name constraints.
// Kinds that iddio cannot judge keep their kind, so that a constraint on them can be met with a
// refusal.

import { DerCursor, DerError, type DerValue, enterOnly, readAscii, readOid, TAG } from "./der.ts";

/** The kinds that are read; `other` is everything else, told apart by `tag`. */
export type GeneralName =
  | { readonly kind: "dns"; readonly tag: number; readonly name: string }
  | { readonly kind: "address"; readonly tag: number; readonly bytes: Uint8Array }
  | { readonly kind: "directory"; readonly tag: number; readonly name: Uint8Array }
  | { readonly kind: "other"; readonly tag: number };

const EMAIL = TAG.context + 1;
const DNS = TAG.context + 2;
const DIRECTORY = TAG.context + TAG.constructed + 4;
const URI = TAG.context + 6;
const ADDRESS = TAG.context + 7;
const REGISTERED = TAG.context + 8;
/** otherName, x400Address, ediPartyName. */
const OPAQUE: readonly number[] = [0, 3, 5].map((number) => TAG.context + TAG.constructed + number);

/** The tag of an email address, which may also stand in a subject. */
export const EMAIL_TAG = EMAIL;

/** Reads one name. The length of an address is for the caller to check: a constraint's is twice a name's. */
export function readGeneralName({ tag, content }: DerValue): GeneralName {
  switch (tag) {
    case DNS:
      return { kind: "dns", tag, name: readAscii(content) };
    case ADDRESS:
      return { kind: "address", tag, bytes: content };
    case DIRECTORY: {
      const inner = new DerCursor(content);
      const name = inner.take(TAG.sequence).whole;
      inner.finish();
      return { kind: "directory", tag, name };
    }
    case EMAIL:
    case URI:
      readAscii(content);
      return { kind: "other", tag };
    default:
      if (tag !== REGISTERED && !OPAQUE.includes(tag)) throw new DerError("a name is of no known kind");
      if (tag === REGISTERED) readOid(content);
      else walk(content);
      return { kind: "other", tag };
  }
}

/** Checks that an unknown name is at least well-formed DER. Throws DerError. */
function walk(content: Uint8Array): void {
  const cursor = new DerCursor(content);
  if (cursor.isAtEnd) throw new DerError("a name is empty");
  while (!cursor.isAtEnd) cursor.next();
}

/** Reads GeneralNames; an empty list is an error. */
export function readGeneralNames(bytes: Uint8Array): readonly GeneralName[] {
  const cursor = enterOnly(bytes, TAG.sequence);
  const names: GeneralName[] = [];
  while (!cursor.isAtEnd) names.push(readGeneralName(cursor.next()));
  if (names.length === 0) throw new DerError("a list of names is empty");
  return names;
}
