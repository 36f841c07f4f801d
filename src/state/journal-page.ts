// Reads a journal a page at a time, backwards from a place in the file, so that a log of a gigabyte
// can be scrolled. One call reads a bounded amount: where few rows match, it ends early and says
// where to go on. Never writes, takes no lock.

import { open } from "node:fs/promises";
import type { Entry } from "../model/entry.ts";
import { errorCode } from "./files.ts";
import { parseRow } from "./journal/read.ts";
import { READ_WITHOUT_WAITING } from "./trusted-file.ts";

/** A row and where it begins. */
export interface PlacedRow {
  readonly at: number;
  readonly row: Entry;
}

/** A page. */
export interface JournalPage {
  /** The latest first. */
  readonly rows: readonly PlacedRow[];
  /** Where to go on; undefined at the beginning of the file, or of the time that is asked for. */
  readonly next: number | undefined;
}

/** Which rows a page has. */
export interface PageOptions {
  readonly limit: number;
  /** Only rows that begin before this offset. */
  readonly before?: number;
  readonly filter?: (row: Entry) => boolean;
  readonly sinceMs?: number;
  /** Bytes that are read at most. */
  readonly budget?: number;
}

const BLOCK_BYTES = 128 * 1024;
const BUDGET_BYTES = 24 * 1024 * 1024;
/** Rows are in the order of their writing, not quite of their time. */
const OLDER_ROWS_TO_STOP = 256;

/** The rows before a place. */
export async function readJournalPage(path: string, options: PageOptions): Promise<JournalPage> {
  const { limit, filter, sinceMs, budget = BUDGET_BYTES } = options;
  const file = await open(path, READ_WITHOUT_WAITING).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return { rows: [], next: undefined };
  try {
    const { size } = await file.stat();
    const rows: PlacedRow[] = [];
    let older = 0;
    let end = Math.min(options.before ?? size, size);
    const least = Math.max(0, end - budget);
    // The end of a line that begins in an earlier block.
    let tail: Buffer = Buffer.alloc(0);
    while (end > 0) {
      const start = Math.max(0, end - BLOCK_BYTES);
      const block = Buffer.alloc(end - start);
      const { bytesRead } = await file.read(block, 0, block.length, start);
      const text = Buffer.concat([block.subarray(0, bytesRead), tail]);
      let stop = text.length;
      for (;;) {
        const feed = stop <= 0 ? -1 : text.lastIndexOf(10, stop - 1);
        if (feed < 0 && start > 0) break;
        const line = text.subarray(feed + 1, stop);
        stop = feed;
        const at = start + feed + 1;
        const row = line.length === 0 ? undefined : parseRow(line.toString("utf8"));
        if (row !== undefined) {
          if (sinceMs !== undefined && row.timestamp_ms < sinceMs) {
            older += 1;
            if (older >= OLDER_ROWS_TO_STOP) return { rows, next: undefined };
          } else {
            older = 0;
            if (filter === undefined || filter(row)) rows.push({ at, row });
          }
        }
        if (rows.length >= limit) return { rows, next: at === 0 ? undefined : at };
        if (feed < 0) return { rows, next: undefined };
      }
      tail = text.subarray(0, Math.max(0, stop));
      end = start;
      if (end <= least) return { rows, next: end + tail.length };
    }
    return { rows, next: undefined };
  } finally {
    await file.close();
  }
}
