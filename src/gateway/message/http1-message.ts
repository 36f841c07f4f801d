// Writing HTTP/1.1 messages to a connection: heads, bodies under their framing, and
// the fields that belong to one hop only. Used towards client and upstream alike.

import type { Header } from "../../model/request.ts";
import { encodeChunk, encodeLastChunk } from "../../wire/http1/body.ts";
import type { Channel } from "../stream/channel.ts";
import type { BodyReader } from "./upstream-answer.ts";

/** Fields that describe one connection (RFC 9110 7.6.1); never forwarded. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "te",
  "upgrade",
  "http2-settings",
]);

/** A sieve: most names need no comparison and no lower-case copy. */
const HOP_BY_HOP_LENGTHS = new Uint8Array(32);
for (const name of HOP_BY_HOP) HOP_BY_HOP_LENGTHS[name.length] = 1;

/** Connection options that may be listed; any other could make us drop a field that was judged. */
const KNOWN_OPTIONS = new Set(["close", "keep-alive", "upgrade", "te", "http2-settings", "proxy-connection"]);

/** The fields to forward: hop-by-hop ones removed, order, case and duplicates kept. */
export function endToEnd(headers: readonly Header[]): Header[] {
  return headers.filter(([name]) => !isHopByHop(name));
}

function isHopByHop(name: string): boolean {
  return HOP_BY_HOP_LENGTHS[name.length] === 1 && HOP_BY_HOP.has(name.toLowerCase());
}

/** Whether a TE field, alone or in a list, says that its sender takes trailers: all of it that iddio passes on. */
export function takesTrailers(headers: readonly Header[]): boolean {
  return headers.some(
    ([name, value]) =>
      name.length === 2 &&
      name.toLowerCase() === "te" &&
      value.split(",").some((coding) => coding.trim().toLowerCase() === "trailers"),
  );
}

/**
 * The option of a Connection field that would remove an end-to-end field from the forwarded message, or
 * undefined. Such a message is refused: classifier and upstream would see different requests.
 */
export function strayConnectionOption(headers: readonly Header[]): string | undefined {
  for (const [name, value] of headers) {
    if (name.length !== 10 || name.toLowerCase() !== "connection") continue;
    for (const part of value.split(",")) {
      const option = part.trim().toLowerCase();
      if (option !== "" && !KNOWN_OPTIONS.has(option)) return option;
    }
  }
  return undefined;
}

/** Pieces up to this size are joined into one write: three small writes would be three TLS records. */
const JOIN_BELOW = 16 * 1024;

/** Writes pieces, chunked or plain, and awaits the peer when it is slow. */
export async function writePieces(
  to: Channel,
  pieces: readonly Uint8Array[],
  isChunked: boolean,
): Promise<void> {
  const parts: Uint8Array[] = [];
  for (const piece of pieces) appendPiece(parts, piece, isChunked);
  if (!writeJoined(to, parts)) await to.flushed();
}

function writeJoined(to: Channel, parts: readonly Uint8Array[]): boolean {
  const whole = joinedView(parts);
  return whole ? to.write(whole) : writeCopied(to, parts);
}

function writeCopied(to: Channel, parts: readonly Uint8Array[]): boolean {
  let small: Uint8Array[] = [];
  let isTaken = true;
  const flush = () => {
    const [only] = small;
    if (only) isTaken = to.write(small.length === 1 ? only : Buffer.concat(small));
    small = [];
  };
  for (const part of parts) {
    if (part.length < JOIN_BELOW) small.push(part);
    else {
      flush();
      isTaken = to.write(part);
    }
  }
  flush();
  return isTaken;
}

/** One part, or two that follow each other in memory (a head and the bytes that came with it), without a copy. */
function joinedView(parts: readonly Uint8Array[]): Uint8Array | undefined {
  const [first, second] = parts;
  if (first === undefined || parts.length > 2) return undefined;
  if (second === undefined) return first;
  const isAdjacent = first.buffer === second.buffer && first.byteOffset + first.length === second.byteOffset;
  return isAdjacent
    ? new Uint8Array(first.buffer, first.byteOffset, first.length + second.length)
    : undefined;
}

/**
 * Sends `head` and then the body as its framing says. Buffered bytes go out in the same write as the head
 * (`pieces`, where the caller has taken it already); undefined when that was all. Throws BodyError when the
 * body breaks; resolves early when `to` closes.
 */
export function sendMessage(
  to: Channel,
  head: Uint8Array,
  body: BodyReader,
  isChunked = body.framing.kind === "chunked",
  pieces = body.isDrained ? undefined : body.nextBuffered(),
): Promise<void> | undefined {
  const first = [head];
  if (pieces) for (const piece of pieces) appendPiece(first, piece, isChunked);
  if (isChunked && body.isDrained) first.push(encodeLastChunk(body.trailers));
  const isTaken = writeJoined(to, first);
  return body.isDrained ? undefined : sendRest(to, body, isChunked, isTaken);
}

async function sendRest(to: Channel, body: BodyReader, isChunked: boolean, isTaken: boolean): Promise<void> {
  if (!isTaken) await to.flushed();
  // When nobody takes the octets they are not read: another reader may want them.
  while (!to.isClosed) {
    const pieces = await body.next();
    if (!pieces) break;
    await writePieces(to, pieces, isChunked);
  }
  if (isChunked && body.isDrained) to.write(encodeLastChunk(body.trailers));
}

function appendPiece(out: Uint8Array[], piece: Uint8Array, isChunked: boolean): void {
  if (piece.length === 0) return;
  if (isChunked) out.push(...encodeChunk(piece));
  else out.push(piece);
}
