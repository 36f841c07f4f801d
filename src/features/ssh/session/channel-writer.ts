// Writes to a client's channel within the window that the client gave. ssh2's own streams mix up
// the octets that wait on stdout and on stderr when the window is used up, and do not feel a slow
// socket; so nothing is given to them that they would have to keep.

import type { Socket } from "node:net";
import type { Connection, ServerChannel } from "ssh2";

/** The parts of ssh2's channel and connection that are used here. */
interface Outgoing {
  readonly id: number;
  window: number;
  readonly packetSize: number;
  state: string;
}
interface Inner {
  readonly outgoing: Outgoing;
  readonly incoming: { window: number };
  readonly _client: {
    readonly _sock: Socket;
    readonly _protocol: {
      channelData(id: number, data: Buffer): void;
      channelExtData(id: number, data: Buffer, type: number): void;
    };
  };
  push(data: Buffer | null): boolean;
}

const STDERR = 1;
/** Bytes in the socket's queue above which a writer waits. */
const SOCKET_HIGH = 1024 * 1024;
/** Bytes that a client may send beyond the octets that were read before it is cut off; its window is 2 MiB. */
const UNREAD_MAX = 4 * 1024 * 1024;

/** The writing side of one channel. */
export class ChannelWriter {
  readonly #channel: ServerChannel;
  readonly #inner: Inner;
  #wake: (() => void)[] = [];
  #isClosed = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(channel: ServerChannel, client: Connection) {
    this.#channel = channel;
    this.#inner = channel as unknown as Inner;
    const { outgoing } = this.#inner;
    let { window } = outgoing;
    Object.defineProperty(outgoing, "window", {
      get: () => window,
      set: (next: number) => {
        const isMore = next > window;
        window = Math.min(next, 0xffff_ffff);
        if (isMore) this.#wakeAll();
      },
    });
    const push = this.#inner.push.bind(channel);
    this.#inner.push = (data) => {
      if (data !== null && channel.readableLength + data.length > UNREAD_MAX) {
        client.end();
        return true;
      }
      return push(data);
    };
    const closed = () => {
      this.#isClosed = true;
      this.#wakeAll();
    };
    channel.once("close", closed);
    client.once("close", closed);
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#inner.outgoing.state !== "open";
  }

  /** Resolves when the client's window and the socket took it all, or the channel is closed. */
  write(bytes: Uint8Array, isStderr = false): Promise<void> {
    const done = this.#turn.then(() => this.#write(bytes, isStderr));
    this.#turn = done;
    return done;
  }

  async #write(bytes: Uint8Array, isStderr: boolean): Promise<void> {
    const { outgoing, _client: client } = this.#inner;
    let at = 0;
    while (at < bytes.length && !this.isClosed) {
      if (outgoing.window === 0) await this.#woken();
      else if (client._sock.writableLength > SOCKET_HIGH) await this.#drained(client._sock);
      else {
        const size = Math.min(bytes.length - at, outgoing.window, outgoing.packetSize);
        if (size <= 0) return this.#channel.close();
        const piece = Buffer.from(bytes.buffer, bytes.byteOffset + at, size);
        outgoing.window -= size;
        at += size;
        if (isStderr) client._protocol.channelExtData(outgoing.id, piece, STDERR);
        else client._protocol.channelData(outgoing.id, piece);
      }
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #drained(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        socket.off("drain", done);
        socket.off("close", done);
        resolve();
      };
      socket.on("drain", done);
      socket.on("close", done);
    });
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }

  /** Says how it ended and closes, after everything that was written. */
  finish(code: number): Promise<void> {
    return this.close(() => this.#channel.exit(code));
  }

  /** Closes, after everything that was written. */
  async close(last: () => void = () => undefined): Promise<void> {
    await this.#turn;
    if (!this.isClosed) {
      last();
      this.#channel.eof();
    }
    this.#channel.close();
    // ssh2 forgets the channel once both of its streams have ended.
    this.#channel.resume();
  }
}
