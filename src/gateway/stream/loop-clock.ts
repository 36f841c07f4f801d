// The event loop's own clock: says what time it is within a tick, without a system call, and how
// long the loop stood still. A tick that comes late by much was kept waiting by work that did not
// end, or by other programs that had the processor; their time is not counted.

import { openProcessorWait } from "./processor-wait.ts";

/** Between ticks while something is sent on connections; a shorter gap is no stall. */
const TICK_MS = 20;
/**
 * Between ticks while nothing is connected, or nothing was sent for a while: a daemon at rest must not keep a laptop
 * awake, and agents keep connections for hours.
 */
const REST_MS = 500;
/** For so long after something was received the clock ticks on. */
const MOVED_MS = 2000;
const SECONDS = 60;

/**
 * `nowMs` is performance.now() at the last tick, at most half a second ago, for what need not be exact. Who receives
 * something sets `hasMoved`.
 */
export const LOOP_TIME = { nowMs: performance.now(), hasMoved: false };

/** Watches the loop from construction until `close`; one per daemon. */
export class LoopClock {
  /** The longest stall of each of the last sixty seconds. */
  readonly #longest = new Float64Array(SECONDS);
  readonly #isBusy: () => boolean;
  #second = Math.floor(performance.now() / 1000);
  #dueMs = 0;
  /** The last tick before which something was received. */
  #movedMs = performance.now();
  readonly #waitedMs: () => number;
  /** How long it had waited for the processor when the timer was armed. */
  #waitedBeforeMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(isBusy: () => boolean, waitedMs = openProcessorWait()) {
    this.#isBusy = isBusy;
    this.#waitedMs = waitedMs;
    this.#arm();
  }

  /** The longest time that the loop stood still within the last minute, in milliseconds. */
  get longestStallMs(): number {
    this.#turn(performance.now());
    return Math.round(Math.max(...this.#longest));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    const now = performance.now();
    if (LOOP_TIME.hasMoved) this.#movedMs = now;
    LOOP_TIME.hasMoved = false;
    const ms = this.#isBusy() && now - this.#movedMs < MOVED_MS ? TICK_MS : REST_MS;
    this.#dueMs = now + ms;
    this.#waitedBeforeMs = this.#waitedMs();
    this.#timer = setTimeout(() => this.#tick(), ms);
    this.#timer.unref();
  }

  #tick(): void {
    const now = performance.now();
    LOOP_TIME.nowMs = now;
    this.#turn(now);
    const slot = this.#second % SECONDS;
    const lateMs = now - this.#dueMs - (this.#waitedMs() - this.#waitedBeforeMs);
    this.#longest[slot] = Math.max(this.#longest[slot] ?? 0, lateMs);
    this.#arm();
  }

  /** Forgets entries that are a minute old. */
  #turn(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const passed = Math.min(SECONDS, second - this.#second);
    for (let each = 1; each <= passed; each++) this.#longest[(second - passed + each) % SECONDS] = 0;
    this.#second = second;
  }
}
