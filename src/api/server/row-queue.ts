// The rows of one stream that wait for a slow reader. Bounded: when it is full the oldest row goes,
// because a reader who is behind wants the latest rows, and is told how many were lost.

const LIMIT = 1024;

/** A first-in first-out queue that never grows beyond its limit and counts the dropped rows. */
export class RowQueue<Row> {
  readonly #rows: Row[] = [];
  readonly #limit: number;
  #lost = 0;

  constructor(limit = LIMIT) {
    this.#limit = limit;
  }

  /** Adds a row, dropping the oldest when full. */
  push(row: Row): void {
    if (this.#rows.length >= this.#limit) {
      this.#rows.shift();
      this.#lost += 1;
    }
    this.#rows.push(row);
  }

  /** Takes the next row; a count of lost rows comes first, once, where the gap is. Undefined when empty. */
  take(): Row | { readonly lost: number } | undefined {
    if (this.#lost > 0) {
      const lost = this.#lost;
      this.#lost = 0;
      return { lost };
    }
    return this.#rows.shift();
  }
}
