// ByteStream over Node's Duplex, which is what node:tls gives, and the reverse:
// a Duplex over a ByteStream, which is what node:tls wants to be given.

import { Duplex } from "node:stream";
import { type ByteStream, IGNORE, type StreamHandler } from "./byte-stream.ts";
import type { Channel } from "./channel.ts";

/** Wraps a Duplex (a TLSSocket); the Duplex must not be read by anyone else. */
export class NodeStream implements ByteStream {
  readonly #duplex: Duplex;
  #handler: StreamHandler = IGNORE;
  #error: Error | undefined;
  #isClosed = false;

  constructor(duplex: Duplex) {
    this.#duplex = duplex;
    duplex.on("data", (bytes: Buffer) => this.#handler.data(bytes));
    duplex.on("drain", () => this.#handler.drain());
    duplex.on("end", () => this.#handler.end());
    duplex.on("error", (error: Error) => {
      this.#error = error;
    });
    duplex.on("close", () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.#handler.close(this.#error);
    });
  }

  setHandler(handler: StreamHandler): void {
    this.#handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#duplex.writableEnded || this.#duplex.destroyed || bytes.length === 0)
      return true;
    return this.#duplex.write(bytes);
  }

  end(): void {
    if (!this.#duplex.writableEnded) this.#duplex.end();
  }

  destroy(): void {
    this.#duplex.destroy();
  }

  pause(): void {
    this.#duplex.pause();
  }

  resume(): void {
    this.#duplex.resume();
  }
}

/** Presents a channel as a Duplex; what the channel has buffered is read first. The channel must not be used otherwise. */
export function duplexOver(channel: Channel): Duplex {
  const { stream } = channel;
  let flushed: (() => void) | undefined;
  const duplex = new Duplex({
    allowHalfOpen: true,
    read() {
      stream.resume();
    },
    write(bytes: Buffer, _encoding, done) {
      if (stream.write(bytes)) done();
      else flushed = done;
    },
    final(done) {
      stream.end();
      done();
    },
    destroy(error, done) {
      stream.destroy();
      done(error);
    },
  });
  const release = () => {
    const done = flushed;
    flushed = undefined;
    done?.();
  };
  let hasEnded = false;
  const end = () => {
    if (!hasEnded) duplex.push(null);
    hasEnded = true;
  };
  channel.handOver({
    data(bytes) {
      if (!hasEnded && !duplex.push(bytes)) stream.pause();
    },
    drain: release,
    end,
    close(error) {
      release();
      end();
      duplex.destroy(error);
    },
  });
  return duplex;
}
