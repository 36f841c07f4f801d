// The upstream's HTTP/1.1: one request after the other on a connection, upgrades answered with 101
// and an echo.

import type { Socket } from "bun";
import { BodyDecoder } from "../../../src/wire/http1/body.ts";
import { parseRequestHead } from "../../../src/wire/http1/head.ts";
import { Arrival, everyMs, piecesOf, REST_MS, WATCH_EVENT } from "../arrival.ts";
import { OutQueue } from "../client/out-queue.ts";
import { type Ledger, noteFault } from "../ledger.ts";

const NONE = Buffer.alloc(0);

/** One connection. */
export class OriginHttp1 {
  readonly #ledger: Ledger;
  readonly #out = new OutQueue();
  #rest: Buffer = NONE;
  #arrival: Arrival | undefined;
  #decoder: BodyDecoder | undefined;
  #isEcho = false;
  #isReplying = false;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  data(socket: Socket<OriginHttp1>, bytes: Buffer): void {
    if (this.#isEcho) {
      this.#out.write(socket, Buffer.from(bytes));
      return;
    }
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#read(socket);
    // The bytes are Bun's again when this returns.
    if (this.#rest.length > 0) this.#rest = Buffer.from(this.#rest);
  }

  close(): void {
    clearInterval(this.#watch);
  }

  drain(socket: Socket<OriginHttp1>): void {
    this.#out.flush(socket);
  }

  #read(socket: Socket<OriginHttp1>): void {
    while (this.#rest.length > 0 && !this.#isReplying) {
      if (this.#decoder === undefined && !this.#readHead(socket)) return;
      const step = this.#decoder?.push(this.#rest);
      if (step?.kind !== "ok") {
        this.#fault(socket, step?.reason);
        return;
      }
      for (const piece of step.data) this.#arrival?.take(piece);
      this.#rest = this.#rest.subarray(step.consumed);
      if (!step.done) return;
      this.#reply(socket);
    }
  }

  /** True when a head was read whose body is next. */
  #readHead(socket: Socket<OriginHttp1>): boolean {
    const result = parseRequestHead(this.#rest);
    if (result.kind === "need-more") return false;
    if (result.kind === "bad") {
      this.#fault(socket, result.reason);
      return false;
    }
    const head = result.value;
    this.#rest = this.#rest.subarray(result.length);
    this.#arrival = new Arrival(this.#ledger, head.target);
    this.#decoder = new BodyDecoder(head.framing);
    if (head.upgrade !== undefined) {
      this.#arrival.end();
      this.#isEcho = true;
      const spelling = head.upgrade === "websocket" ? "websocket" : "SPDY/3.1";
      this.#write(
        socket,
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${spelling}\r\n\r\n`,
      );
      if (this.#rest.length > 0) this.#out.write(socket, Buffer.from(this.#rest));
      this.#rest = NONE;
      return false;
    }
    const every = everyMs(head.target);
    if (every !== undefined) {
      this.#serveWatch(socket, every);
      return false;
    }
    // An empty body is done without a byte.
    const step = this.#decoder.push(NONE);
    if (step.kind !== "ok" || !step.done) return this.#rest.length > 0;
    this.#reply(socket);
    return false;
  }

  /** Events until the client goes away. */
  #serveWatch(socket: Socket<OriginHttp1>, every: number): void {
    this.#isReplying = true;
    const fields = "Content-Type: application/json;stream=watch\r\nTransfer-Encoding: chunked";
    this.#write(socket, `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n`);
    this.#watch = setInterval(() => this.#out.write(socket, chunk(WATCH_EVENT)), every);
  }

  #fault(socket: Socket<OriginHttp1>, what = "a body nobody waits for"): void {
    noteFault(this.#ledger, `HTTP/1.1: ${what}`);
    socket.terminate();
  }

  #reply(socket: Socket<OriginHttp1>): void {
    const arrival = this.#arrival;
    this.#arrival = undefined;
    this.#decoder = undefined;
    if (arrival === undefined) return;
    arrival.end();
    const isChunked = arrival.kind?.isChunked === true;
    const framing = isChunked ? "Transfer-Encoding: chunked" : `Content-Length: ${arrival.reply.length}`;
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`;
    const pieces = piecesOf(arrival).map((piece) => (isChunked ? chunk(piece) : piece));
    if (isChunked) pieces[pieces.length - 1] = Buffer.concat([pieces.at(-1) ?? NONE, LAST_CHUNK]);
    const [first = NONE, ...later] = pieces;
    this.#out.write(socket, Buffer.concat([Buffer.from(head, "latin1"), first]));
    if (later.length > 0) void this.#replyLater(socket, later);
    else this.#read(socket);
  }

  async #replyLater(socket: Socket<OriginHttp1>, pieces: readonly Buffer[]): Promise<void> {
    this.#isReplying = true;
    for (const piece of pieces) {
      await Bun.sleep(REST_MS);
      this.#out.write(socket, piece);
    }
    this.#isReplying = false;
    this.#read(socket);
  }

  #write(socket: Socket<OriginHttp1>, text: string): void {
    this.#out.write(socket, Buffer.from(text, "latin1"));
  }
}

const LAST_CHUNK = Buffer.from("0\r\n\r\n");

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}
