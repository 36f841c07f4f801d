// ByteStream over Bun's sockets, TCP and TLS alike. Owns the queue of bytes that the
// kernel did not take. Bun tells a socket's state through static handlers, so
// `socket.data` holds the stream.

import type { Socket, SocketHandler } from "bun";
import { duplicateDescriptor } from "../../host/process/descriptor.ts";
import type { TlsTail } from "../../wire/tls/tail.ts";
import type { ByteStream, StreamHandler } from "./byte-stream.ts";
import { IGNORE } from "./byte-stream.ts";
import { LOOP_TIME } from "./loop-clock.ts";
import { QUEUED, type QueueAccount } from "./queued-octets.ts";

/** Queued bytes above which `write` asks the writer to hold back. */
const HIGH_WATER = 256 * 1024;
/** The same while memory is short: anyone who feeds this stream is paused sooner. */
const TIGHT_WATER = 32 * 1024;

/** A connection, accepted or dialled. */
export class TcpStream implements ByteStream {
  readonly #socket: Socket<TcpStream | undefined>;
  #handler: StreamHandler = IGNORE;
  #queue: Uint8Array[] = [];
  #queued = 0;
  /** Made when the kernel first takes less than was written. */
  #account: QueueAccount | undefined;
  #isEnding = false;
  #isClosed = false;
  #hasPeerEnded = false;
  #successor: TcpStream | undefined;
  #tail: TlsTail | undefined;
  #receivedMs = LOOP_TIME.nowMs;
  #gone: (() => void)[] = [];
  #ofAnother: (() => void) | undefined;

  constructor(socket: Socket<TcpStream | undefined>) {
    this.#socket = socket;
    socket.data = this;
  }

  /** When the peer last sent something, in milliseconds of the loop's clock. */
  get receivedMs(): number {
    return this.#successor?.receivedMs ?? this.#receivedMs;
  }

  /** Calls back once, when the socket is closed, under whatever stream it is by then. */
  onceGone(listener: () => void): void {
    if (this.#isClosed) listener();
    else this.#gone.push(listener);
  }

  /** The peer's end. */
  get remote(): { readonly address: string; readonly port: number } {
    return { address: this.#socket.remoteAddress, port: this.#socket.remotePort };
  }

  /** Our end. */
  get local(): { readonly address: string; readonly port: number } {
    return { address: this.#socket.localAddress, port: this.#socket.localPort };
  }

  get hasSentAll(): boolean {
    return this.#queued === 0;
  }

  get wasCutOff(): boolean {
    return this.#hasPeerEnded && this.#tail !== undefined && !this.#tail.isAlert;
  }

  /** The watcher of the encrypted octets in which this stream came. */
  watchedBy(tail: TlsTail): void {
    this.#tail = tail;
  }

  /**
   * Gives the socket away, to be put under TLS: this stream sends nothing more, and receives encrypted octets
   * only for `encrypted`.
   */
  surrender(encrypted?: TlsTail): Socket<TcpStream | undefined> {
    this.#handler = encrypted === undefined ? IGNORE : { ...IGNORE, data: (bytes) => encrypted.push(bytes) };
    this.#isEnding = true;
    return this.#socket;
  }

  /** The stream that the surrendered socket went to: destroying this one destroys that one. */
  becomes(successor: TcpStream): void {
    this.#successor = successor;
    for (const gone of this.#gone.splice(0)) successor.onceGone(gone);
  }

  /**
   * Gives the connection to another process: a duplicate of its descriptor, which the caller closes. This
   * stream is over without a word to the peer; the one who destroys it afterwards calls `destroyed`. Received
   * octets must be read before, in the same turn. Throws when the connection is gone, or is no plain one.
   */
  handOut(destroyed: () => void): number {
    if (this.#isClosed || this.#successor !== undefined || this.#isEnding || this.#queued > 0)
      throw new Error("the connection cannot be handed out");
    this.keepAlive();
    const fd = duplicateDescriptor((this.#socket as unknown as { readonly fd: number }).fd);
    this.#ofAnother = destroyed;
    // It is not silent: nobody here hears it.
    this.#receivedMs = Number.POSITIVE_INFINITY;
    this.#socket.close();
    return fd;
  }

  /** Has the kernel ask now and then whether the peer is still there: one that vanished is found out, also in a quiet tunnel. */
  keepAlive(): void {
    // Bun counts the delay in seconds.
    this.#socket.setKeepAlive(true, 30);
  }

  setHandler(handler: StreamHandler): void {
    this.#handler = handler;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#isEnding || bytes.length === 0) return true;
    if (this.#queued === 0) {
      const sent = this.#socket.write(bytes);
      if (sent === bytes.length) return true;
      this.#enqueue(sent > 0 ? bytes.subarray(sent) : bytes);
    } else this.#enqueue(bytes);
    return this.#queued < (QUEUED.isTight ? TIGHT_WATER : HIGH_WATER);
  }

  #enqueue(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    this.#count();
  }

  #count(): void {
    this.#account ??= QUEUED.open(() => this.destroy());
    QUEUED.set(this.#account, this.#queued);
  }

  end(): void {
    if (this.#isClosed || this.#isEnding) return;
    this.#isEnding = true;
    if (this.#queued === 0) this.#shutdown();
  }

  #shutdown(): void {
    // With the peer's FIN already here nothing is left to wait for: close, so that the descriptor goes.
    if (this.#hasPeerEnded) this.#socket.end();
    else this.#socket.shutdown();
  }

  destroy(): void {
    this.#ofAnother?.();
    if (this.#isClosed) return;
    if (this.#successor) {
      this.#successor.destroy();
      return;
    }
    this.#queue = [];
    this.#queued = 0;
    if (this.#account) this.#count();
    this.#socket.terminate();
  }

  hangUp(): void {
    if (!this.#isClosed) this.#socket.close();
  }

  pause(): void {
    if (!this.#isClosed) this.#socket.pause();
  }

  resume(): void {
    if (!this.#isClosed) this.#socket.resume();
  }

  #flush(): void {
    while (this.#queue.length > 0) {
      const head = this.#queue[0] as Uint8Array;
      const sent = this.#socket.write(head);
      if (sent < head.length) {
        if (sent > 0) {
          this.#queue[0] = head.subarray(sent);
          this.#queued -= sent;
          this.#count();
        }
        return;
      }
      this.#queue.shift();
      this.#queued -= head.length;
    }
    if (this.#account) this.#count();
    if (this.#isEnding) this.#shutdown();
    else this.#handler.drain();
  }

  #ended(): void {
    if (this.#hasPeerEnded) return;
    this.#hasPeerEnded = true;
    this.#handler.end();
    if (this.#isEnding && this.#queued === 0) this.#socket.end();
  }

  /** The static handlers that Bun.listen and Bun.connect take, who set TCP_NODELAY; `opened` is called for every new socket. */
  static handlers(opened: (stream: TcpStream) => void): SocketHandler<TcpStream | undefined> {
    return {
      open(socket) {
        LOOP_TIME.hasMoved = true;
        opened(new TcpStream(socket));
      },
      data(socket, bytes) {
        const stream = socket.data;
        if (stream === undefined) return;
        stream.#receivedMs = LOOP_TIME.nowMs;
        LOOP_TIME.hasMoved = true;
        stream.#handler.data(bytes);
      },
      drain(socket) {
        if (socket.data) socket.data.#flush();
      },
      end(socket) {
        if (socket.data) socket.data.#ended();
      },
      error(socket, error) {
        if (socket.data) socket.data.#closed(error);
        // Bun reports and leaves the rest to us: without this a TLS error would keep the descriptor.
        socket.terminate();
      },
      close(socket, error) {
        if (socket.data) socket.data.#closed(error);
      },
    };
  }

  #closed(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#queued = 0;
    if (this.#account) this.#count();
    for (const gone of this.#gone.splice(0)) gone();
    this.#handler.close(error ?? undefined);
  }
}
