// Appends rows to a JSONL file so that an acknowledged row survives kill -9 and power loss: all rows queued while
// the disk was busy share one write and one fdatasync. Never truncates or rewrites: what a full disk cut off in
// the middle stays as a line that readers skip. Owns no clock and no ids; rows come complete.

import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Entry } from "../model/entry.ts";
import { errorCode, syncDirectory } from "./files.ts";
import { rotate } from "./rotate.ts";

/** How a journal behaves; the defaults are the audit log's. */
export interface JournalOptions {
  /** false: a row counts as written once the kernel has it. */
  readonly durable?: boolean;
  /** Rows that may wait; more are refused, so that a hung disk cannot eat the memory. */
  readonly maxQueuedRows?: number;
  /** Rotate when the file has grown beyond this many bytes; not set: never. */
  readonly rotateBytes?: number;
  /** How many rotated copies stay. */
  readonly keep?: number;
  /** How often the path is compared with the open file, to notice that somebody moved or removed it; 1000 ms. */
  readonly identityCheckMs?: number;
  /** Hears of every batch that failed, with the number of rows in it that nobody awaits. */
  readonly onFailure?: (error: Error, lostRows: number) => void;
}

interface Row {
  readonly line: Uint8Array;
  readonly resolve: (() => void) | undefined;
  readonly reject: ((error: Error) => void) | undefined;
}

/** Readers refuse longer lines, so the writer shortens the long strings of a row that would be one. */
const MAX_LINE_BYTES = 256 * 1024;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const NEWLINE = new Uint8Array([10]);

/** An open journal. There must be one writer a file; the daemon's lock sees to that. */
export class Journal {
  readonly #path: string;
  readonly #options: JournalOptions;
  #file: FileHandle;
  #size: number;
  /** Whether the file ends in the middle of a line. */
  #torn = false;
  #queue: Row[] = [];
  #draining: Promise<void> | undefined;
  #failure: Error | undefined;
  #closed = false;
  #identityCheckedAt = performance.now();

  private constructor(path: string, options: JournalOptions, opened: OpenedFile) {
    this.#path = path;
    this.#options = options;
    this.#file = opened.file;
    this.#size = opened.size;
    this.#torn = opened.torn;
  }

  /** Opens or creates the file, 0600. A last line without its end is closed with the first row that follows. */
  static async open(path: string, options: JournalOptions = {}): Promise<Journal> {
    return new Journal(path, options, await openFile(path));
  }

  /** Why the last batch could not be written; undefined when it could. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Resolves when the row is on disk. Rejects when it could not be written; a later append tries afresh. */
  append(entry: Entry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#enqueue(entry, resolve, reject);
    });
  }

  /** The same queue and order, not awaited; failure is told to `onFailure`. Never throws. */
  appendSoon(entry: Entry): void {
    this.#enqueue(entry, undefined, (error) => this.#options.onFailure?.(error, 1));
  }

  /** Writes what is queued and closes. Later rows are refused. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#draining;
    await this.#file.close();
  }

  #enqueue(entry: Entry, resolve: (() => void) | undefined, refuse: (error: Error) => void): void {
    const line = this.#accept(entry);
    if (line instanceof Error) {
      refuse(line);
      return;
    }
    this.#queue.push({ line, resolve, reject: resolve === undefined ? undefined : refuse });
    // Started as a microtask, so that everything appended in this turn is in the first batch.
    this.#draining ??= Promise.resolve().then(() => this.#drain());
  }

  #accept(entry: Entry): Uint8Array | Error {
    if (this.#closed) return new Error("the journal is closed");
    if (this.#queue.length >= (this.#options.maxQueuedRows ?? 100_000))
      return new Error("too many rows wait for the disk");
    try {
      return encode(entry);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0) await this.#writeBatch(this.#takeBatch());
    } finally {
      this.#draining = undefined;
    }
  }

  #takeBatch(): Row[] {
    let bytes = 0;
    let count = 0;
    for (const { line } of this.#queue) {
      if (count > 0 && bytes + line.length > MAX_BATCH_BYTES) break;
      bytes += line.length;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #writeBatch(rows: readonly Row[]): Promise<void> {
    let written = 0;
    let failure: Error | undefined;
    try {
      await this.#keepIdentity();
      const parts = rows.map(({ line }) => line);
      const lead = this.#torn ? NEWLINE.length : 0;
      const bytes = Buffer.concat(lead > 0 ? [NEWLINE, ...parts] : parts);
      const outcome = await this.#write(bytes);
      failure = outcome.error;
      written = Math.max(0, outcome.length - lead);
      if (outcome.length > 0 && this.#options.durable !== false) await this.#file.datasync();
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      written = 0; // nothing is acknowledged that was not synced
    }
    this.#settle(rows, written, failure);
  }

  /** Writes all of it or as much as fits; keeps account of whether the file now ends inside a line. */
  async #write(bytes: Uint8Array): Promise<{ readonly length: number; readonly error: Error | undefined }> {
    let length = 0;
    let error: Error | undefined;
    while (length < bytes.length && error === undefined) {
      try {
        length += (await this.#file.write(bytes, length, bytes.length - length, null)).bytesWritten;
      } catch (thrown) {
        error = thrown instanceof Error ? thrown : new Error(String(thrown));
      }
    }
    if (length > 0) this.#torn = bytes[length - 1] !== 10;
    this.#size += length;
    return { length, error };
  }

  #settle(rows: readonly Row[], written: number, failure: Error | undefined): void {
    this.#failure = failure;
    let end = 0;
    let lost = 0;
    for (const { line, resolve, reject } of rows) {
      end += line.length;
      if (end <= written) resolve?.();
      else if (failure !== undefined && reject !== undefined) reject(failure);
      else lost++;
    }
    if (failure !== undefined) this.#options.onFailure?.(failure, lost);
  }

  /** Rows must not go into a file that nobody can find any more: reopens when the path names another one. */
  async #keepIdentity(): Promise<void> {
    const { rotateBytes, keep = 3, identityCheckMs = 1000 } = this.#options;
    if (rotateBytes !== undefined && this.#size > rotateBytes) {
      await rotate(this.#path, keep);
      return this.#reopen();
    }
    const now = performance.now();
    if (now - this.#identityCheckedAt < identityCheckMs) return;
    const [mine, there] = await Promise.all([this.#file.stat(), stat(this.#path).catch(() => undefined)]);
    if (there === undefined || there.ino !== mine.ino || there.dev !== mine.dev) await this.#reopen();
    this.#identityCheckedAt = now;
  }

  async #reopen(): Promise<void> {
    const opened = await openFile(this.#path);
    await this.#file.close();
    this.#file = opened.file;
    this.#size = opened.size;
    this.#torn = opened.torn;
  }
}

interface OpenedFile {
  readonly file: FileHandle;
  readonly size: number;
  readonly torn: boolean;
}

async function openFile(path: string): Promise<OpenedFile> {
  const file = await open(path, "a+", 0o600);
  try {
    const { size, mode } = await file.stat();
    if ((mode & 0o077) !== 0) await file.chmod(0o600);
    if (size === 0) await syncDirectory(dirname(path));
    const last = new Uint8Array(1);
    const isTorn = size > 0 && (await file.read(last, 0, 1, size - 1)).bytesRead === 1 && last[0] !== 10;
    return { file, size, torn: isTorn && !(await closeLine(file)) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Whether it could: on a full disk the gateway starts all the same, and the first row that fits closes the line. */
async function closeLine(file: FileHandle): Promise<boolean> {
  try {
    await file.write(NEWLINE);
    await file.datasync();
    return true;
  } catch (error) {
    if (error instanceof Error && isDiskFull(error)) return false;
    throw error;
  }
}

const encoder = new TextEncoder();

function encode(entry: Entry): Uint8Array {
  const line = encoder.encode(`${JSON.stringify(entry)}\n`);
  if (line.length <= MAX_LINE_BYTES) return line;
  return encoder.encode(`${JSON.stringify(entry, (_, value: unknown) => shortened(value))}\n`);
}

function shortened(value: unknown): unknown {
  if (Array.isArray(value) && value.length > 100)
    return [...value.slice(0, 100), `… ${value.length - 100} more`];
  if (typeof value !== "string" || value.length <= 2000) return value;
  return `${value.slice(0, 2000)}… ${value.length - 2000} more characters`;
}

/** Whether a failure of the journal means that the disk is full, for the message. */
export function isDiskFull(error: Error): boolean {
  return errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT";
}
