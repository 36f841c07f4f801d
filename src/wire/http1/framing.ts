// How long a message's body is (RFC 9112 section 6), from the values of Content-Length and
// Transfer-Encoding. Stricter than the RFC wherever two implementations are known to differ: a
// message that could be read in two ways is refused, never repaired.

import { isAll, TOKEN } from "../octet-class.ts";

/** none: no body at all. length: exactly so many bytes. chunked: self-delimited. until-close: to the end of the connection, responses only. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until-close" };

/** Shared instances: most messages have no body of their own. */
export const NO_BODY: Framing = { kind: "none" };
/** See `NO_BODY`. */
export const CHUNKED: Framing = { kind: "chunked" };
/** See `NO_BODY`. */
export const UNTIL_CLOSE: Framing = { kind: "until-close" };

/**
 * The value of a Content-Length, or undefined when it is anything but decimal digits up to 2^53-1. Leading zeros
 * count for nothing, and are not forwarded: some read them as octal.
 */
export function parseContentLength(text: string): number | undefined {
  if (text.length === 0 || text.length > 16) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}

const CODINGS = new Set(["gzip", "x-gzip", "deflate", "compress", "x-compress"]);

/** A Transfer-Encoding as it was read: the spelling to forward, or why it is refused. */
export type TransferCoding =
  | { readonly kind: "chunked"; readonly canonical: string }
  | { readonly kind: "bad"; readonly status: 400 | 501; readonly reason: string };

const PLAIN: TransferCoding = { kind: "chunked", canonical: "chunked" };

/**
 * Reads a Transfer-Encoding value. It must end in `chunked`, once; registered compressions may stand before
 * it. `canonical` is forwarded in its place: lower case, without `identity` (which means nothing) and without
 * parameters of chunked (which it does not have), because peers compare this value in careless ways, and
 * every one of them must read `chunked` here.
 */
export function parseTransferEncoding(value: string): TransferCoding {
  if (value === "chunked") return PLAIN;
  const parts = value.toLowerCase().split(",");
  const kept: string[] = [];
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const coding = trimOws(part);
    if (isLast) {
      if (!isChunkedCoding(coding))
        return { kind: "bad", status: 400, reason: "transfer-encoding does not end in chunked" };
      kept.push("chunked");
    } else if (CODINGS.has(coding)) kept.push(coding);
    else if (isChunkedCoding(coding))
      return { kind: "bad", status: 400, reason: "chunked twice or not last in transfer-encoding" };
    else if (coding !== "identity")
      return { kind: "bad", status: isAll(coding, TOKEN) ? 501 : 400, reason: "unknown transfer coding" };
  }
  return { kind: "chunked", canonical: kept.join(", ") };
}

/** `chunked`, with or without `;parameters` made of tokens (some clients send them; RFC 9112 7.1 defines none). */
function isChunkedCoding(coding: string): boolean {
  if (!coding.startsWith("chunked")) return false;
  const [name, ...parameters] = coding.split(";");
  if (name === undefined || trimOws(name) !== "chunked") return false;
  return parameters.every((parameter) => {
    const text = trimOws(parameter);
    return text === "" || text.split("=").every((half) => isAll(half, TOKEN));
  });
}

/** Without spaces and tabs at both ends; unlike `trim`, nothing else counts as white space. */
export function trimOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
