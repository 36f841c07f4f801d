// The octets that wait in memory for a peer to take them or a reader to read them, over all
// connections. Above the bound the connection that has been still for longest is given up, so that
// a peer who takes nothing costs its own connection and nobody else's. What moves is never given up
// before what does not.

import { fullGC } from "bun:jsc";
import { LOOP_TIME } from "./loop-clock.ts";

/** Over all connections together. */
const MAX_BYTES = 24 * 1024 * 1024;
/** Less than this is not worth ending a connection for. */
export const WORTH_BYTES = 16 * 1024;

/** While memory is short garbage is collected after so many octets, and not sooner than after so many milliseconds: it takes 20. */
const COLLECT_BYTES = 16 * 1024 * 1024;
const COLLECT_MS = 1_000;

/** One queue's account. */
export interface QueueAccount {
  queued: number;
  /** When something of it was taken, in milliseconds of the loop's clock. */
  movedMs: number;
  /** Ends the connection that the queue belongs to; it then sets its account to 0. */
  readonly giveUp: () => void;
}

/** All queues together. */
export class QueuedOctets {
  readonly #limit: number;
  /** Those that are worth it, when one must go. */
  readonly #large = new Set<QueueAccount>();
  #total = 0;
  #isRelieving = false;
  /** Octets that nobody needs any more since the collector was last asked. */
  #left = 0;
  #collectedMs = Number.NEGATIVE_INFINITY;

  constructor(limit = MAX_BYTES) {
    this.#limit = limit;
  }

  get total(): number {
    return this.#total;
  }

  /** Half of the bound is used: from here on less is read ahead, new windows are small and nothing is waited for long. */
  get isTight(): boolean {
    return this.#total > this.#limit / 2;
  }

  /** Giving up the large queues was not enough: no new request is begun. */
  get isFull(): boolean {
    return this.#total > this.#limit;
  }

  /** A queue that holds nothing yet. */
  open(giveUp: () => void): QueueAccount {
    return { queued: 0, movedMs: LOOP_TIME.nowMs, giveUp };
  }

  /** A queue has another length now. */
  set(account: QueueAccount, octets: number): void {
    const before = account.queued;
    if (octets === before) return;
    if (octets < before || before === 0) account.movedMs = LOOP_TIME.nowMs;
    if (octets < before && this.isTight) this.#leave(before - octets);
    account.queued = octets;
    this.#total += octets - before;
    if (octets >= WORTH_BYTES) {
      if (before < WORTH_BYTES) this.#large.add(account);
    } else if (before >= WORTH_BYTES) this.#large.delete(account);
    if (this.#total > this.#limit && !this.#isRelieving) this.#relieveSoon();
  }

  /** Memory is short and so many octets are garbage now, which would lie about until the heap has doubled. */
  #leave(octets: number): void {
    this.#left += octets;
    if (this.#left < COLLECT_BYTES || LOOP_TIME.nowMs - this.#collectedMs < COLLECT_MS) return;
    this.#left = 0;
    this.#collectedMs = LOOP_TIME.nowMs;
    setImmediate(fullGC);
  }

  /** Not in the middle of a connection's work. */
  #relieveSoon(): void {
    this.#isRelieving = true;
    queueMicrotask(() => {
      this.#isRelieving = false;
      this.#relieve();
    });
  }

  #relieve(): void {
    if (this.#total <= this.#limit) return;
    const stalled = [...this.#large].sort((a, b) => a.movedMs - b.movedMs || b.queued - a.queued);
    let left = this.#total;
    for (const account of stalled) {
      if (left <= this.#limit * 0.875) return;
      left -= account.queued;
      this.set(account, 0);
      account.giveUp();
    }
  }
}

/** The process's one account of them, as there is one memory. */
export const QUEUED = new QueuedOctets();
