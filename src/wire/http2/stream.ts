// One stream of an HTTP/2 connection (RFC 9113 5.1): which halves are open, both windows, the
// waiting output, the announced body. A record with a few rules of its own; the connection draws
// the consequences.

import type { Header } from "../../model/request.ts";
import { Http2ReceiveWindow } from "./receive-window.ts";

/** Octets that a queue has to spare at most. */
const MAX_SPARE = 16_384;
const NOTHING = new Uint8Array(0);

/** The state of a stream that is open in at least one direction. Fields belong to the connection and its sender. */
export class Http2StreamRecord {
  readonly id: number;
  /** We have sent END_STREAM. */
  isLocalEnded = false;
  /** The peer has sent END_STREAM. */
  isRemoteEnded = false;
  /** Either side reset it: nothing is delivered or sent any more. */
  isGone = false;
  /** The final head of the peer's message has come (not an interim one). */
  hasRemoteHead = false;
  /** Ours has been sent. */
  hasLocalHead = false;
  /** Octets the peer lets us send; negative after it lowers its initial window. */
  sendWindow: number;
  /** The peer's allowance on this stream. */
  readonly receiveWindow: Http2ReceiveWindow;
  /** Client: the request was HEAD, so its response has no content whatever its fields say. */
  isHead = false;

  /** Octets that wait for a window: `queue[queueStart, queueEnd)`. */
  queue: Uint8Array = NOTHING;
  queueStart = 0;
  queueEnd = 0;
  /** END_STREAM, or trailers that carry it, once the queue is empty. */
  endsAfterQueue = false;
  trailers: readonly Header[] | undefined;
  /** The sender was told to wait for "drain". */
  isHeldBack = false;
  /** Stands in the list of streams with something queued. */
  isListed = false;

  /** Octets of DATA that must still come to make up the content-length; -1 when none was given. */
  #expected = -1;

  constructor(id: number, sendWindow: number, receiveWindow: number) {
    this.id = id;
    this.sendWindow = sendWindow;
    this.receiveWindow = new Http2ReceiveWindow(receiveWindow);
  }

  /** Remembers the content-length of the peer's message; -1 for none. */
  expectBody(length: number): void {
    this.#expected = length;
  }

  /** Takes note of DATA; false when it is more than was announced. */
  acceptBody(length: number): boolean {
    if (this.#expected < 0) return true;
    this.#expected -= length;
    if (this.#expected >= 0) return true;
    this.#expected = 0;
    return false;
  }

  /** Whether the message may end here. */
  get isBodyWhole(): boolean {
    return this.#expected <= 0;
  }

  get queuedBytes(): number {
    return this.queueEnd - this.queueStart;
  }

  /** Copies bytes to the end of the queue: the caller may go on to use them, and small pieces stay cheap. */
  enqueue(bytes: Uint8Array, from: number): void {
    const added = bytes.length - from;
    if (this.queueEnd + added > this.queue.length) {
      const queued = this.queuedBytes;
      const room = queued + added;
      // Room for more small pieces; a large one gets only its own size, as there may be a thousand of them.
      const spacious = room + Math.min(room, MAX_SPARE);
      const target = spacious > this.queue.length ? new Uint8Array(spacious) : this.queue;
      target.set(this.queue.subarray(this.queueStart, this.queueEnd));
      this.queue = target;
      this.queueStart = 0;
      this.queueEnd = queued;
    }
    this.queue.set(from === 0 ? bytes : bytes.subarray(from), this.queueEnd);
    this.queueEnd += added;
  }

  /** Takes octets off the front; an empty queue holds no memory. */
  dequeue(octets: number): void {
    this.queueStart += octets;
    if (this.queueStart < this.queueEnd) return;
    this.queue = NOTHING;
    this.queueStart = 0;
    this.queueEnd = 0;
  }

  /** Forgets the waiting output. */
  dropQueue(): void {
    this.dequeue(this.queuedBytes);
    this.endsAfterQueue = false;
    this.trailers = undefined;
  }
}
