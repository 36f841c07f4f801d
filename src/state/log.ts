// iddio.log: for people and grep, a line each. Never blocks and never fails its caller: lines are gathered and
// written a moment later, and what cannot be written is counted and said once the disk takes lines again. Values
// come from clients, so nothing in them may look like a line of its own or move a terminal's cursor.

import { appendFileSync } from "node:fs";
import { LineFile } from "./line-file.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** How much is logged. */
export type LogLevel = (typeof LEVELS)[number];

/** Values printed as `name=value` after the message; undefined ones are left out. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

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
const MAX_PENDING_BYTES = 4 * 1024 * 1024;

/** An open log. */
export class Log {
  /** May be set at any time. */
  level: LogLevel;
  readonly #path: string;
  readonly #options: LogOptions;
  #pending: string[] = [];
  #pendingBytes = 0;
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
  debug(message: string, fields?: LogFields): void {
    this.#add("debug", message, fields);
  }

  /** What happened. */
  info(message: string, fields?: LogFields): void {
    this.#add("info", message, fields);
  }

  /** What a person should look at. */
  warn(message: string, fields?: LogFields): void {
    this.#add("warn", message, fields);
  }

  /** What failed. */
  error(message: string, fields?: LogFields): void {
    this.#add("error", message, fields);
  }

  /** Resolves when everything logged so far is written, or has failed to be. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#flushing;
    await this.#startFlush();
  }

  /** Writes what is pending at once; for the last words of a dying process. Never throws. */
  flushSync(): void {
    try {
      if (this.#pending.length > 0) appendFileSync(this.#path, this.#take(), { mode: 0o600 });
    } catch {
      // nobody is left to be told
    }
  }

  /** Flushes and closes. A line logged later reopens the file. */
  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close();
    this.#file = undefined;
  }

  #add(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.level)) return;
    const line = formatLine(this.#now(), level, message, fields);
    this.#options.mirror?.(line);
    if (this.#pendingBytes > MAX_PENDING_BYTES) {
      this.#dropped++;
      return;
    }
    this.#pending.push(line);
    this.#pendingBytes += line.length + 1;
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
    while (this.#pending.length > 0) {
      const count = this.#pending.length;
      const text = this.#take();
      try {
        this.#file ??= await LineFile.open(this.#path, { rotateBytes: maxBytes, keep });
        const { error } = await this.#file.write(Buffer.from(text));
        if (error !== undefined) throw error;
      } catch {
        this.#dropped += count; // the log must never take the gateway with it
        return;
      }
    }
  }

  #take(): string {
    const lines = this.#pending;
    this.#pending = [];
    this.#pendingBytes = 0;
    if (this.#dropped > 0) {
      const fields = { lines: this.#dropped };
      lines.push(formatLine(this.#now(), "warn", "lines were lost", fields));
      this.#dropped = 0;
    }
    return `${lines.join("\n")}\n`;
  }
}

/** One line of the log, without its newline: time (milliseconds since 1970), level, message, fields. */
export function formatLine(at: number, level: LogLevel, message: string, fields: LogFields = {}): string {
  let line = `${timeOf(at)} ${LEVEL_COLUMN[level]} ${visible(message)}`;
  let separator = ": ";
  // Not Object.entries: there is a line for every request, and its pairs would be half of the line's cost.
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined) continue;
    line += `${separator}${name}=${typeof value === "string" ? formatText(value) : value}`;
    separator = " ";
  }
  return line;
}

const LEVEL_COLUMN: Readonly<Record<LogLevel, string>> = {
  debug: "DEBUG",
  info: "INFO ",
  warn: "WARN ",
  error: "ERROR",
};

let second = Number.NaN;
let secondText = "";

/** ISO 8601 in UTC; lines of the same second share all but the milliseconds. */
function timeOf(at: number): string {
  const current = Math.floor(at / 1000);
  if (current !== second) {
    secondText = new Date(at).toISOString().slice(0, -4);
    second = current;
  }
  const rest = at - current * 1000;
  return `${secondText}${rest < 10 ? "00" : rest < 100 ? "0" : ""}${rest}Z`;
}

function formatText(text: string): string {
  return PLAIN.test(text) ? text : visible(JSON.stringify(text));
}

const PLAIN = /^[\w.:/@%+,*?&~-]+$/;

/** Control, bidirectional and zero-width characters as escapes. */
function visible(text: string): string {
  // Hardly ever is there anything to replace, and a test costs a tenth of a replacement.
  if (!HIDDEN.test(text)) return text;
  return text.replace(
    new RegExp(HIDDEN, "g"),
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/;
