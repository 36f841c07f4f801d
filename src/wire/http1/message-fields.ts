// Reads the header fields that are about the message itself: its length, its connection, its
// authority. Reads every field once; refuses the ones that two recipients could read differently.

import type { Header } from "../../model/request.ts";
import { AUTHORITY, isAll, TOKEN } from "../octet-class.ts";
import { fieldNameLength, fieldNameStart, fieldValue, readField } from "./field-lines.ts";
import { parseContentLength, parseTransferEncoding, trimOws } from "./framing.ts";

/** The fields of a head with their meaning; -1 and undefined where a field is absent. */
export interface MessageFields {
  contentLength: number;
  isChunked: boolean;
  /** The spelling of Transfer-Encoding to forward; undefined where it is the one that was sent. */
  coding: string | undefined;
  /** The spelling of Content-Length to forward; undefined where it is the one that was sent. */
  length: string | undefined;
  /** Content-Length and Transfer-Encoding are not forwarded. */
  isLengthLeftOut: boolean;
  hasClose: boolean;
  hasKeepAlive: boolean;
  hasUpgradeOption: boolean;
  /** Upgrade lists something that is ignored, and not forwarded. */
  hasOffer: boolean;
  upgrade: string | undefined;
  host: string | undefined;
  expect: string | undefined;
  /** Whether the fields are to be forwarded as they came: all end-to-end, none in another spelling. */
  isForwardedAsIs: boolean;
  /** Why the message is refused: the first problem found. */
  problem: FieldRefusal | undefined;
}

/** A status for the reply and a short lower-case clause. */
export interface FieldRefusal {
  readonly status: number;
  readonly reason: string;
}

const FRAMING_NAMES = new Set(["host", "content-length", "transfer-encoding"]);

/** A refusal, as a bad request unless said otherwise. */
export function refusal(reason: string, status = 400): FieldRefusal {
  return { status, reason };
}

/**
 * Reads the meanings of the `count` fields of the last scan, which must have been of `bytes`; `text` is their
 * text, if it was made already. Names are compared octet by octet, and only values with a meaning become
 * texts.
 */
export function readMeanings(bytes: Uint8Array, count: number, text?: string): MessageFields {
  const fields: MessageFields = {
    contentLength: -1,
    isChunked: false,
    coding: undefined,
    length: undefined,
    isLengthLeftOut: false,
    hasClose: false,
    hasKeepAlive: false,
    hasUpgradeOption: false,
    hasOffer: false,
    upgrade: undefined,
    host: undefined,
    expect: undefined,
    isForwardedAsIs: true,
    problem: undefined,
  };
  for (let index = 0; index < count; index++) fields.problem ??= readMeaning(fields, bytes, text, index);
  return fields;
}

/** The fields of the last scan in order, as they are to be forwarded; `text` is the scanned octets' text. */
export function headersOf(text: string, count: number, fields: MessageFields): Header[] {
  const { coding, length, isLengthLeftOut } = fields;
  const headers = new Array<Header>(count);
  for (let index = 0; index < count; index++) {
    const header = readField(text, index);
    const isRespelt = coding !== undefined && header[0].length === 17 && TRANSFER_ENCODING.test(header[0]);
    const isLength = length !== undefined && header[0].length === 14 && CONTENT_LENGTH.test(header[0]);
    headers[index] = isRespelt ? [header[0], coding] : isLength ? [header[0], length] : header;
  }
  if (fields.hasOffer)
    return headers.flatMap((header) => withoutOffers(header, fields.upgrade !== undefined));
  return isLengthLeftOut
    ? headers.filter(([name]) => !CONTENT_LENGTH.test(name) && !TRANSFER_ENCODING.test(name))
    : headers;
}

/** An Upgrade field without the mere offers; with it goes the field that only HTTP/2 by upgrade reads. */
function withoutOffers([name, value]: Header, isUpgrade: boolean): Header[] {
  const lower = name.toLowerCase();
  if (lower === "http2-settings") return [];
  if (lower === "connection" && !isUpgrade) {
    const kept = value
      .split(",")
      .map(trimOws)
      .filter((option) => !/^(?:upgrade|http2-settings)$/i.test(option));
    return kept.length === 0 ? [] : [[name, kept.join(", ")]];
  }
  if (lower !== "upgrade") return [[name, value]];
  const wanted = value.split(",").map(trimOws).filter(isWanted).join(", ");
  return wanted === "" ? [] : [[name, wanted]];
}

function isWanted(protocol: string): boolean {
  return protocol !== "" && !OFFERED.test(protocol);
}

const TRANSFER_ENCODING = /^transfer-encoding$/i;
const CONTENT_LENGTH = /^content-length$/i;

/** Takes in one field; a refusal when it may not stand so, or not twice. */
function readMeaning(
  fields: MessageFields,
  bytes: Uint8Array,
  text: string | undefined,
  index: number,
): FieldRefusal | undefined {
  const start = fieldNameStart(index);
  switch (fieldNameLength(index)) {
    case 2:
      return isNamed(bytes, start, "te") ? ofOneHop(fields) : undefined;
    case 4:
      return isNamed(bytes, start, "host") ? readHost(fields, fieldValue(bytes, text, index)) : undefined;
    case 6:
      return isNamed(bytes, start, "expect") ? readExpect(fields, fieldValue(bytes, text, index)) : undefined;
    case 7:
      return isNamed(bytes, start, "upgrade")
        ? readUpgrade(fields, fieldValue(bytes, text, index))
        : undefined;
    case 10:
      if (isNamed(bytes, start, "connection")) return readConnection(fields, fieldValue(bytes, text, index));
      return isNamed(bytes, start, "keep-alive") ? ofOneHop(fields) : undefined;
    case 14:
      if (isNamed(bytes, start, "content-length"))
        return readContentLength(fields, fieldValue(bytes, text, index));
      return isNamed(bytes, start, "content_length") ? UNDERSCORE : undefined;
    case 16:
    case 18:
    case 19:
      return isNamed(bytes, start, "proxy-") ? ofOneHop(fields) : undefined;
    case 17:
      if (isNamed(bytes, start, "transfer-encoding"))
        return readTransferEncoding(fields, fieldValue(bytes, text, index));
      return isNamed(bytes, start, "transfer_encoding") ? UNDERSCORE : undefined;
    default:
      return undefined;
  }
}

/** CGI-style servers turn both spellings into the same variable. */
const UNDERSCORE = refusal("length header spelt with an underscore");

/** Whether the octets at `start` spell `name` in any case; they must be token octets, and as many at least. */
function isNamed(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++)
    if (((bytes[start + i] as number) | 0x20) !== (name.charCodeAt(i) | 0x20)) return false;
  return true;
}

/** Proxy-Connection, Keep-Alive and the like: taken out before the message is forwarded, or looked at again. */
function ofOneHop(fields: MessageFields): undefined {
  fields.isForwardedAsIs = false;
}

function readHost(fields: MessageFields, value: string): FieldRefusal | undefined {
  if (fields.host !== undefined) return refusal("more than one host header");
  fields.host = value;
  return value === "" || isAll(value, AUTHORITY) ? undefined : refusal("malformed host header");
}

function readExpect(fields: MessageFields, value: string): FieldRefusal | undefined {
  if (fields.expect !== undefined) return refusal("more than one expect header");
  fields.expect = value.toLowerCase();
  return ofOneHop(fields);
}

/**
 * Upgrades that a client only offers and that are ignored, as RFC 9110 7.8 allows: another HTTP, and TLS
 * inside this connection.
 */
const OFFERED = /^(?:h2c|h2|http\/\d(?:\.\d)?|tls\/\d\.\d)$/i;

function readUpgrade(fields: MessageFields, value: string): undefined {
  const offered = value.split(",").map(trimOws);
  const wanted = offered.filter(isWanted).join(", ").toLowerCase();
  if (offered.some((protocol) => !isWanted(protocol))) fields.hasOffer = true;
  if (wanted !== "") fields.upgrade = fields.upgrade === undefined ? wanted : `${fields.upgrade}, ${wanted}`;
  return ofOneHop(fields);
}

function readContentLength(fields: MessageFields, value: string): FieldRefusal | undefined {
  // Equal duplicates too: RFC 9110 8.6 leaves it to the recipient, and recipients differ.
  if (fields.contentLength >= 0) return refusal("more than one content-length header");
  const length = parseContentLength(value);
  if (length === undefined) return refusal("malformed content-length");
  fields.contentLength = length;
  if (value !== String(length)) {
    fields.length = String(length);
    fields.isForwardedAsIs = false;
  }
  return undefined;
}

function readTransferEncoding(fields: MessageFields, value: string): FieldRefusal | undefined {
  if (fields.isChunked) return refusal("more than one transfer-encoding header");
  const coding = parseTransferEncoding(value);
  if (coding.kind === "bad") return refusal(coding.reason, coding.status);
  fields.isChunked = true;
  if (coding.canonical !== value) {
    fields.coding = coding.canonical;
    fields.isForwardedAsIs = false;
  }
  return undefined;
}

function readConnection(fields: MessageFields, value: string): FieldRefusal | undefined {
  ofOneHop(fields);
  for (const part of value.toLowerCase().split(",")) {
    const option = trimOws(part);
    if (option === "close") fields.hasClose = true;
    else if (option === "keep-alive") fields.hasKeepAlive = true;
    else if (option === "upgrade") fields.hasUpgradeOption = true;
    // Would make the next hop drop the very field by which the message is read.
    else if (FRAMING_NAMES.has(option)) return refusal("connection header names a framing header");
    else if (option !== "" && !isAll(option, TOKEN)) return refusal("malformed connection header");
  }
  return undefined;
}
