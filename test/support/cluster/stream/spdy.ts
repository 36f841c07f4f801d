// The server side of SPDY/3.1 framing (draft-mbelshe-httpbis-spdy-00) over any byte stream: streams
// with headers, data both ways, half-close, ping. Flow control is left out, as in the Go library
// that kubectl uses.

import { constants, createDeflate, createInflate } from "node:zlib";
import { ByteQueue, type ByteStream, joinBytes } from "./byte-stream.ts";

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const RST_STREAM = 3;
const PING = 6;
const GOAWAY = 7;
const FIN = 0x01;

// The dictionary of section 2.6.10.1: words with a 32-bit length before each, then one run of text.
const WORDS =
  "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow " +
  "authorization cache-control connection content-base content-encoding content-language content-length " +
  "content-location content-md5 content-range content-type date etag expect expires from host if-match " +
  "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma " +
  "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade " +
  "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie " +
  "keep-alive origin";
const RUN =
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505" +
  "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized" +
  "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable" +
  "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT" +
  "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain," +
  "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
const DICTIONARY = joinBytes([
  ...WORDS.split(" ").map((word) => lengthPrefixed(word.replace("_", " "))),
  Buffer.from(RUN),
]);

/** One stream that the client opened. */
export interface SpdyStream extends ByteStream {
  readonly id: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Serves a connection: calls `opened` for each new stream (already replied to) until the other side is done. */
export async function serveSpdy(stream: ByteStream, opened: (stream: SpdyStream) => void): Promise<void> {
  const session = new SpdySession(stream, opened);
  await session.run();
}

class SpdySession {
  readonly #stream: ByteStream;
  readonly #opened: (stream: SpdyStream) => void;
  readonly #queues = new Map<number, ByteQueue>();
  readonly #inflate = createInflate({ dictionary: DICTIONARY });
  readonly #deflate = createDeflate({ dictionary: DICTIONARY });
  #writes: Promise<void> = Promise.resolve();

  constructor(stream: ByteStream, opened: (stream: SpdyStream) => void) {
    this.#stream = stream;
    this.#opened = opened;
  }

  async run(): Promise<void> {
    let buffered = Buffer.alloc(0);
    for (;;) {
      const bytes = await this.#stream.read();
      if (bytes === undefined) break;
      buffered = Buffer.concat([buffered, bytes]);
      while (buffered.length >= 8) {
        const length = buffered.readUIntBE(5, 3);
        if (buffered.length < 8 + length) break;
        await this.#frame(buffered.subarray(0, 8), buffered.subarray(8, 8 + length));
        buffered = buffered.subarray(8 + length);
      }
    }
    for (const queue of this.#queues.values()) queue.end();
    this.#stream.end();
  }

  async #frame(head: Buffer, payload: Buffer): Promise<void> {
    const isControl = ((head[0] ?? 0) & 0x80) !== 0;
    const flags = head[4] ?? 0;
    if (!isControl) return this.#data(head.readUInt32BE(0) & 0x7fffffff, flags, payload);
    const type = head.readUInt16BE(2);
    if (type === SYN_STREAM) return this.#open(payload, flags);
    if (type === RST_STREAM) this.#queues.get(payload.readUInt32BE(0) & 0x7fffffff)?.end();
    if (type === PING) await this.#control(PING, 0, payload);
    if (type === GOAWAY) for (const queue of this.#queues.values()) queue.end();
  }

  #data(id: number, flags: number, payload: Buffer): void {
    const queue = this.#queues.get(id);
    queue?.push(new Uint8Array(payload));
    if ((flags & FIN) !== 0) queue?.end();
  }

  async #open(payload: Buffer, flags: number): Promise<void> {
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const block = await pump(this.#inflate, payload.subarray(10));
    const queue = new ByteQueue();
    if ((flags & FIN) !== 0) queue.end();
    this.#queues.set(id, queue);
    await this.#control(SYN_REPLY, 0, uint32(id), await pump(this.#deflate, uint32(0)));
    this.#opened({
      id,
      headers: readHeaders(block),
      gone: this.#stream.gone,
      read: () => queue.read(),
      write: (bytes) =>
        this.#write(joinBytes([dataHead(id, 0, Buffer.byteLength(bytes)), Buffer.from(bytes)])),
      end: () => void this.#write(dataHead(id, FIN, 0)),
      destroy: () => void this.#control(RST_STREAM, 0, uint32(id), uint32(5)),
    });
  }

  #control(type: number, flags: number, ...parts: readonly Uint8Array[]): Promise<void> {
    const payload = joinBytes(parts);
    const head = Buffer.alloc(8);
    head.writeUInt16BE(0x8003, 0);
    head.writeUInt16BE(type, 2);
    head[4] = flags;
    head.writeUIntBE(payload.length, 5, 3);
    return this.#write(joinBytes([head, payload]));
  }

  #write(bytes: Uint8Array): Promise<void> {
    this.#writes = this.#writes.then(() => this.#stream.write(bytes));
    return this.#writes;
  }
}

function dataHead(id: number, flags: number, length: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head[4] = flags;
  head.writeUIntBE(length, 5, 3);
  return head;
}

function readHeaders(block: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  let at = 4;
  const text = () => {
    const length = block.readUInt32BE(at);
    at += 4 + length;
    return block.subarray(at - length, at).toString("utf8");
  };
  for (let left = block.readUInt32BE(0); left > 0; left--) headers.set(text().toLowerCase(), text());
  return headers;
}

// One compression context serves all header blocks of a direction, so each block ends in a sync flush.
function pump(stream: ReturnType<typeof createInflate>, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve) => {
    const out: Buffer[] = [];
    const collect = (chunk: Buffer) => out.push(chunk);
    stream.on("data", collect);
    stream.write(bytes, () =>
      stream.flush(constants.Z_SYNC_FLUSH, () => {
        stream.off("data", collect);
        resolve(Buffer.concat(out));
      }),
    );
  });
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function lengthPrefixed(text: string): Uint8Array {
  return joinBytes([uint32(text.length), Buffer.from(text)]);
}
