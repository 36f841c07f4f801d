// Reads iddio.log while it is written: it is rotated, and what is rotated away is lost to anyone
// who looks afterwards.

import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";

const LOOK_MS = 200;

/** Counts what is said at each level, and keeps what nobody should ever read. */
export class LogWatch {
  /** Lines at level WARN, by their message. */
  readonly warnings = new Map<string, number>();
  /** Lines at level ERROR and those that tell of an unhandled error. */
  readonly errors: string[] = [];
  lines = 0;
  readonly #path: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #buffer = Buffer.alloc(1 << 20);
  #file: number | undefined;
  #rest = "";

  constructor(home: string) {
    this.#path = join(home, "iddio.log");
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#look();
  }

  /** Reads what is left. */
  stop(): void {
    clearInterval(this.#timer);
    this.#look();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #look(): void {
    // The file that was read so far is read to its end before its successor is looked for, and once more after.
    this.#drain();
    const now = statSync(this.#path, { throwIfNoEntry: false });
    if (now === undefined) return;
    if (this.#file !== undefined && fstatSync(this.#file).ino === now.ino) return;
    if (this.#file !== undefined) {
      this.#drain();
      closeSync(this.#file);
    }
    this.#file = openSync(this.#path, "r");
    this.#drain();
  }

  #drain(): void {
    if (this.#file === undefined) return;
    for (;;) {
      const count = readSync(this.#file, this.#buffer);
      if (count === 0) return;
      const lines = (this.#rest + this.#buffer.toString("latin1", 0, count)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#line(line);
    }
  }

  #line(line: string): void {
    this.lines += 1;
    const level = line.slice(25, 30);
    if (level === "ERROR" || /connection failed|unhandled|lines were lost/i.test(line))
      this.errors.push(line);
    else if (level === "WARN ") {
      const message = line.slice(31).split(": ", 1)[0] ?? "";
      this.warnings.set(message, (this.warnings.get(message) ?? 0) + 1);
    }
  }
}
