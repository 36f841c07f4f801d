// A ByteStream with an input buffer: a protocol engine reads from it and writes to it. Owns bounded
// buffering, waiting for bytes and waiting for the peer to take them. One reader at a time; the
// buffer never grows past HIGH_WATER plus one read.

import type { ByteStream, StreamHandler } from "./byte-stream.ts";
import { QUEUED, type QueueAccount, WORTH_BYTES } from "./queued-octets.ts";

/** Unread bytes above which the peer is held back. */
const HIGH_WATER = 256 * 1024;
/** The same while memory is short. */
const TIGHT_WATER = 32 * 1024;

/** A connection as an engine sees it. */
export class Channel {
  readonly stream: ByteStream;
  #chunks: Uint8Array[] = [];
  #size = 0;
  readonly #account: QueueAccount = QUEUED.open(() => {
    // Somebody may still wait to read it: missing octets must not look like the end.
    this.#error ??= new Error("unread octets took memory that others needed");
    this.destroy();
  });
  #isPaused = false;
  #hasReceived = false;
  #hasEnded = false;
  #isClosed = false;
  #isHandedOver = false;
  #error: Error | undefined;
  #reader: ((more: boolean) => void) | undefined;
  /** When the reader gives up, in milliseconds of performance.now(). */
  #deadline = Number.POSITIVE_INFINITY;
  /** One timer for all waits: it is armed again when it fires early, not for every wait. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #writers: (() => void)[] = [];
  readonly #overListeners = new Set<() => void>();
  readonly #closedListeners = new Set<() => void>();

  constructor(stream: ByteStream) {
    this.stream = stream;
    stream.setHandler(this.#handler());
  }

  #handler(): StreamHandler {
    return {
      data: (bytes) => {
        this.#chunks.push(bytes);
        this.#size += bytes.length;
        this.#count();
        this.#hasReceived = true;
        if (!this.#isPaused && this.#size >= (QUEUED.isTight ? TIGHT_WATER : HIGH_WATER)) {
          this.#isPaused = true;
          this.stream.pause();
        }
        this.#wakeReader(true);
      },
      drain: () => this.#wakeWriters(),
      end: () => {
        this.#hasEnded = true;
        this.#wakeReader(false);
        this.#tellOver();
      },
      close: (error) => {
        this.#isClosed = true;
        this.#count();
        this.#error ??= error;
        this.#disarm();
        this.#wakeReader(false);
        this.#wakeWriters();
        this.#tellOver();
      },
    };
  }

  /** Bytes that arrived and were not read. */
  get buffered(): number {
    return this.#size;
  }

  /** The peer has sent something. */
  get hasReceived(): boolean {
    return this.#hasReceived;
  }

  /** The peer will send nothing more; buffered octets can still be read. */
  get isOver(): boolean {
    return this.#hasEnded || this.#isClosed || this.#isHandedOver;
  }

  /** Both directions are gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Why the connection closed, when it was not orderly. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Takes everything that is buffered; empty when nothing is. */
  read(): Uint8Array {
    const chunks = this.#chunks;
    if (chunks.length === 0) return EMPTY;
    const first = chunks[0] as Uint8Array;
    const bytes = chunks.length === 1 ? first : Buffer.concat(chunks, this.#size);
    this.#chunks = [];
    this.#size = 0;
    QUEUED.set(this.#account, 0);
    if (this.#isPaused) {
      this.#isPaused = false;
      this.stream.resume();
    }
    return bytes;
  }

  /** Puts bytes back in front of the buffered ones. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.unshift(bytes);
    this.#size += bytes.length;
    this.#count();
  }

  /** A closed connection's unread bytes count until they are read; fewer than WORTH_BYTES are ignored. */
  #count(): void {
    QUEUED.set(this.#account, this.#isClosed && this.#size < WORTH_BYTES ? 0 : this.#size);
  }

  /** Waits until more bytes arrive than are buffered now. False: none will come. */
  more(): Promise<boolean> {
    if (this.isOver) return Promise.resolve(false);
    // Anyone who waited before has lost the channel to this reader; it must not wait for ever.
    this.#wakeReader(false);
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  /** As `more`, but gives up after `ms`; false then, though `isOver` is not. */
  moreWithin(ms: number): Promise<boolean> {
    if (this.isOver || ms <= 0) return Promise.resolve(false);
    const more = this.more();
    this.#deadline = performance.now() + ms;
    if (this.#deadline < this.#timerAt) this.#arm(ms);
    return more;
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = performance.now() + ms;
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      const left = this.#deadline - performance.now();
      if (left <= 0) this.#wakeReader(false);
      else if (this.#deadline < Number.POSITIVE_INFINITY) this.#arm(left);
    }, ms);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  /** Waits until something is buffered. False: the peer is done and nothing is left. */
  readable(): Promise<boolean> {
    return this.#size > 0 ? Promise.resolve(true) : this.more();
  }

  /** Queues bytes; false asks the writer to await `flushed` first. */
  write(bytes: Uint8Array): boolean {
    return this.stream.write(bytes);
  }

  /** Resolves when a write that returned false was taken, or the connection closed. */
  flushed(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#writers.push(resolve));
  }

  end(): void {
    this.stream.end();
  }

  /** Ends both directions at once; unread octets are dropped. */
  destroy(): void {
    this.#chunks = [];
    this.#size = 0;
    QUEUED.set(this.#account, 0);
    this.stream.destroy();
  }

  /**
   * Gives the stream to another reader: buffered bytes, an end and a close that already happened are
   * told to it first. The channel must not be used for reading or waiting afterwards.
   */
  handOver(handler: StreamHandler): void {
    this.#disarm();
    this.#isHandedOver = true;
    this.#wakeReader(false);
    this.stream.setHandler(handler);
    const bytes = this.read();
    if (bytes.length > 0) handler.data(bytes);
    if (this.#hasEnded) handler.end();
    if (this.#isClosed) handler.close(this.#error);
  }

  /** Calls back once when the peer ends or the connection closes, at once if it has; `offOver` stops that. */
  onOver(listener: () => void): void {
    if (this.isOver) listener();
    else this.#overListeners.add(listener);
  }

  offOver(listener: () => void): void {
    this.#overListeners.delete(listener);
  }

  #wakeReader(more: boolean): void {
    const reader = this.#reader;
    this.#reader = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
    reader?.(more);
  }

  #wakeWriters(): void {
    const writers = this.#writers;
    if (writers.length === 0) return;
    this.#writers = [];
    for (const wake of writers) wake();
  }

  /** As `onOver`, but an orderly end of the peer's sending does not count: it may still be reading. */
  onClosed(listener: () => void): void {
    if (this.#isClosed) listener();
    else this.#closedListeners.add(listener);
  }

  offClosed(listener: () => void): void {
    this.#closedListeners.delete(listener);
  }

  #tellOver(): void {
    const listeners = [...this.#overListeners];
    this.#overListeners.clear();
    for (const listener of listeners) listener();
    if (!this.#isClosed) return;
    const closed = [...this.#closedListeners];
    this.#closedListeners.clear();
    for (const listener of closed) listener();
  }
}

const EMPTY = new Uint8Array(0);
