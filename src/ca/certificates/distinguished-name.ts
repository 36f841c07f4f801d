// Distinguished names (RFC 5280 4.1.2.4 and 7.1): their parts, their text for messages, and whether
// one lies below another. Certificates are chained by equal bytes, not by this comparison.

import { decodeLatin1 } from "../../wire/latin1.ts";
import { type DerCursor, DerError, enterOnly, readOctetBits, readOid, TAG } from "./der.ts";

const COMMON_NAME = "2.5.4.3";
const COUNTRY = "2.5.4.6";
const ORGANISATION = "2.5.4.10";
/** The subject attribute that an email constraint applies to. */
const EMAIL_ADDRESS = "1.2.840.113549.1.9.1";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf16 = new TextDecoder("utf-16be", { fatal: true, ignoreBOM: true });

/** One attribute of a name. `text` is undefined for kinds of string that are not read. */
export interface NameAttribute {
  readonly type: string;
  readonly text: string | undefined;
  readonly raw: Uint8Array;
}

/** The relative distinguished names of a name, from the root down; each a set of attributes. Throws DerError. */
export function readName(name: Uint8Array): readonly (readonly NameAttribute[])[] {
  const cursor = enterOnly(name, TAG.sequence);
  const parts: NameAttribute[][] = [];
  while (!cursor.isAtEnd) {
    const set = cursor.enter(TAG.set);
    const attributes: NameAttribute[] = [];
    while (!set.isAtEnd) attributes.push(readAttribute(set.enter(TAG.sequence)));
    if (attributes.length === 0) throw new DerError("a part of a name is empty");
    parts.push(attributes);
  }
  return parts;
}

function readAttribute(cursor: DerCursor): NameAttribute {
  const type = readOid(cursor.take(TAG.oid).content);
  const value = cursor.next();
  cursor.finish();
  return { type, text: readText(value.tag, value.content), raw: value.whole };
}

function readText(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case 0x0c: // UTF8String
      return decodeStrictly(utf8, content);
    case 0x13: // PrintableString
    case 0x14: // TeletexString, in practice latin1
    case 0x16: // IA5String
      return decodeLatin1(content, true);
    case 0x1e: // BMPString
      return decodeStrictly(utf16, content);
    case TAG.bitString: // a unique identifier
      readOctetBits(content);
      return undefined;
    case 0x12: // NumericString
      return undefined;
    default:
      throw new DerError("a part of a name is not text");
  }
}

function decodeStrictly(decoder: TextDecoder, content: Uint8Array): string {
  try {
    return decoder.decode(content);
  } catch {
    throw new DerError("a text in a name is not in its encoding");
  }
}

/**
 * The common names of a name that consists of nothing else, but perhaps a country: those that are meant as the
 * server's name, and not as a label beside an organisation's.
 */
export function soleCommonNames(name: Uint8Array): readonly string[] {
  const attributes = readName(name).flat();
  if (!attributes.every(({ type }) => type === COMMON_NAME || type === COUNTRY)) return [];
  return attributes.flatMap(({ type, text }) => (type === COMMON_NAME && text !== undefined ? [text] : []));
}

/** Whether a name holds an email address. */
export function hasEmailAddress(name: Uint8Array): boolean {
  return readName(name)
    .flat()
    .some(({ type }) => type === EMAIL_ADDRESS);
}

/** Whether a name has no part at all. */
export function isEmptyName(name: Uint8Array): boolean {
  return name.length <= 2;
}

/** A name for a message: its common name or organisation in quotes, cut short and with nothing but printable ASCII. */
export function describeName(name: Uint8Array): string {
  const attributes = readName(name).flat();
  const found =
    attributes.findLast(({ type }) => type === COMMON_NAME) ??
    attributes.findLast(({ type }) => type === ORGANISATION);
  const text = (found?.text ?? "unnamed").replace(/[^\x20-\x7e]/g, "?").replaceAll("'", "?");
  return `'${text.length > 64 ? `${text.slice(0, 61)}...` : text}'`;
}

/** Whether `name` is `base` or lies below it, attribute by attribute. */
export function isNameWithin(name: Uint8Array, base: Uint8Array): boolean {
  const parts = readName(name);
  const baseParts = readName(base);
  return (
    baseParts.length <= parts.length &&
    baseParts.every((part, index) => areEqualParts(part, parts[index] ?? []))
  );
}

function areEqualParts(a: readonly NameAttribute[], b: readonly NameAttribute[]): boolean {
  return a.length === b.length && a.every((left) => b.some((right) => areEqualAttributes(left, right)));
}

function areEqualAttributes(a: NameAttribute, b: NameAttribute): boolean {
  if (a.type !== b.type) return false;
  if (a.text === undefined || b.text === undefined) return Buffer.compare(a.raw, b.raw) === 0;
  return foldText(a.text) === foldText(b.text);
}

/** RFC 5280 7.1: neither case nor the amount of white space counts. */
function foldText(text: string): string {
  return text.trim().replace(/\s+/g, " ").toLowerCase();
}
