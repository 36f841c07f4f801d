// Reads journals: the last rows from the end of the file, or new rows as they come. Needs no daemon
// and takes no lock. Lines that are not rows (torn by a crash, overlong, edited by hand) are
// skipped, never an error.

import { type FileHandle, open, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Entry } from "../../model/entry.ts";
import { UserError } from "../../model/user-error.ts";
import { errorCode } from "../files.ts";
import { READ_WITHOUT_WAITING } from "../trusted-file.ts";

/** Which rows `readLast` returns. */
export interface LastRows {
  /** At most this many. */
  readonly last: number;
  /** Only rows that it accepts; absent means all. */
  readonly filter?: (entry: Entry) => boolean;
  /** Only rows with this timestamp or a later one. */
  readonly sinceMs?: number;
  /** So many of the latest that match are left out, for paging. */
  readonly skip?: number;
  /** Rotated copies (`path.1`, …) in which to go on when the file itself has been read. */
  readonly rotated?: number;
}

/** Where `followJournal` begins and when it ends. */
export interface FollowOptions {
  /** `end`: only rows that are appended from now on. A number is a byte offset at the start of a line. */
  readonly from?: "start" | "end" | number;
  readonly signal?: AbortSignal;
}

const BLOCK_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 1024 * 1024;
const MAX_GAP_BYTES = 64 * MAX_LINE_BYTES;
/** Rows are in order of their writing, not quite of their time; after so many older ones in a row no newer is expected. */
const OLDER_ROWS_TO_STOP = 256;
const POLL_MS = 150;

/** The last rows that match, oldest first. Cost depends on how far back they are, not on the size of the file. */
export async function readLast(path: string, { last, skip = 0, ...which }: LastRows): Promise<Entry[]> {
  const found: Entry[] = [];
  let left = skip;
  if (last <= 0) return found;
  for await (const entry of rowsFromEnd(path, which)) {
    if (left > 0) left -= 1;
    else found.push(entry);
    if (found.length >= last) break;
  }
  return found.reverse();
}

/** The rows that match, the latest first, read only as far as they are asked for. */
export async function* rowsFromEnd(
  path: string,
  { filter, sinceMs, rotated = 0 }: Omit<LastRows, "last" | "skip">,
): AsyncGenerator<Entry> {
  let older = 0;
  for (let number = 0; number <= rotated; number += 1) {
    for await (const line of linesFromEnd(number === 0 ? path : `${path}.${number}`)) {
      const entry = parseRow(line);
      if (entry === undefined) continue;
      if (sinceMs !== undefined && entry.timestamp_ms < sinceMs) {
        if (++older >= OLDER_ROWS_TO_STOP) return;
        continue;
      }
      older = 0;
      if (filter === undefined || filter(entry)) yield entry;
    }
  }
}

/** The row in a line, or undefined when it is none. */
export function parseRow(line: string): Entry | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value = JSON.parse(line) as Partial<Entry>;
    const isRow =
      typeof value.timestamp_ms === "number" &&
      typeof value.op === "string" &&
      typeof value.fields === "object" &&
      value.fields !== null;
    return isRow ? (value as Entry) : undefined;
  } catch {
    return undefined;
  }
}

async function* linesFromEnd(path: string): AsyncGenerator<string> {
  const file = await openIfThere(path);
  if (file === undefined) return;
  try {
    let position = (await file.stat()).size;
    let tail: Buffer[] = []; // pieces of the line whose beginning is not read yet, last piece first
    let tailBytes = 0;
    const emit = (head: Buffer): string => {
      const isTooLong = tailBytes + head.length > MAX_LINE_BYTES;
      const line = isTooLong ? "" : Buffer.concat([head, ...tail.reverse()]).toString("utf8");
      tail = [];
      tailBytes = 0;
      return line;
    };
    while (position > 0) {
      const start = Math.max(0, position - BLOCK_BYTES);
      const block = await readBlock(file, start, position - start);
      let end = block.length;
      for (let at = block.lastIndexOf(10); at !== -1; at = at === 0 ? -1 : block.lastIndexOf(10, at - 1)) {
        yield emit(block.subarray(at + 1, end));
        end = at;
      }
      tailBytes += end;
      if (tailBytes <= MAX_LINE_BYTES) tail.push(block.subarray(0, end));
      else tail = [];
      position = start;
      // No row is that long: a sparse or foreign file is not read to its beginning.
      if (tailBytes > MAX_GAP_BYTES) return;
    }
    yield emit(Buffer.alloc(0));
  } finally {
    await file.close();
  }
}

/** At most `length` octets from `start` on; fewer at the end of the file. */
export async function readBlock(file: FileHandle, start: number, length: number): Promise<Buffer> {
  const block = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(block, filled, length - filled, start + filled);
    if (bytesRead === 0) break; // truncated by somebody while we read
    filled += bytesRead;
  }
  return block.subarray(0, filled);
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    const file = await open(path, READ_WITHOUT_WAITING);
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  throw new UserError(`'${path}' is not a file`, { hint: "move it away; the daemon makes a new one" });
}

/** Rows as they are appended. Goes on after rotation and truncation by others, and waits for a file that is not there yet. */
export async function* followJournal(path: string, options: FollowOptions = {}): AsyncGenerator<Entry> {
  const { from = "end", signal } = options;
  let follower: Follower | undefined;
  let isFirst = true;
  try {
    const isOver = () => signal?.aborted === true; // asked afresh each time: it changes while we wait
    while (!isOver()) {
      if (follower === undefined) {
        const file = await openIfThere(path);
        if (file !== undefined) follower = new Follower(file, isFirst ? await offsetOf(file, from) : 0);
        isFirst = false; // a file that appears later is read from its start
      }
      let hasMoved = false;
      if (follower !== undefined) {
        hasMoved = await follower.isReplaced(path); // asked first: rows that the old file got until then are read below
        for await (const entry of follower.rows()) {
          yield entry;
          if (isOver()) return;
        }
      }
      if (hasMoved) {
        await follower?.close();
        follower = undefined;
      } else await sleep(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  } finally {
    await follower?.close();
  }
}

async function offsetOf(file: FileHandle, from: "start" | "end" | number): Promise<number> {
  if (from === "start") return 0;
  return from === "end" ? (await file.stat()).size : from;
}

class Follower {
  readonly #file: FileHandle;
  #offset: number;
  #partial = Buffer.alloc(0);
  /** Inside an overlong line: dropped up to its newline. */
  #isSkipping = false;

  constructor(file: FileHandle, offset: number) {
    this.#file = file;
    this.#offset = offset;
  }

  async *rows(): AsyncGenerator<Entry> {
    const { size } = await this.#file.stat();
    if (size < this.#offset) {
      this.#offset = 0; // truncated: begins again
      this.#partial = Buffer.alloc(0);
      this.#isSkipping = false;
    }
    while (this.#offset < size) {
      const block = await readBlock(this.#file, this.#offset, Math.min(BLOCK_BYTES, size - this.#offset));
      if (block.length === 0) return;
      this.#offset += block.length;
      for (const line of this.#split(block)) {
        const entry = parseRow(line);
        if (entry !== undefined) yield entry;
      }
    }
  }

  *#split(block: Buffer): Generator<string> {
    let start = 0;
    for (let at = block.indexOf(10); at !== -1; at = block.indexOf(10, start)) {
      if (!this.#isSkipping) yield Buffer.concat([this.#partial, block.subarray(start, at)]).toString("utf8");
      this.#partial = Buffer.alloc(0);
      this.#isSkipping = false;
      start = at + 1;
    }
    if (this.#isSkipping) return;
    this.#partial = Buffer.concat([this.#partial, block.subarray(start)]);
    if (this.#partial.length > MAX_LINE_BYTES) {
      this.#partial = Buffer.alloc(0);
      this.#isSkipping = true;
    }
  }

  async isReplaced(path: string): Promise<boolean> {
    const [mine, there] = await Promise.all([this.#file.stat(), stat(path).catch(() => undefined)]);
    return there !== undefined && (there.ino !== mine.ino || there.dev !== mine.dev);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
