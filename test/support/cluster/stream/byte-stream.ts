// A pull-based view of a socket for the stand-in cluster: read what comes next, write, half-close.
// Everything that carries bytes (TLS socket, WebSocket tunnel, SPDY stream) has this shape, so that
// protocols stack.

import type { Socket } from "node:net";

/** Bytes both ways; `read` gives undefined once the other side has finished. */
export interface ByteStream {
  /** The next bytes, in any chunking, or undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when more may be written; never rejects: a gone peer swallows bytes. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Finishes this side only. */
  end(): void;
  /** Drops both sides at once. */
  destroy(): void;
  /** Aborted once the connection is gone altogether. */
  readonly gone: AbortSignal;
}

/** A queue with one reader, the receiving half of every ByteStream here. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#ended) return;
    this.#chunks.push(bytes);
    this.#wake?.();
  }

  /** Puts bytes back in front of what is queued. */
  unshift(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#chunks.unshift(bytes);
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  get size(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#chunks.shift();
  }
}

/** A socket as a ByteStream, with the means to put bytes back that were read too far. */
export class SocketStream implements ByteStream {
  readonly #socket: Socket;
  readonly #incoming = new ByteQueue();
  readonly #gone = new AbortController();
  #drained: Promise<void> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.#incoming.push(new Uint8Array(bytes)));
    // Like Go's server: a peer that has finished is gone, whatever it may still be willing to read.
    socket.on("end", () => {
      this.#incoming.end();
      this.#gone.abort();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#incoming.end();
      this.#gone.abort();
    });
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  read(): Promise<Uint8Array | undefined> {
    return this.#incoming.read();
  }

  unread(bytes: Uint8Array): void {
    this.#incoming.unshift(bytes);
  }

  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (this.#socket.write(bytes)) return;
    this.#drained ??= new Promise((resolve) => {
      const done = () => {
        this.#socket.off("drain", done).off("close", done);
        this.#drained = undefined;
        resolve();
      };
      this.#socket.on("drain", done).on("close", done);
    });
    await this.#drained;
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** Joins chunks into one array. */
export function joinBytes(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}
