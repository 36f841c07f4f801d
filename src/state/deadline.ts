// When something that was given for a while is over: by the clock on the wall or by the one that
// only runs forward, whichever says so first. A wall clock that is set back prolongs nothing, and a
// machine that slept does not wake up with time left.

/** A clock that is corrected goes back a little. */
const TOLERANCE_MS = 60_000;

/** The end of a period. */
export class Deadline {
  readonly #endsMs: number;
  readonly #monotonicEnd: number;

  /** Both in milliseconds since 1970; `now` is the wall clock's time at this moment. */
  constructor(startedMs: number, endsMs: number, now = Date.now()) {
    this.#endsMs = endsMs;
    // A start that is still to come: the wall clock was set back, nobody knows by how much, and it is over.
    const leftMs = now < startedMs - TOLERANCE_MS ? 0 : Math.min(endsMs - now, endsMs - startedMs);
    this.#monotonicEnd = performance.now() + leftMs;
  }

  /** Whether it is over by either clock. */
  isOver(now = Date.now()): boolean {
    return now >= this.#endsMs || performance.now() >= this.#monotonicEnd;
  }

  /** Milliseconds that are left by the stricter clock; zero or less when it is over. */
  leftMs(now = Date.now()): number {
    return Math.min(this.#endsMs - now, this.#monotonicEnd - performance.now());
  }
}
