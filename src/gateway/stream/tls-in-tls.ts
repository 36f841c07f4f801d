// TLS to an upstream inside TLS to a corporate proxy, which Bun's sockets cannot do by themselves:
// node:tls over a stream. It encrypts whatever it is given at once, however slow the reader, so the
// back-pressure is taken from the stream underneath.

import { Duplex } from "node:stream";
import tls from "node:tls";
import { TlsTail } from "../../wire/tls/tail.ts";
import { type ByteStream, IGNORE, type StreamHandler } from "./byte-stream.ts";
import { Channel } from "./channel.ts";
import {
  type ClientHandshake,
  type SecureConnection,
  TLS_CLOSED,
  TLS_TIMEOUT,
  TlsError,
} from "./secure-stream.ts";

/** Encrypted bytes that may wait for the outer connection before the writer is held back. */
const HIGH_WATER = 256 * 1024;

/** Begins TLS on a channel of whatever kind; as `upgradeTls` otherwise. */
export function tlsInTls(outer: Channel, options: ClientHandshake): Promise<SecureConnection> {
  const tail = new TlsTail();
  const under = duplexOver(outer, tail);
  return new Promise((resolve, reject) => {
    const { serverName, session, onSession } = options;
    const socket = tls.connect({
      socket: under,
      secureContext: options.context,
      rejectUnauthorized: false,
      ALPNProtocols: [...options.protocols],
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(session === undefined ? {} : { session }),
    });
    const fail = (code: string, cause?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      under.destroy();
      reject(new TlsError(code, { cause }));
    };
    const timer = setTimeout(() => fail(TLS_TIMEOUT), options.timeoutMs);
    const onError = (error: NodeJS.ErrnoException) => fail(error.code ?? error.message, error);
    const onClose = () => fail(TLS_CLOSED);
    socket.once("error", onError).once("close", onClose).once("end", onClose);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      socket.off("error", onError).off("close", onClose).off("end", onClose);
      const channel = new Channel(new StreamOverStream(socket, under, tail));
      resolve({ channel, protocol: socket.alpnProtocol || undefined, peer: socket });
    });
    if (onSession) socket.on("session", onSession);
  });
}

/** A Duplex that nobody else reads, as a ByteStream; it writes to `under`. */
class StreamOverStream implements ByteStream {
  readonly #duplex: Duplex;
  readonly #under: Duplex;
  readonly #tail: TlsTail;
  #handler: StreamHandler = IGNORE;
  #error: Error | undefined;
  #isClosed = false;

  constructor(duplex: Duplex, under: Duplex, tail: TlsTail) {
    this.#duplex = duplex;
    this.#under = under;
    this.#tail = tail;
    duplex.on("data", (bytes: Buffer) => this.#handler.data(bytes));
    duplex.on("end", () => this.#handler.end());
    duplex.on("error", (error: Error) => {
      this.#error = error;
    });
    duplex.on("close", () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.#handler.close(this.#error);
    });
    const drained = () => {
      if (!this.#isHeldBack) this.#handler.drain();
    };
    duplex.on("drain", drained);
    under.on("drain", drained);
  }

  get #isHeldBack(): boolean {
    return this.#duplex.writableNeedDrain || this.#under.writableLength > HIGH_WATER;
  }

  get hasSentAll(): boolean {
    return this.#duplex.writableLength === 0 && this.#under.writableLength === 0;
  }

  get wasCutOff(): boolean {
    return this.#duplex.readableEnded && !this.#tail.isAlert;
  }

  setHandler(handler: StreamHandler): void {
    this.#handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#duplex.writableEnded || this.#duplex.destroyed || bytes.length === 0)
      return true;
    this.#duplex.write(bytes);
    return !this.#isHeldBack;
  }

  end(): void {
    if (!this.#duplex.writableEnded) this.#duplex.end();
  }

  destroy(): void {
    this.#duplex.destroy();
    this.#under.destroy();
  }

  hangUp(): void {
    this.destroy();
  }

  pause(): void {
    this.#duplex.pause();
  }

  resume(): void {
    this.#duplex.resume();
  }
}

/**
 * Presents a channel as a Duplex; the channel's buffered octets are read first. The channel must not be used
 * otherwise.
 */
function duplexOver(channel: Channel, tail: TlsTail): Duplex {
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
      tail.push(bytes);
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
