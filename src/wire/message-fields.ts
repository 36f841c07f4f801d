// What a message's header fields say about the message itself: its length, its connection, its
// authority. Reads every field once; refuses the ones that two recipients could read differently.

import type { Header } from "../model/request.ts";
import { fieldStart, readField } from "./field-lines.ts";
import { parseContentLength, parseTransferEncoding, trimOws } from "./framing.ts";
import { AUTHORITY, isAll, TOKEN } from "./octet-class.ts";

/** The fields of a head and what they mean; -1 and undefined where a field is absent. */
export interface MessageFields {
  readonly headers: Header[];
  contentLength: number;
  isChunked: boolean;
  hasClose: boolean;
  hasKeepAlive: boolean;
  hasUpgradeOption: boolean;
  upgrade: string | undefined;
  host: string | undefined;
  expect: string | undefined;
  /** Why the message is refused: the first problem found. */
  problem: Refusal | undefined;
}

/** A status for the reply and a short lower-case clause. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

const FRAMING_NAMES = new Set(["host", "content-length", "transfer-encoding"]);

/** A refusal, as a bad request unless said otherwise. */
export function refusal(reason: string, status = 400): Refusal {
  return { status, reason };
}

/** Collects the `count` fields of the last scan, which must have been of the bytes behind `text`. */
export function collectFields(text: string, count: number): MessageFields {
  const fields: MessageFields = {
    headers: new Array<Header>(count),
    contentLength: -1,
    isChunked: false,
    hasClose: false,
    hasKeepAlive: false,
    hasUpgradeOption: false,
    upgrade: undefined,
    host: undefined,
    expect: undefined,
    problem: undefined,
  };
  for (let index = 0; index < count; index++) {
    const header = readField(text, index);
    fields.headers[index] = header;
    if (isInteresting(header[0].length, text.charCodeAt(fieldStart(index))))
      fields.problem ??= readMeaning(fields, header, index);
  }
  return fields;
}

/** A cheap sieve by a name's length and first letter, before any comparison, which would have to make a text of the slice. */
function isInteresting(length: number, letter: number): boolean {
  const first = letter | 0x20;
  switch (length) {
    case 4:
      return first === 0x68;
    case 6:
      return first === 0x65;
    case 7:
      return first === 0x75;
    case 10:
    case 14:
      return first === 0x63;
    case 17:
      return first === 0x74;
    default:
      return false;
  }
}

/** Takes in one field; a refusal when it may not stand so, or not twice. */
function readMeaning(fields: MessageFields, [name, value]: Header, index: number): Refusal | undefined {
  switch (name.toLowerCase()) {
    case "host":
      if (fields.host !== undefined) return refusal("more than one host header");
      fields.host = value;
      return value === "" || isAll(value, AUTHORITY) ? undefined : refusal("malformed host header");
    case "content-length":
      return readContentLength(fields, value);
    case "transfer-encoding":
      return readTransferEncoding(fields, name, value, index);
    // CGI-style servers turn both spellings into the same variable.
    case "content_length":
    case "transfer_encoding":
      return refusal("length header spelt with an underscore");
    case "connection":
      return readConnection(fields, value);
    case "upgrade": {
      const protocols = value.toLowerCase();
      fields.upgrade = fields.upgrade === undefined ? protocols : `${fields.upgrade}, ${protocols}`;
      return undefined;
    }
    case "expect":
      if (fields.expect !== undefined) return refusal("more than one expect header");
      fields.expect = value.toLowerCase();
      return undefined;
    default:
      return undefined;
  }
}

function readContentLength(fields: MessageFields, value: string): Refusal | undefined {
  // Equal duplicates too: RFC 9110 8.6 leaves it to the recipient, and recipients differ.
  if (fields.contentLength >= 0) return refusal("more than one content-length header");
  const length = parseContentLength(value);
  if (length === undefined) return refusal("malformed content-length");
  fields.contentLength = length;
  return undefined;
}

function readTransferEncoding(
  fields: MessageFields,
  name: string,
  value: string,
  index: number,
): Refusal | undefined {
  if (fields.isChunked) return refusal("more than one transfer-encoding header");
  const coding = parseTransferEncoding(value);
  if (coding.kind === "bad") return refusal(coding.reason, coding.status);
  fields.isChunked = true;
  if (coding.canonical !== value) fields.headers[index] = [name, coding.canonical];
  return undefined;
}

function readConnection(fields: MessageFields, value: string): Refusal | undefined {
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
