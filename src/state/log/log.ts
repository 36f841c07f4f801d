// iddio.log: for people and grep, a line each. Never blocks and never fails its caller: lines are
// gathered and written a moment later, and unwritten lines are counted, and the number is logged
// once the disk takes lines again. One client, or one kind of line, has so many a second; lines
// above that are counted and reported too, and count nowhere else. Values come from clients, so
// nothing in them may look like a line of its own or move a terminal's cursor.

import { appendFileSync } from "node:fs";
import { LineFile } from "../line-file.ts";
import { LineAllowance } from "./line-allowance.ts";
import { formatLine, LOG_LEVELS, type LogFields, type LogLevel, LogLines } from "./log-line.ts";

export type { LogFields, LogLevel } from "./log-line.ts";

/** How a log behaves. */
export interface LogOptions {
  readonly level?: LogLevel;
  /** Rotated beyond this size; 10 MiB. */
  readonly maxBytes?: number;
  /** How many rotated copies stay; 3. */
  readonly keep?: number;
  /** Gets every line as well; `iddio gateway` in a terminal prints them. */
  readonly mirror?: (line: string) => void;
  /** Milliseconds since 1970; the system's clock without it. */
  readonly now?: () => number;
}

const FLUSH_MS = 50;
/** How often it is said that lines were left out. */
const LEFT_OUT_MS = 1_000;
const MAX_PENDING_BYTES = 4 * 1024 * 1024;

/** An open log. */
export class Log {
  /** May be set at any time. */
  level: LogLevel;
  readonly #path: string;
  readonly #options: LogOptions;
  readonly #pending = new LogLines();
  readonly #allowance = new LineAllowance();
  #leftOutTimer: ReturnType<typeof setTimeout> | undefined;
  #dropped = 0;
  #file: LineFile | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<void> | undefined;

  constructor(path: string, options: LogOptions = {}) {
    this.#path = path;
    this.#options = options;
    this.level = options.level ?? "info";
  }

  /** For finding faults of iddio itself. */
  debug(message: string, fields?: LogFields, client?: string): void {
    this.#add("debug", message, fields, client);
  }

  /** Logs an ordinary event. `client` says on whose account it counts. */
  info(message: string, fields?: LogFields, client?: string): void {
    this.#add("info", message, fields, client);
  }

  /** Logs an event that a person should look at. */
  warn(message: string, fields?: LogFields, client?: string): void {
    this.#add("warn", message, fields, client);
  }

  /** Logs a failure. */
  error(message: string, fields?: LogFields, client?: string): void {
    this.#add("error", message, fields, client);
  }

  /** Resolves when everything logged so far is written, or has failed to be. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#flushing;
    await this.#startFlush();
  }

  /** Writes the pending lines at once; for the last words of a dying process. Never throws. */
  flushSync(): void {
    try {
      if (this.#pending.count > 0) appendFileSync(this.#path, this.#take(), { mode: 0o600 });
    } catch {
      // nobody is left to be told
    }
  }

  /** Flushes and closes. A line logged later reopens the file. */
  async close(): Promise<void> {
    this.#tellLeftOut();
    await this.flush();
    await this.#file?.close();
    this.#file = undefined;
  }

  #add(level: LogLevel, message: string, fields: LogFields | undefined, client?: string): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.level)) return;
    const at = this.#now();
    if (!this.#allowance.take(client ?? message, at)) {
      this.#leftOutTimer ??= setTimeout(() => this.#tellLeftOut(), LEFT_OUT_MS).unref();
      return;
    }
    this.#put(at, level, message, fields);
  }

  /** How many lines of whom were not written. */
  #tellLeftOut(): void {
    clearTimeout(this.#leftOutTimer);
    this.#leftOutTimer = undefined;
    for (const { client, lines } of this.#allowance.takeDropped())
      this.#put(this.#now(), "warn", "lines left out", { lines, of: client });
  }

  #put(at: number, level: LogLevel, message: string, fields: LogFields | undefined): void {
    this.#options.mirror?.(formatLine(at, level, message, fields));
    if (this.#pending.length > MAX_PENDING_BYTES) {
      this.#dropped++;
      return;
    }
    this.#pending.add(at, level, message, fields);
    if (this.#timer !== undefined || this.#flushing !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#startFlush();
    }, FLUSH_MS);
    this.#timer.unref();
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now();
  }

  #startFlush(): Promise<void> {
    this.#flushing ??= this.#write().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #write(): Promise<void> {
    const { maxBytes = 10 * 1024 * 1024, keep = 3 } = this.#options;
    while (this.#pending.count > 0) {
      const { count } = this.#pending;
      const lines = this.#take();
      try {
        this.#file ??= await LineFile.open(this.#path, { rotateBytes: maxBytes, keep });
        const { error } = await this.#file.write(lines);
        if (error !== undefined) throw error;
      } catch {
        this.#dropped += count; // the log must never take the gateway with it
        return;
      }
    }
  }

  #take(): Uint8Array {
    if (this.#dropped > 0)
      this.#pending.add(this.#now(), "warn", "lines were lost", { lines: this.#dropped });
    this.#dropped = 0;
    return this.#pending.take();
  }
}
