// Rows of the audit or the observe log as a page scrolls them: read backwards a piece at a time by
// their place in the file, and new ones in front, so that nothing is lost or doubled, whatever
// becomes of the daemon meanwhile.

import { type Signal, signal } from "@preact/signals";
import type { LogFilter, LogRow } from "../../../../api/methods/pages.ts";
import type { ControlMethods } from "../../../../api/methods.ts";

/** The rows to show. */
export interface LogQuery {
  readonly log: "audit" | "observe";
  readonly filter: LogFilter;
  readonly sinceMs?: number;
}

const PAGE = 100;
/** Rows that are kept on the page. */
const MOST = 5_000;

/** Reads one piece of a log. */
export type ReadLog = (
  input: ControlMethods["audit_read"]["input"],
) => Promise<ControlMethods["audit_read"]["output"]>;

/** The rows of one query, the newest first. */
export class LogRows {
  readonly rows: Signal<readonly LogRow[]> = signal([]);
  readonly isReading = signal(false);
  readonly problem = signal<Error | undefined>(undefined);
  /** Whether there is more behind the last row. */
  readonly hasMore = signal(true);
  readonly #query: LogQuery;
  readonly #read: ReadLog;
  #next: number | undefined;
  #isGone = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(query: LogQuery, read: ReadLog) {
    this.#query = query;
    this.#read = read;
  }

  /** Nobody looks any more. */
  close(): void {
    this.#isGone = true;
  }

  /** Reads on, backwards, until something fits: of a long log one piece may hold nothing that does. */
  async readOn(): Promise<void> {
    if (this.isReading.value || !this.hasMore.value) return;
    this.isReading.value = true;
    try {
      for (let found = 0; found === 0 && this.hasMore.value && !this.#isGone; )
        found = await this.#inTurn(() => this.#readPiece());
      this.problem.value = undefined;
    } catch (error) {
      this.problem.value = error instanceof Error ? error : new Error(String(error));
      this.hasMore.value = false;
    } finally {
      this.isReading.value = false;
    }
  }

  async #readPiece(): Promise<number> {
    const before = this.#next ?? this.rows.value.at(-1)?.at;
    const { rows, next } = await this.#read({
      ...this.#input(),
      ...(before === undefined ? {} : { before }),
    });
    this.rows.value = [...this.rows.value, ...rows];
    this.#next = next;
    this.hasMore.value = next !== undefined && this.rows.value.length < MOST;
    return rows.length;
  }

  /** Reads the rows that have come since. */
  readNew(): Promise<void> {
    return this.#inTurn(async () => {
      const newest = this.rows.value[0]?.at ?? -1;
      const { rows } = await this.#read(this.#input());
      const fresh = rows.filter(({ at }) => at > newest);
      // More came than one piece holds: begin again rather than leave a gap.
      if (newest >= 0 && fresh.length === rows.length && rows.length >= PAGE) {
        this.rows.value = rows;
        this.#next = rows.at(-1)?.at;
        this.hasMore.value = true;
      } else if (fresh.length > 0) this.rows.value = [...fresh, ...this.rows.value];
    });
  }

  /** One read after the other: what a read adds depends on what is there when it is asked for. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #input() {
    const { log, filter, sinceMs } = this.#query;
    return { log, limit: PAGE, filter, ...(sinceMs === undefined ? {} : { since_ms: sinceMs }) };
  }
}
