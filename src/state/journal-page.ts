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
  /** Text that every row of `filter` has in a value, whatever its case. Lines without it are not parsed. */
  readonly text?: string;
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
  const sign = signOf(options.text ?? "");
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
      const block = Buffer.allocUnsafe(end - start);
      const { bytesRead } = await file.read(block, 0, block.length, start);
      const text = Buffer.concat([block.subarray(0, bytesRead), tail]);
      // Where nothing fits, only the line that begins in an earlier block is left.
      const first = mayHave(sign, text) ? -1 : text.indexOf(10);
      const isLeftOut = first >= 0 && (sinceMs === undefined || beginsSince(sinceMs, text, first + 1));
      if (isLeftOut) older = 0;
      let stop = isLeftOut ? first : text.length;
      for (;;) {
        const feed = stop <= 0 ? -1 : text.lastIndexOf(10, stop - 1);
        if (feed < 0 && start > 0) break;
        const line = text.subarray(feed + 1, stop);
        stop = feed;
        const at = start + feed + 1;
        // The time of each row counts where a time is asked for.
        const isRead = line.length > 0 && (sinceMs !== undefined || mayHave(sign, line));
        const row = isRead ? parseRow(line.toString("utf8")) : undefined;
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
      // A line that is longer than all that is read is no row: its beginning is left out too.
      if (end <= least) return { rows, next: tail.length < budget ? end + tail.length : end };
    }
    return { rows, next: undefined };
  } finally {
    await file.close();
  }
}

/**
 * Matches each line, without an escape, in which a value has the text in any case; undefined where that is not known
 * beforehand. Two letters beside ASCII have one of it in their lower case. A number may be written in several ways.
 */
function signOf(text: string): RegExp | undefined {
  if (!/^[ -~]+$/.test(text) || /^[\d.e+-]+$/i.test(text)) return undefined;
  const letters = [...text.toLowerCase()].map((each) => {
    if (each === "i") return "[i\u0130]";
    if (each === "k") return "[k\u212a]";
    return `\\x${each.charCodeAt(0).toString(16)}`;
  });
  return new RegExp(letters.join(""), "i");
}

/** Whether these lines may have a row with the sign. */
function mayHave(sign: RegExp | undefined, lines: Buffer): boolean {
  return sign === undefined || lines.includes(92) || sign.test(lines.toString("utf8"));
}

/** Whether the line that begins there is a row of this time or a later one. */
function beginsSince(sinceMs: number, text: Buffer, start: number): boolean {
  const end = text.indexOf(10, start);
  const row = parseRow(text.toString("utf8", start, end < 0 ? text.length : end));
  return row !== undefined && row.timestamp_ms >= sinceMs;
}
