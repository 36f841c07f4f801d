// The load's HTTP/1.1: one request at a time on a kept connection. Reads replies as strictly as the
// gateway does.

import { BodyDecoder } from "../../../src/wire/http1/body.ts";
import { parseResponseHead } from "../../../src/wire/http1/head.ts";
import { type HttpClient, type LoadRequest, type Sent, Waiting } from "./http.ts";
import type { ClientSocket } from "./socket.ts";

const NONE = Buffer.alloc(0);
const FIELDS = [
  "User-Agent: kubectl/v1.32.1 (linux/amd64) kubernetes/e9c9be4",
  "Accept: application/json",
  "Content-Type: application/json",
].join("\r\n");

/** A kept connection. */
export class Http1Client implements HttpClient {
  readonly #socket: ClientSocket;
  readonly #authority: string;
  #waiting: Waiting | undefined;
  #decoder: BodyDecoder | undefined;
  #rest: Buffer = NONE;
  #isKept = true;

  constructor(socket: ClientSocket, authority: string) {
    this.#socket = socket;
    this.#authority = authority;
    socket.onBytes = (bytes) => this.#receive(bytes);
    socket.onClose = () => this.#over();
  }

  get isUsable(): boolean {
    return this.#isKept && !this.#socket.isClosed && this.#waiting === undefined;
  }

  send(request: LoadRequest): Sent {
    const waiting = new Waiting(request);
    this.#waiting = waiting;
    this.#decoder = undefined;
    if (this.#socket.isClosed) this.#over();
    else this.#socket.send(bytesOf(request, this.#authority));
    return { reply: waiting.reply, begun: waiting.begun, leave: () => this.drop() };
  }

  end(): void {
    this.#socket.end();
  }

  drop(): void {
    this.#socket.drop();
  }

  #receive(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#waiting !== undefined && this.#readSome(this.#waiting)) {}
    if (this.#waiting === undefined && this.#rest.length > 0) this.#isKept = false;
    this.#rest = this.#rest.length > 0 ? Buffer.from(this.#rest) : NONE;
  }

  /** True when there may be more to read. */
  #readSome(waiting: Waiting): boolean {
    if (this.#decoder === undefined) {
      const result = parseResponseHead(this.#rest, "GET");
      if (result.kind === "need-more") return false;
      if (result.kind === "bad") return this.#fail();
      this.#rest = this.#rest.subarray(result.length);
      const { status, framing, keepAlive } = result.value;
      if (status < 200) return true;
      waiting.status = status;
      if (!keepAlive) this.#isKept = false;
      this.#decoder = new BodyDecoder(framing);
    }
    const step = this.#decoder.push(this.#rest);
    if (step.kind === "bad") return this.#fail();
    for (const piece of step.data) waiting.take(piece);
    this.#rest = this.#rest.subarray(step.consumed);
    if (!step.done) return false;
    this.#waiting = undefined;
    this.#decoder = undefined;
    waiting.end();
    return false;
  }

  #fail(): false {
    this.#socket.drop();
    return false;
  }

  #over(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.break();
  }
}

function bytesOf({ method, target, body, isChunked, upTo }: LoadRequest, authority: string): Buffer {
  const length = body.length === 0 ? "" : `Content-Length: ${body.length}\r\n`;
  const framing = isChunked && body.length > 0 ? "Transfer-Encoding: chunked\r\n" : length;
  const head = Buffer.from(
    `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${FIELDS}\r\n${framing}\r\n`,
    "latin1",
  );
  if (upTo === "mid-head") return head.subarray(0, head.length - 20);
  const half = Math.floor(body.length / 2);
  if (!isChunked || body.length === 0)
    return Buffer.concat([head, upTo === "mid-body" ? body.subarray(0, half) : body]);
  const pieces = [head, chunk(body.subarray(0, half))];
  if (upTo === "end") pieces.push(chunk(body.subarray(half)), Buffer.from("0\r\n\r\n"));
  return Buffer.concat(pieces);
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}
