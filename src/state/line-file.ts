// The file under a journal or a log: appends lines, knows whether it ends inside one, and notices
// when the path no longer names the file it writes to. Never truncates: a line that a full disk cut
// off is closed with a newline before the next write. Knows nothing of rows or of who waits for
// them.

import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { syncOrdered } from "./durable.ts";
import { errorCode, syncDirectory } from "./files.ts";
import { rotate } from "./rotate.ts";

/** When the file is exchanged for a new one. */
export interface LineFileOptions {
  /** Rotate when the file has grown beyond this many bytes; not set: never. */
  readonly rotateBytes?: number;
  /** How many rotated copies stay; 3. */
  readonly keep?: number;
  /** How often the path is compared with the open file, to notice that somebody moved or removed it; 1000 ms. */
  readonly identityCheckMs?: number;
}

/** How far a write came. `length` is below the wanted length only when there is an error. */
export interface WriteOutcome {
  readonly length: number;
  readonly error: Error | undefined;
}

interface OpenedFile {
  readonly file: FileHandle;
  readonly size: number;
  readonly torn: boolean;
}

const NEWLINE = new Uint8Array([10]);

/** An open file to append lines to. */
export class LineFile {
  readonly #path: string;
  readonly #options: LineFileOptions;
  #opened: FileHandle;
  #size: number;
  /** Whether the file ends in the middle of a line. */
  #torn: boolean;
  #identityCheckedAt = performance.now();

  private constructor(path: string, options: LineFileOptions, { file, size, torn }: OpenedFile) {
    this.#path = path;
    this.#options = options;
    this.#opened = file;
    this.#size = size;
    this.#torn = torn;
  }

  /** Opens or creates it, 0600. A last line that has no end is given one, on a full disk with the next write. */
  static async open(path: string, options: LineFileOptions): Promise<LineFile> {
    return new LineFile(path, options, await openFile(path));
  }

  /** Appends whole lines, or as much of them as fits. Rejects only when the file itself could not be reopened. */
  async write(lines: Uint8Array): Promise<WriteOutcome> {
    await this.#keepIdentity();
    const lead = this.#torn ? NEWLINE.length : 0;
    const { length, error } = await this.#writeAll(lead > 0 ? Buffer.concat([NEWLINE, lines]) : lines);
    return { length: Math.max(0, length - lead), error };
  }

  /** Empties it and removes its rotated copies. Must not run beside a write. */
  async clear(): Promise<void> {
    await this.#keepIdentity();
    await this.#opened.truncate(0);
    this.#size = 0;
    this.#torn = false;
    const { keep = 3 } = this.#options;
    for (let number = 1; number <= keep; number++) await rm(`${this.#path}.${number}`, { force: true });
  }

  /** Resolves when the written bytes are on the disk. */
  sync(): Promise<void> {
    return syncOrdered(this.#opened);
  }

  /** Closes it. */
  close(): Promise<void> {
    return this.#opened.close();
  }

  async #writeAll(bytes: Uint8Array): Promise<WriteOutcome> {
    let length = 0;
    let error: Error | undefined;
    while (length < bytes.length && error === undefined) {
      try {
        length += (await this.#opened.write(bytes, length, bytes.length - length, null)).bytesWritten;
      } catch (thrown) {
        error = thrown instanceof Error ? thrown : new Error(String(thrown));
      }
    }
    if (length > 0) this.#torn = bytes[length - 1] !== 10;
    this.#size += length;
    return { length, error };
  }

  /** Lines must not go into a file that nobody can find any more. */
  async #keepIdentity(): Promise<void> {
    const { rotateBytes, keep = 3, identityCheckMs = 1000 } = this.#options;
    const isFull = rotateBytes !== undefined && this.#size > rotateBytes;
    if (isFull) await rotate(this.#path, keep).catch(() => {}); // a file too large is better than none
    const now = performance.now();
    if (!isFull && now - this.#identityCheckedAt < identityCheckMs) return;
    const [mine, there] = await Promise.all([this.#opened.stat(), stat(this.#path).catch(() => undefined)]);
    if (there === undefined || there.ino !== mine.ino || there.dev !== mine.dev) await this.#reopen();
    this.#identityCheckedAt = now;
  }

  async #reopen(): Promise<void> {
    const { file, size, torn } = await openFile(this.#path);
    await this.#opened.close();
    this.#opened = file;
    this.#size = size;
    this.#torn = torn;
  }
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

/** Whether it could: on a full disk the gateway starts all the same. */
async function closeLine(file: FileHandle): Promise<boolean> {
  try {
    await file.write(NEWLINE);
    await syncOrdered(file);
    return true;
  } catch (error) {
    if (isDiskFull(error)) return false;
    throw error;
  }
}

/** Whether a failure to write means that the disk, or the user's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  return errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT";
}
