// The server side of RFC 6455, as much as exec, attach and port-forward use: no extensions, no text
// protocols.

import { createHash } from "node:crypto";
import { ByteQueue, type ByteStream, joinBytes } from "./byte-stream.ts";

/** The Sec-WebSocket-Accept value for a client's key. */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** One upgraded connection; messages in, messages out. */
export class WebSocketConnection {
  readonly #stream: ByteStream;
  readonly #incoming = new ByteQueue();

  constructor(stream: ByteStream) {
    this.#stream = stream;
    void this.#pump();
  }

  get gone(): AbortSignal {
    return this.#stream.gone;
  }

  async #pump(): Promise<void> {
    for (;;) {
      const bytes = await this.#stream.read();
      if (bytes === undefined) return this.#incoming.end();
      this.#incoming.push(bytes);
    }
  }

  async #take(length: number): Promise<Uint8Array | undefined> {
    const chunks: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      const bytes = await this.#incoming.read();
      if (bytes === undefined) return undefined;
      chunks.push(bytes.subarray(0, missing));
      this.#incoming.unshift(bytes.subarray(missing));
      missing -= Math.min(missing, bytes.length);
    }
    return joinBytes(chunks);
  }

  /** The next whole message; undefined after a close frame or the end of the connection. Answers pings. */
  async message(): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (;;) {
      const head = await this.#take(2);
      if (head === undefined) return undefined;
      const [first = 0, second = 0] = head;
      const payload = await this.#payload(second);
      if (payload === undefined) return undefined;
      const opcode = first & 0x0f;
      if (opcode === 8) return undefined;
      if (opcode === 9) await this.#frame(10, payload);
      if (opcode >= 8) continue;
      parts.push(payload);
      if ((first & 0x80) !== 0) return joinBytes(parts);
    }
  }

  async #payload(second: number): Promise<Uint8Array | undefined> {
    let length = second & 0x7f;
    if (length >= 126) {
      const extended = await this.#take(length === 126 ? 2 : 8);
      if (extended === undefined) return undefined;
      length = Number(BigInt(`0x${Buffer.from(extended).toString("hex")}`));
    }
    const mask = (second & 0x80) === 0 ? new Uint8Array(4) : await this.#take(4);
    const payload = await this.#take(length);
    if (mask === undefined || payload === undefined) return undefined;
    return payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  }

  async #frame(opcode: number, payload: Uint8Array): Promise<void> {
    const { length } = payload;
    const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
    head[0] = 0x80 | opcode;
    head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
    if (head.length === 4) head.writeUInt16BE(length, 2);
    if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
    await this.#stream.write(joinBytes([head, payload]));
  }

  /** Sends one binary message. */
  send(payload: Uint8Array): Promise<void> {
    return this.#frame(2, payload);
  }

  /** Sends a close frame with code 1000 and finishes. */
  async close(): Promise<void> {
    await this.#frame(8, new Uint8Array([0x03, 0xe8]));
    this.#stream.end();
  }
}

/** A WebSocket as a plain byte stream: each write is one binary message, message borders are lost on reading. */
export function tunnel(socket: WebSocketConnection): ByteStream {
  return {
    gone: socket.gone,
    read: () => socket.message(),
    write: (bytes) => socket.send(new Uint8Array(Buffer.from(bytes))),
    end: () => void socket.close(),
    destroy: () => void socket.close(),
  };
}
