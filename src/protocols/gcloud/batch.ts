// Takes apart Google's batch requests: multipart/mixed whose parts are whole HTTP requests
// (https://cloud.google.com/compute/docs/api/how-tos/batch). Strict, because the server
// decides which parts it sees: what does not read in exactly one way is a problem, and the
// batch as a whole then unknown.

import type { Header } from "../../model/request.ts";

/** One request of a batch. */
export interface BatchPart {
  readonly method: string;
  /** As written: origin form or absolute. */
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
}

/** The requests of a batch, or why they are not known. */
export type BatchReading = { readonly parts: readonly BatchPart[] } | { readonly problem: string };

const MAX_PARTS = 1000;
/** Lines of a whole batch; a thousand parts with their fields and bodies have fewer. */
const MAX_LINES = 60_000;
const problem = (text: string): BatchReading => ({ problem: text });

/** Reads a batch body; `contentType` is the value of the field. */
export function readGoogleBatch(contentType: string | undefined, body: Uint8Array): BatchReading {
  const boundary = boundaryOf(contentType ?? "");
  if (boundary === undefined) return problem("the batch names no boundary");
  const pieces = splitParts(latin1(body), boundary);
  if ("problem" in pieces) return pieces;
  if (pieces.length === 0) return problem("the batch is empty");
  if (pieces.length > MAX_PARTS) return problem("the batch has too many parts");
  const parts: BatchPart[] = [];
  for (const piece of pieces) {
    const part = readPart(piece);
    if ("problem" in part) return part;
    parts.push(part);
  }
  return { parts };
}

/** RFC 2046 5.1.1; exactly one boundary parameter, and only of multipart/mixed. */
function boundaryOf(contentType: string): string | undefined {
  if (contentType.length > 500 || !/^\s*multipart\/mixed\s*;/i.test(contentType)) return undefined;
  const found = [...contentType.matchAll(/;\s*boundary\s*=\s*(?:"([^"\\]*)"|([^\s";,]+))\s*(?=;|$)/gi)];
  const boundary = found[0]?.[1] ?? found[0]?.[2] ?? "";
  const isPlain = /^[0-9A-Za-z'()+_,\-./:=? ]{1,70}$/.test(boundary) && !boundary.endsWith(" ");
  return found.length === 1 && isPlain && contentType.match(/boundary/gi)?.length === 1
    ? boundary
    : undefined;
}

/** Bytes as characters one to one: the structure is ASCII, and no byte may be lost in names. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Python clients end lines by LF alone, others by CRLF; both count, a bare CR does not. */
function splitParts(text: string, boundary: string): readonly string[] | { readonly problem: string } {
  const pieces: string[] = [];
  let open: number | undefined;
  let isClosed = false;
  let lines = 0;
  for (let at = 0; at <= text.length; ) {
    if (++lines > MAX_LINES) return { problem: "the batch has too many lines" };
    const next = text.indexOf("\n", at);
    const end = next < 0 ? text.length : next;
    const line = text.slice(at, end).replace(/\r$/, "").trimEnd();
    const isClosing = line === `--${boundary}--`;
    if (isClosed && line !== "") return { problem: "text after the end of the batch" };
    if (isClosing || line === `--${boundary}`) {
      if (open !== undefined) pieces.push(text.slice(open, at).replace(/\r?\n$/, ""));
      open = isClosing ? undefined : end + 1;
      isClosed = isClosing;
    } else if (open === undefined && line !== "")
      return { problem: "text before the first part of the batch" };
    else if (line.startsWith(`--${boundary}`)) return { problem: "a line that is nearly a boundary" };
    at = end + 1;
  }
  return isClosed ? pieces : { problem: "the batch does not end" };
}

function readPart(piece: string): BatchPart | { readonly problem: string } {
  const outer = splitHead(piece);
  const fields = readFields(outer.head);
  if (fields === undefined) return { problem: "malformed fields in a part of the batch" };
  for (const [name, value] of fields) {
    if (/^content-type$/i.test(name) && !/^application\/http\s*(?:;|$)/i.test(value))
      return { problem: "a part of the batch is not a request" };
    if (/^content-transfer-encoding$/i.test(name) && !/^(?:binary|7bit|8bit)$/i.test(value))
      return { problem: "an encoded part in the batch" };
  }
  if (!fields.some(([name]) => /^content-type$/i.test(name)))
    return { problem: "a part of the batch without a type" };
  const inner = splitHead(outer.rest);
  const [line = "", ...rest] = inner.head;
  const match = /^([A-Z]+) (\S+)(?: HTTP\/1\.[01])?$/.exec(line);
  const headers = readFields(rest);
  if (match === null || headers === undefined)
    return { problem: "a part of the batch is not a readable request" };
  const body = new Uint8Array(Buffer.from(inner.rest, "latin1"));
  return { method: match[1] ?? "", target: match[2] ?? "", headers, body };
}

/** The lines up to the first empty one, and the text after it. */
function splitHead(text: string): { readonly head: readonly string[]; readonly rest: string } {
  const head: string[] = [];
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf("\n", at);
    const end = next < 0 ? text.length : next;
    const line = text.slice(at, end).replace(/\r$/, "");
    at = end + 1;
    if (line === "") break;
    head.push(line);
  }
  return { head, rest: text.slice(at) };
}

/** Undefined for folded lines and for lines that are no field. */
function readFields(lines: readonly string[]): readonly Header[] | undefined {
  const fields: Header[] = [];
  for (const line of lines) {
    const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*$/.exec(line);
    if (match === null) return undefined;
    fields.push([match[1] ?? "", match[2] ?? ""]);
  }
  return fields;
}
