// The splices that are open. Owns that none outlives its reason: after a change of mode,
// policy, pins or settings, those that would be intercepted if they began now are closed.
// Knows nothing of why a connection is spliced; each splice can be asked.

/** An open splice. */
export interface Splice {
  /** Whether the same connection would be spliced if it began now. */
  isStillRight(): boolean;
  close(): void;
}

/** Every open splice; one per daemon. */
export class Splices {
  readonly #open = new Set<Splice>();

  /** Those that are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Keeps an eye on a splice until the returned function is called. One that is wrong by now is closed at once. */
  track(splice: Splice): () => void {
    this.#open.add(splice);
    // The policy may have changed while the upstream was dialled.
    if (!splice.isStillRight()) splice.close();
    return () => this.#open.delete(splice);
  }

  /** Asks every splice and closes those that are wrong; says how many. */
  sweep(): number {
    let closed = 0;
    for (const splice of [...this.#open]) {
      if (splice.isStillRight()) continue;
      this.#open.delete(splice);
      splice.close();
      closed += 1;
    }
    return closed;
  }
}
