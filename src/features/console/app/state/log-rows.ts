// Rows of the audit or the observe log as a page scrolls them: read backwards a piece at a time by
// their place in the file, and new ones in front, so that nothing is lost or doubled, whatever
// becomes of the daemon meanwhile.

import { type Signal, signal } from "@preact/signals";
import type { LogFilter, LogRow } from "../../../../api/methods/pages.ts";
import { call } from "../net/call.ts";

/** The rows to show. */
export interface LogQuery {
  readonly log: "audit" | "observe";
  readonly filter: LogFilter;
  readonly sinceMs?: number;
}

const PAGE = 100;
/** Rows that are kept on the page. */
const MOST = 5_000;

/** The rows of one query. */
export class LogRows {
  readonly rows: Signal<readonly LogRow[]> = signal([]);
  readonly isReading = signal(false);
  readonly problem = signal<Error | undefined>(undefined);
  /** Whether there is more behind the last row. */
  readonly hasMore = signal(true);
  readonly #query: LogQuery;
  #next: number | undefined;
  #isGone = false;

  constructor(query: LogQuery) {
    this.#query = query;
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
      for (let found = 0; found === 0 && this.hasMore.value && !this.#isGone; ) {
        const { rows, next } = await call("audit_read", {
          ...this.#input(),
          ...(this.#next === undefined ? {} : { before: this.#next }),
        });
        found = rows.length;
        this.rows.value = [...this.rows.value, ...rows];
        this.#next = next;
        this.hasMore.value = next !== undefined && this.rows.value.length < MOST;
      }
      this.problem.value = undefined;
    } catch (error) {
      this.problem.value = error instanceof Error ? error : new Error(String(error));
      this.hasMore.value = false;
    } finally {
      this.isReading.value = false;
    }
  }

  /** Reads the rows that have come since. */
  async readNew(): Promise<void> {
    const newest = this.rows.value[0]?.at ?? -1;
    const { rows } = await call("audit_read", this.#input());
    const fresh = rows.filter(({ at }) => at > newest);
    // More came than one piece holds: begin again rather than leave a gap.
    if (newest >= 0 && fresh.length === rows.length && rows.length >= PAGE) {
      this.rows.value = rows;
      this.#next = rows.at(-1)?.at;
      this.hasMore.value = true;
    } else if (fresh.length > 0) this.rows.value = [...fresh, ...this.rows.value];
  }

  #input() {
    const { log, filter, sinceMs } = this.#query;
    return { log, limit: PAGE, filter, ...(sinceMs === undefined ? {} : { since_ms: sinceMs }) };
  }
}
