// Heads back to bytes, always as HTTP/1.1. Every octet is checked against the same table that the
// parser uses, so nothing that came by another way (HTTP/2, a template) can add a line or a field.

import type { Header } from "../../model/request.ts";
import { DIGIT, FIELD_VALUE, METHOD, OCTET_CLASS, TARGET, TOKEN } from "../octet-class.ts";

const VERSION = "HTTP/1.1";

/** The bytes of a request head. Throws a TypeError when a part could not be read back as it is. */
export function serialiseRequestHead(head: {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
}): Uint8Array {
  const { method, target, headers } = head;
  const out = new Uint8Array(method.length + target.length + VERSION.length + 4 + fieldBytes(headers) + 2);
  if (method === "" || method.startsWith("-") || target === "")
    throw new TypeError("malformed method or request target");
  let at = put(out, 0, method, METHOD);
  out[at++] = 0x20;
  at = put(out, at, target, TARGET);
  out[at++] = 0x20;
  at = putLineEnd(out, put(out, at, VERSION, FIELD_VALUE));
  putFields(out, at, headers);
  return out;
}

/** The bytes of a response head. Throws a TypeError when a part could not be read back as it is. */
export function serialiseResponseHead(head: {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly Header[];
}): Uint8Array {
  const status = String(head.status);
  if (status.length !== 3) throw new TypeError("malformed status code");
  const out = new Uint8Array(VERSION.length + 5 + head.statusText.length + 2 + fieldBytes(head.headers) + 2);
  let at = put(out, 0, VERSION, FIELD_VALUE);
  out[at++] = 0x20;
  at = put(out, at, status, DIGIT);
  out[at++] = 0x20;
  at = putLineEnd(out, put(out, at, head.statusText, FIELD_VALUE));
  putFields(out, at, head.headers);
  return out;
}

/** The field lines and the empty line after them, as in the trailer section of a chunked body. */
export function serialiseFields(headers: readonly Header[]): Uint8Array {
  const out = new Uint8Array(fieldBytes(headers) + 2);
  putFields(out, 0, headers);
  return out;
}

function fieldBytes(headers: readonly Header[]): number {
  let length = 0;
  for (const [name, value] of headers) length += name.length + value.length + 4;
  return length;
}

function putFields(out: Uint8Array, start: number, headers: readonly Header[]): void {
  let at = start;
  for (const [name, value] of headers) {
    if (name === "") throw new TypeError("empty header name");
    at = put(out, at, name, TOKEN);
    out[at++] = 0x3a;
    out[at++] = 0x20;
    at = putLineEnd(out, put(out, at, value, FIELD_VALUE));
  }
  putLineEnd(out, at);
}

function putLineEnd(out: Uint8Array, at: number): number {
  out[at] = 0x0d;
  out[at + 1] = 0x0a;
  return at + 2;
}

function put(out: Uint8Array, start: number, text: string, octetClass: number): number {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    // Above 0xff the table has no entry: `undefined & bit` is 0.
    if (((OCTET_CLASS[code] as number) & octetClass) === 0)
      throw new TypeError("character not allowed in a message head");
    out[start + i] = code;
  }
  return start + length;
}
