// How often somebody may ask: a bucket for each name, filled at a steady rate. Owns no clock of its
// own. Buckets that are full again are forgotten, and there are never more than a bounded number of
// them.

import { Problem } from "./problem.ts";

/** Buckets of one kind. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Takes one; gives the seconds to wait when there is none. */
  take(name: string, nowMs: number): number | undefined {
    const bucket = this.#buckets.get(name) ?? { tokens: this.#burst, atMs: nowMs };
    const gained = ((nowMs - bucket.atMs) / 1000) * this.#perSecond;
    bucket.tokens = Math.min(this.#burst, bucket.tokens + Math.max(0, gained));
    bucket.atMs = nowMs;
    // Put at the end, so that the first of the map is the one that asked longest ago.
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > MAX_BUCKETS) this.#forgetOldest();
    if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / this.#perSecond);
    bucket.tokens -= 1;
    return undefined;
  }

  /** Takes one. Throws Problem 429 with the seconds to wait when there is none; `what` is in its sentence. */
  require(name: string, nowMs: number, what = "calls"): void {
    const seconds = this.take(name, nowMs);
    if (seconds !== undefined)
      throw new Problem(429, "too-many", `too many ${what}`, { retry_after_s: seconds });
  }

  #forgetOldest(): void {
    for (const name of this.#buckets.keys()) {
      this.#buckets.delete(name);
      return;
    }
  }
}

const MAX_BUCKETS = 20_000;
