// Message bodies: where one ends, and its data without the chunk syntax. Data comes out as views of
// the input, so a body costs no copies. Chunk syntax is judged as strictly as a head: what some
// parser out there would forgive is an error here, because the next request starts where this ends.

import type { Header } from "../../model/request.ts";
import { ChunkHeader } from "./chunk-header.ts";
import { readField, scanFieldLines, scannedText } from "./field-lines.ts";
import { FORBIDDEN_TRAILERS } from "./forbidden-trailers.ts";
import type { Framing } from "./framing.ts";
import { serialiseFields } from "./serialise-head.ts";

/** ok: `data` are views into the pushed bytes; `consumed` is less than was pushed only when `done`. bad: refuse and close. */
export type BodyStep =
  | {
      readonly kind: "ok";
      readonly data: readonly Uint8Array[];
      readonly consumed: number;
      readonly done: boolean;
      readonly trailers: readonly Header[];
    }
  | { readonly kind: "bad"; readonly reason: string };

/** Bounds of chunk syntax: octets of one chunk's extensions, octets and fields of the trailer section. */
export interface BodyLimits {
  readonly maxExtensionBytes: number;
  readonly maxTrailerBytes: number;
  readonly maxTrailerFields: number;
}

/** Extensions are never used in earnest, and trailers hold a checksum or two. */
export const DEFAULT_BODY_LIMITS: BodyLimits = {
  maxExtensionBytes: 1024,
  maxTrailerBytes: 16_384,
  maxTrailerFields: 64,
};

const CR = 0x0d;
const LF = 0x0a;
const NONE: readonly never[] = [];
const EMPTY = new Uint8Array(0);

type ChunkState = "header" | "data" | "data-return" | "data-line-feed" | "trailers";

/** Takes a body apart as it arrives, in any pieces. After "bad" it stays bad; after `done` it consumes nothing. */
export class BodyDecoder {
  readonly #framing: Framing;
  readonly #limits: BodyLimits;
  /** Made for the first chunk: most bodies are not chunked. */
  #header: ChunkHeader | undefined;
  #state: ChunkState = "header";
  /** Bytes of the body (length) or of the current chunk that are still to come. */
  #remaining = 0;
  #trailerBytes: Uint8Array = EMPTY;
  #trailers: readonly Header[] = NONE;
  #isDone: boolean;
  #problem: string | undefined;

  constructor(framing: Framing, limits: BodyLimits = DEFAULT_BODY_LIMITS) {
    this.#framing = framing;
    this.#limits = limits;
    this.#isDone = framing.kind === "none" || (framing.kind === "length" && framing.length === 0);
    if (framing.kind === "length") this.#remaining = framing.length;
  }

  /** Takes the next bytes. Octets after the body are left: see `consumed`. */
  push(bytes: Uint8Array): BodyStep {
    if (this.#problem !== undefined) return { kind: "bad", reason: this.#problem };
    if (this.#isDone) return this.#ok(NONE, 0);
    switch (this.#framing.kind) {
      case "length": {
        const data = take(bytes, 0, Math.min(this.#remaining, bytes.length));
        this.#remaining -= data.length;
        this.#isDone = this.#remaining === 0;
        return this.#ok(data.length > 0 ? [data] : NONE, data.length);
      }
      case "chunked":
        return this.#pushChunked(bytes);
      default:
        return this.#ok(bytes.length > 0 ? [bytes] : NONE, bytes.length);
    }
  }

  /** The connection ended: was the body whole? Only a body that runs until close ends this way. */
  end(): "complete" | "truncated" {
    if (this.#problem !== undefined) return "truncated";
    return this.#isDone || this.#framing.kind === "until-close" ? "complete" : "truncated";
  }

  #ok(data: readonly Uint8Array[], consumed: number): BodyStep {
    return { kind: "ok", data, consumed, done: this.#isDone, trailers: this.#trailers };
  }

  #bad(reason: string): BodyStep {
    this.#problem = reason;
    return { kind: "bad", reason };
  }

  #pushChunked(bytes: Uint8Array): BodyStep {
    const data: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === "data") {
        const piece = take(bytes, at, Math.min(bytes.length, at + this.#remaining));
        data.push(piece);
        at += piece.length;
        this.#remaining -= piece.length;
        if (this.#remaining === 0) this.#state = "data-return";
      } else if (this.#state === "trailers") {
        const used = this.#pushTrailers(bytes, at);
        if (typeof used === "string") return this.#bad(used);
        at += used;
        if (this.#isDone) break;
      } else {
        const problem = this.#step(bytes[at] as number);
        if (problem !== undefined) return this.#bad(problem);
        at++;
      }
    }
    return this.#ok(data, at);
  }

  /** One octet of chunk syntax; a text is why it is refused. */
  #step(octet: number): string | undefined {
    if (this.#state === "data-return") {
      if (octet !== CR) return "chunk data longer than its size";
      this.#state = "data-line-feed";
      return undefined;
    }
    if (this.#state === "data-line-feed") {
      if (octet !== LF) return "bare carriage return after chunk data";
      this.#state = "header";
      this.#header?.restart();
      return undefined;
    }
    this.#header ??= new ChunkHeader(this.#limits.maxExtensionBytes);
    const problem = this.#header.push(octet);
    if (this.#header.isDone) {
      this.#remaining = this.#header.size;
      this.#state = this.#remaining === 0 ? "trailers" : "data";
    }
    return problem;
  }

  /** How many bytes from `at` belong to the trailer section; a text is why it is refused. */
  #pushTrailers(bytes: Uint8Array, at: number): number | string {
    const before = this.#trailerBytes.length;
    const room = this.#limits.maxTrailerBytes - before;
    const section = concat(this.#trailerBytes, take(bytes, at, Math.min(bytes.length, at + room)));
    const scan = scanFieldLines(section, 0, section.length, this.#limits.maxTrailerFields);
    if (scan.kind === "bad") return scan.reason;
    if (scan.kind === "need-more") {
      if (section.length >= this.#limits.maxTrailerBytes) return "trailer section too large";
      // A copy: the caller may reuse the buffer that a first piece still points into. (`slice` of a
      // node Buffer would be a view.)
      this.#trailerBytes = before === 0 ? new Uint8Array(section) : section;
      return section.length - before;
    }
    const text = scannedText(section, scan.next, scan.octetBits);
    const trailers: Header[] = [];
    for (let index = 0; index < scan.count; index++) {
      const field = readField(text, index);
      if (FORBIDDEN_TRAILERS.has(field[0].toLowerCase())) return "forbidden trailer field";
      trailers.push(field);
    }
    this.#trailers = trailers;
    this.#isDone = true;
    return scan.next - before;
  }
}

function take(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

const LINE_END = Uint8Array.of(CR, LF);

/** One chunk as pieces to write in order, the data itself not copied; no pieces for empty data, which would end the body. */
export function encodeChunk(data: Uint8Array): Uint8Array[] {
  if (data.length === 0) return [];
  const size = data.length.toString(16);
  const line = new Uint8Array(size.length + 2);
  for (let i = 0; i < size.length; i++) line[i] = size.charCodeAt(i);
  line.set(LINE_END, size.length);
  return [line, data, LINE_END];
}

/** The end of a chunked body: the zero chunk, the trailers, the empty line. */
export function encodeLastChunk(trailers: readonly Header[]): Uint8Array {
  return concat(Uint8Array.of(0x30, CR, LF), serialiseFields(trailers));
}
