// Appends rows to a JSONL file so that an acknowledged row survives kill -9 and power loss. All
// rows that queued while the disk was busy share one write and one fdatasync. Rows that nobody
// awaits wait a few milliseconds for company, and longer under load, because a sync each would cost
// more than the requests they tell of. Owns no ids and no clock.

import type { Entry } from "../../model/entry.ts";
import { LineFile, type LineFileOptions } from "../line-file.ts";
import type { JournalChain } from "./chain.ts";

/** How a journal behaves; the defaults are the audit log's. */
export interface JournalOptions extends LineFileOptions {
  /** false: a row counts as written once the kernel has it. */
  readonly durable?: boolean;
  /** Rows that may wait; more are refused, so that a hung disk cannot eat the memory. */
  readonly maxQueuedRows?: number;
  /** How long rows that nobody awaits wait for company; 3 ms. */
  readonly gatherMs?: number;
  /** Batches of such rows begin at least this far apart: a sync costs as much as 20 requests; 25 ms. */
  readonly paceMs?: number;
  /** Links the rows while it gives a chain; asked for every batch. */
  readonly chain?: () => Promise<JournalChain | undefined>;
  /** While true only rows that must be written are: the rest is told to `onFailure`, and the disk's last room is kept. */
  readonly isReserved?: () => boolean;
  /** Hears of every batch that failed, with the number of rows in it that nobody awaits. */
  readonly onFailure?: (error: Error, lostRows: number) => void;
}

interface Row {
  readonly line: string;
  /** Both undefined when nobody awaits the row. */
  readonly resolve: (() => void) | undefined;
  readonly reject: ((error: Error) => void) | undefined;
}

/** Readers refuse longer lines, so the writer shortens the long strings of a row that would be one. */
const MAX_LINE_LENGTH = 128 * 1024;
const MAX_BATCH_LENGTH = 2 * 1024 * 1024;
const MAX_QUEUED_LENGTH = 64 * 1024 * 1024;

/** How often it is told that rows were left out. */
const LEFT_OUT_MS = 1_000;
const RESERVED = new Error("the disk is nearly full, and the rest is for rows of control and of intents");

/** An open journal. There must be one writer a file; the daemon's lock sees to that. */
export class Journal {
  readonly #file: LineFile;
  readonly #options: JournalOptions;
  #queue: Row[] = [];
  #queuedLength = 0;
  #awaitedRows = 0;
  #draining: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #startedAt = Number.NEGATIVE_INFINITY;
  #failure: Error | undefined;
  #closed = false;
  #leftOut = 0;
  #leftOutTimer: ReturnType<typeof setTimeout> | undefined;

  private constructor(file: LineFile, options: JournalOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** Opens or creates the file, 0600. A last line without its end is closed, so that no row is stuck to it. */
  static async open(path: string, options: JournalOptions = {}): Promise<Journal> {
    return new Journal(await LineFile.open(path, options), options);
  }

  /** Why the last batch could not be written; undefined when it could. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Resolves when the row is on disk. Rejects when it could not be written; a later append tries afresh. */
  append(entry: Entry): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = this.#accept(entry);
      if (line instanceof Error) reject(line);
      else this.#enqueue({ line, resolve, reject });
    });
  }

  /**
   * The same file in the same order, not awaited; failure is told to `onFailure`. `mustBeWritten`: also from the
   * disk's reserve. Never throws.
   */
  appendSoon(entry: Entry, mustBeWritten = false): void {
    if (!mustBeWritten && this.#options.isReserved?.() === true) {
      this.#leftOut += 1;
      this.#leftOutTimer ??= setTimeout(() => this.#tellLeftOut(), LEFT_OUT_MS).unref();
      return;
    }
    const line = this.#accept(entry);
    if (line instanceof Error) this.#options.onFailure?.(line, 1);
    else this.#enqueue({ line, resolve: undefined, reject: undefined });
  }

  #tellLeftOut(): void {
    clearTimeout(this.#leftOutTimer);
    this.#leftOutTimer = undefined;
    if (this.#leftOut > 0) this.#options.onFailure?.(RESERVED, this.#leftOut);
    this.#leftOut = 0;
  }

  /**
   * Empties the file, once the queued rows were written, and removes its rotated copies. For journals whose
   * rows are somebody's notes: the audit log is never cleared. Rejects when the file cannot be changed.
   */
  async clear(): Promise<void> {
    this.#start();
    while (this.#draining !== undefined) await this.#draining;
    this.#draining = this.#file.clear().finally(() => {
      this.#draining = undefined;
      this.#wake();
    });
    await this.#draining;
  }

  /** Writes the queued rows and closes. Later rows are refused. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#tellLeftOut();
    this.#start();
    await this.#draining;
    await this.#file.close();
  }

  #accept(entry: Entry): string | Error {
    if (this.#closed) return new Error("the journal is closed");
    const { maxQueuedRows = 100_000 } = this.#options;
    if (this.#queue.length >= maxQueuedRows || this.#queuedLength > MAX_QUEUED_LENGTH)
      return new Error("too many rows wait for the disk");
    try {
      return encode(entry);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #enqueue(row: Row): void {
    this.#queue.push(row);
    this.#queuedLength += row.line.length;
    if (row.resolve !== undefined) this.#awaitedRows++;
    this.#wake();
  }

  #wake(): void {
    if (this.#draining !== undefined || this.#queue.length === 0) return;
    if (this.#awaitedRows > 0 || this.#queuedLength > MAX_BATCH_LENGTH) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), this.#gatherMs());
  }

  #gatherMs(): number {
    const { gatherMs = 3, paceMs = 25 } = this.#options;
    return Math.max(gatherMs, this.#startedAt + paceMs - performance.now());
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // As a microtask, so that everything appended in this turn is in the first batch.
    this.#draining ??= Promise.resolve().then(() => this.#drain());
  }

  async #drain(): Promise<void> {
    this.#startedAt = performance.now();
    try {
      do await this.#writeBatch(this.#takeBatch());
      while (this.#queue.length > 0 && (this.#awaitedRows > 0 || this.#closed));
    } finally {
      this.#draining = undefined;
      this.#wake();
    }
  }

  #takeBatch(): readonly Row[] {
    let length = 0;
    let count = 0;
    for (const { line, resolve } of this.#queue) {
      if (count > 0 && length + line.length > MAX_BATCH_LENGTH) break;
      length += line.length;
      count++;
      if (resolve !== undefined) this.#awaitedRows--;
    }
    this.#queuedLength -= length;
    if (count < this.#queue.length) return this.#queue.splice(0, count);
    const all = this.#queue;
    this.#queue = [];
    return all;
  }

  async #writeBatch(rows: readonly Row[]): Promise<void> {
    const chain = await this.#options.chain?.().catch(() => undefined);
    const plain = rows.map(({ line }) => line);
    const lines = chain?.link(plain) ?? plain;
    const bytes = Buffer.from(lines.join(""));
    let written = 0;
    try {
      const { length, error } = await this.#file.write(bytes);
      chain?.keep(lines, length);
      if (length > 0 && this.#options.durable !== false) await this.#file.sync();
      written = length;
      this.#failure = error;
    } catch (error) {
      // Nothing is acknowledged that was not synced, though some of it may be there after all.
      this.#failure = error instanceof Error ? error : new Error(String(error));
    }
    if (this.#failure === undefined) for (const { resolve } of rows) resolve?.();
    else this.#settle(rows, lines, written, this.#failure);
  }

  /** After a failure: rows that are whole in the file are acknowledged, the others refused. */
  #settle(rows: readonly Row[], lines: readonly string[], written: number, failure: Error): void {
    let end = 0;
    let lost = 0;
    for (const [index, { resolve, reject }] of rows.entries()) {
      end += Buffer.byteLength(lines[index] ?? "");
      if (end <= written) resolve?.();
      else if (reject !== undefined) reject(failure);
      else lost++;
    }
    this.#options.onFailure?.(failure, lost);
  }
}

function encode(entry: Entry): string {
  const line = `${JSON.stringify(entry)}\n`;
  if (line.length <= MAX_LINE_LENGTH) return line;
  return `${JSON.stringify(entry, (_, value: unknown) => shortened(value))}\n`;
}

function shortened(value: unknown): unknown {
  if (Array.isArray(value) && value.length > 100)
    return [...value.slice(0, 100), `… ${value.length - 100} more`];
  if (typeof value !== "string" || value.length <= 2000) return value;
  return `${value.slice(0, 2000)}… ${value.length - 2000} more characters`;
}
