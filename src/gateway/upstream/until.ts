// Whoever waits for an answer of an upstream by a signal: a time limit, a request of the runtime's
// own server.

import type { LeavingClient } from "./lease.ts";

/** Stops waiting when the signal is aborted. */
export class Until implements LeavingClient {
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get hasLeft(): boolean {
    return this.#signal.aborted;
  }

  onLeave(left: () => void): void {
    if (this.#signal.aborted) left();
    else this.#signal.addEventListener("abort", left);
  }

  offLeave(left: () => void): void {
    this.#signal.removeEventListener("abort", left);
  }
}
