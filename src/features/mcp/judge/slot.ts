// One judged request while somebody may wait for it. Anyone who asked can stop waiting without
// taking the question back: it is then parked, and the same request sent again takes it over. A
// decision in the meantime is kept for a while, for that same request, once.

import type { Ending } from "../../../gateway/request/stages/stage.ts";
import type { Refusal } from "../../../protocols/refused.ts";

/** Where a judged request came from. */
export interface Waiter {
  /** It may be done now; `ended` is called once when it is over. */
  go(ended: (ending?: Ending) => void): void;
  refuse(refusal: Refusal): void;
}

/** The two ends of a question. */
export class Slot {
  #waiter: Waiter | undefined;
  #left: (() => void) | undefined;
  #answer: ((waiter: Waiter) => void) | undefined;
  #timer: Timer | undefined;
  readonly #keepMs: number;
  /** Called when nobody can take it over any more. */
  readonly #onOver: () => void;

  constructor(waiter: Waiter, keepMs: number, onOver: () => void) {
    this.#waiter = waiter;
    this.#keepMs = keepMs;
    this.#onOver = onOver;
  }

  /** Nobody waits for it now. */
  get isParked(): boolean {
    return this.#waiter === undefined;
  }

  /** For the ask: told when the client takes the question back. */
  onLeave(left: () => void): () => void {
    this.#left = left;
    return () => {
      this.#left = undefined;
    };
  }

  /** The client has gone and does not want it any more. */
  leave(): void {
    this.#left?.();
  }

  /** The client stops waiting; the question stays. */
  park(): void {
    this.#waiter = undefined;
  }

  /** Somebody waits for it again. */
  take(waiter: Waiter): void {
    this.#waiter = waiter;
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#answer = undefined;
    clearTimeout(this.#timer);
    this.#onOver();
    answer(waiter);
  }

  /**
   * The request may be done: now, or when it is asked for again in time. Resolves when it is over. `isStillRight` is asked
   * at that moment: the server may have changed while somebody thought about it.
   */
  forward(ended: (ending?: Ending) => void, isStillRight: () => Refusal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (ending?: Ending) => {
        ended(ending);
        resolve();
      };
      this.#give(
        (waiter) => {
          const refusal = isStillRight();
          if (refusal === undefined) return waiter.go(done);
          ended({ failure: refusal.reason });
          waiter.refuse(refusal);
          resolve();
        },
        () => {
          ended({
            failure: "it was approved, and the client did not ask again in time; it was not carried out",
          });
          reject(new Error("nobody waits for it any more"));
        },
      );
    });
  }

  /** It was refused: told now, or to the same request when it comes in time. */
  refuse(refusal: Refusal): void {
    // Anyone who asks again after nobody has answered asks again, and a late answer is then for that.
    if (this.isParked && refusal.outcome !== "denied") {
      this.#onOver();
      return;
    }
    this.#give(
      (waiter) => waiter.refuse(refusal),
      () => {},
    );
  }

  #give(answer: (waiter: Waiter) => void, onLate: () => void): void {
    if (this.#waiter !== undefined) {
      this.#onOver();
      answer(this.#waiter);
      return;
    }
    this.#answer = answer;
    this.#timer = setTimeout(() => {
      this.#answer = undefined;
      this.#onOver();
      onLate();
    }, this.#keepMs);
    this.#timer.unref();
  }
}
