// A body in signed chunks (STREAMING-AWS4-HMAC-SHA256-PAYLOAD, with or without trailer): each
// chunk's signature is made over its data and the signature before it. Both chains are followed
// side by side: the client's is checked, the other goes out. No length changes, for signatures are
// always 64 hexadecimal digits. A chunk is held until its end.

import { createHmac } from "node:crypto";
import { BodyError } from "../../../gateway/message/body-source.ts";
import type { BodyReader } from "../../../gateway/message/upstream-answer.ts";
import { sha256 } from "./canonical-request.ts";
import { isEqual } from "./signature.ts";

/** One chain of signatures. */
export interface Chain {
  readonly key: Uint8Array;
  /** The signature of the request's head. */
  readonly seed: string;
}

/** The parts of the scope that both chains sign. */
export interface ChunkScope {
  readonly time: string;
  readonly scope: string;
}

/** SDKs send 64 KiB to 1 MiB. */
const MAX_CHUNK = 16 * 1024 * 1024;
const MAX_LINE = 256;
const MAX_TRAILER = 16 * 1024;
const CRLF = "\r\n";
const HEAD = /^([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{64})$/;
const NOTHING = sha256("");

/** A chunked body on its way: the client's signatures are checked and replaced. */
export class SignedChunks implements BodyReader {
  readonly #body: BodyReader;
  readonly #scope: ChunkScope;
  readonly #client: Chain;
  readonly #own: Chain;
  #clientBefore: string;
  #ownBefore: string;
  /** The octets that are not passed on yet: the first `#size`. It doubles, so that many small pieces cost no more. */
  #buffer = Buffer.alloc(0);
  #size = 0;
  /** Octets that have to be there before another look is worth it. */
  #wanted = 0;
  #isLast = false;
  #isOver = false;

  constructor(body: BodyReader, scope: ChunkScope, client: Chain, own: Chain) {
    this.#body = body;
    this.#scope = scope;
    this.#client = client;
    this.#own = own;
    this.#clientBefore = client.seed;
    this.#ownBefore = own.seed;
  }

  get framing() {
    return this.#body.framing;
  }

  get trailers() {
    return this.#body.trailers;
  }

  get isDone(): boolean {
    return this.#body.isDone;
  }

  get isDrained(): boolean {
    return this.#body.isDrained && this.#isOver && this.#size === 0;
  }

  async next(): Promise<readonly Uint8Array[] | undefined> {
    for (;;) {
      const pieces = await this.#body.next();
      if (pieces === undefined) return this.#end();
      const passed = this.#pass(pieces);
      if (passed.length > 0) return passed;
    }
  }

  nextBuffered(): readonly Uint8Array[] | undefined {
    for (;;) {
      const pieces = this.#body.nextBuffered();
      if (pieces === undefined) return this.#body.isDrained ? this.#end() : undefined;
      const passed = this.#pass(pieces);
      if (passed.length > 0) return passed;
    }
  }

  #pass(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const piece of pieces) this.#keep(piece);
    const isDue = this.#isLast ? this.#size > MAX_TRAILER : this.#size >= this.#wanted;
    return isDue ? this.#chunks() : [];
  }

  /** Takes the whole chunks off what is waiting. */
  #chunks(): readonly Uint8Array[] {
    const waiting = this.#buffer.subarray(0, this.#size);
    const passed: Uint8Array[] = [];
    let at = 0;
    while (!this.#isLast) {
      const end = this.#chunk(waiting, at, passed);
      if (end === undefined) break;
      at = end;
    }
    this.#wanted -= at;
    this.#buffer = Buffer.from(waiting.subarray(at));
    this.#size = this.#buffer.length;
    if (this.#isLast && this.#size > MAX_TRAILER)
      throw new BodyError("the trailer of a signed body is too long");
    return passed;
  }

  #keep(piece: Uint8Array): void {
    const size = this.#size + piece.length;
    if (size > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(size, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#size);
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#size);
    this.#size = size;
  }

  /** Takes one whole chunk that begins at `at`: where it ends, undefined when its end has not come. */
  #chunk(waiting: Buffer, at: number, passed: Uint8Array[]): number | undefined {
    const end = waiting.indexOf(CRLF, at);
    if (end < 0) {
      if (waiting.length - at > MAX_LINE) throw new BodyError("a signed chunk has no size");
      this.#wanted = waiting.length + 1;
      return undefined;
    }
    const head = HEAD.exec(waiting.toString("latin1", at, end));
    if (head === null) throw new BodyError("a signed chunk cannot be read");
    const [, digits = "", signature = ""] = head;
    const length = Number.parseInt(digits, 16);
    if (length > MAX_CHUNK) throw new BodyError(`a signed chunk is larger than ${MAX_CHUNK} bytes`);
    const from = end + 2;
    const next = length > 0 ? from + length + 2 : from;
    if (waiting.length < next) {
      this.#wanted = next;
      return undefined;
    }
    const data = waiting.subarray(from, from + length);
    if (length > 0 && waiting.toString("latin1", from + length, next) !== CRLF)
      throw new BodyError("a signed chunk does not end where it says");
    const own = this.#next("AWS4-HMAC-SHA256-PAYLOAD", `${NOTHING}\n${sha256(data)}`, signature);
    passed.push(Buffer.from(`${digits};chunk-signature=${own}${CRLF}`, "latin1"));
    if (length > 0) passed.push(new Uint8Array(waiting.subarray(from, next)));
    else this.#isLast = true;
    return next;
  }

  #end(): readonly Uint8Array[] | undefined {
    if (this.#isOver) return undefined;
    if (!this.#isLast) throw new BodyError("a signed body has no last chunk");
    this.#isOver = true;
    const text = this.#buffer.toString("latin1", 0, this.#size);
    this.#size = 0;
    const signed = /^([\s\S]*?)x-amz-trailer-signature:([0-9a-f]{64})(\r?\n(?:\r\n)?)$/i.exec(text);
    if (signed === null) {
      // Without a trailer there is an empty line at most.
      if (/^(?:\r\n)?$/.test(text)) return text === "" ? undefined : [Buffer.from(text, "latin1")];
      throw new BodyError("the trailer of a signed body is not signed");
    }
    const [, fields = "", signature = "", rest = ""] = signed;
    const canonical = fields
      .split(/\r?\n/)
      .filter((line) => line !== "")
      .map((line) => {
        const at = line.indexOf(":");
        return `${line.slice(0, at).toLowerCase().trim()}:${line.slice(at + 1).trim()}\n`;
      })
      .sort()
      .join("");
    const own = this.#next("AWS4-HMAC-SHA256-TRAILER", sha256(canonical), signature);
    const name = text.slice(fields.length, fields.length + "x-amz-trailer-signature".length);
    return [Buffer.from(`${fields}${name}:${own}${rest}`, "latin1")];
  }

  /** Checks the client's signature and gives the one that goes out in its place. */
  #next(kind: string, hashes: string, signature: string): string {
    const { time, scope } = this.#scope;
    const over = ({ key }: Chain, before: string) =>
      createHmac("sha256", key).update([kind, time, scope, before, hashes].join("\n")).digest("hex");
    if (!isEqual(over(this.#client, this.#clientBefore), signature))
      throw new BodyError("the signature of a chunk is wrong");
    this.#clientBefore = signature;
    this.#ownBefore = over(this.#own, this.#ownBefore);
    return this.#ownBefore;
  }
}
