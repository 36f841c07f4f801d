// Where a delivery's rows come from: the daemon's journal, or the control plane's table. A source
// remembers nothing: a batch has its place with it, which the delivery keeps once it has arrived.

import { type JournalPlace, octetsBehind, readBatch, startOfJournal } from "../../state/journal/batch.ts";
import type { ForwardedEntry } from "./sink.ts";

/** How much is read at once. */
export interface BatchLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
}

/** Rows, and the place behind them. A batch without rows only moves the place. */
export interface RowBatch<P> {
  readonly rows: readonly ForwardedEntry[];
  readonly next: P;
  /** Why rows may have been missed, as a clause; absent when none were. */
  readonly gap?: string;
}

/** A source of rows. `P` is a place in it. */
export interface RowSource<P> {
  /** The rows behind a place, undefined is the start; undefined when there are none now. */
  read(place: P | undefined, limits: BatchLimits): Promise<RowBatch<P> | undefined>;
  /** How much lies behind a place, in octets or rows. */
  behind(place: P | undefined): Promise<number>;
}

/** The rows of a journal. */
export function journalSource(path: string): RowSource<JournalPlace> {
  return {
    async read(from, limits) {
      const place = from ?? (await startOfJournal(path));
      if (place === undefined) return undefined;
      const batch = await readBatch(path, place, limits);
      if (batch === undefined) return undefined;
      const { rows, next, gap } = batch;
      const hasMoved = next.inode !== place.inode || next.offset !== place.offset;
      if (rows.length === 0 && !hasMoved) return undefined;
      return { rows, next, ...(gap === undefined ? {} : { gap }) };
    },
    behind: (place) => octetsBehind(path, place ?? { inode: 0, offset: 0 }),
  };
}
