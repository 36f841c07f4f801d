// The client's connection as ssh2 wants it: the part of a net.Socket that it uses, on a socket of
// Bun's own. ssh2 writes a packet in three pieces; here they go out together, and many packets at
// once, so that a transfer is not made of system calls.

import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { adoptSocket } from "../../../gateway/stream/adopt-socket.ts";
import type { TcpStream } from "../../../gateway/stream/tcp-stream.ts";

/** Bytes that are put together before they are written; a packet has at most 32 KiB and some. */
const TOGETHER = 160 * 1024;
const ROOM = TOGETHER + 64 * 1024;
/** The queue's claimed length while the kernel takes no more. */
const FULL = Number.MAX_SAFE_INTEGER;

/** Takes over a connected socket; `first` was read from it before. */
export async function openClientSocket(fd: number, first: Uint8Array): Promise<Socket> {
  return new ClientSocket(await adoptSocket(fd), first) as unknown as Socket;
}

class ClientSocket extends EventEmitter {
  /** Both are what ssh2 asks before it writes. */
  writable = true;
  readonly _readableState = { ended: false };
  readonly #stream: TcpStream;
  #isPaused = true;
  #held: Uint8Array[];
  /** Used again and again: memory that is new each time costs more than the copy. */
  #out = new Uint8Array(ROOM);
  #size = 0;
  #isFull = false;
  #isEnding = false;

  constructor(stream: TcpStream, first: Uint8Array) {
    super();
    this.#stream = stream;
    this.#held = first.length === 0 ? [] : [first];
    stream.setHandler({
      data: (bytes) => {
        if (this.#isPaused) this.#held.push(bytes);
        else this.emit("data", bytes);
      },
      drain: () => {
        this.#isFull = false;
        this.emit("drain");
      },
      end: () => {
        this._readableState.ended = true;
        this.emit("end");
        this.end();
      },
      close: (error) => {
        this.writable = false;
        if (error && this.listenerCount("error") > 0) this.emit("error", error);
        this.emit("close");
      },
    });
  }

  get remoteAddress(): string {
    return this.#stream.remote.address;
  }

  get remotePort(): number {
    return this.#stream.remote.port;
  }

  get writableLength(): number {
    return this.#isFull ? FULL : this.#size;
  }

  setNoDelay(): this {
    return this;
  }

  pause(): this {
    this.#isPaused = true;
    this.#stream.pause();
    return this;
  }

  resume(): this {
    this.#isPaused = false;
    while (this.#held.length > 0 && !this.#isPaused) this.emit("data", this.#held.shift());
    if (!this.#isPaused) this.#stream.resume();
    return this;
  }

  write(bytes: Uint8Array): boolean {
    if (!this.writable) return false;
    if (this.#size === 0) queueMicrotask(() => this.#flush());
    if (this.#size + bytes.length > ROOM) this.#flush();
    if (bytes.length > ROOM) {
      if (!this.#stream.write(bytes)) this.#isFull = true;
      return !this.#isFull;
    }
    this.#out.set(bytes, this.#size);
    this.#size += bytes.length;
    if (this.#size >= TOGETHER) this.#flush();
    return !this.#isFull;
  }

  #flush(): void {
    if (this.#size > 0) {
      const all = this.#out.subarray(0, this.#size);
      this.#size = 0;
      if (!this.#stream.write(all)) this.#isFull = true;
      // The kernel may still read octets from the old buffer.
      if (!this.#stream.hasSentAll) this.#out = new Uint8Array(ROOM);
    }
    if (this.#isEnding) this.#stream.end();
  }

  end(): this {
    if (this.#isEnding) return this;
    this.#isEnding = true;
    this.writable = false;
    this.#flush();
    return this;
  }

  destroy(): this {
    this.writable = false;
    this.#stream.destroy();
    return this;
  }
}
