// One file of a recording: lines that are queued and written beside the session. The queue is
// bounded, because a slow disk must neither hold a session up nor lose part of it in silence: what
// does not fit is a failure, and the session's owner decides. A crash leaves whole lines and the
// beginning of one.

import { type FileHandle, open, rm } from "node:fs/promises";
import { syncOrdered } from "../../state/durable.ts";

/** More than that waits for no disk. */
const QUEUE_MAX = 16 * 1024 * 1024;
const WRITE_EVERY_MS = 100;
/** A stream that is faster than the timer is written at once. */
const WRITE_FROM = 512 * 1024;

/** The open file of a recording. */
export type RecordingHandle = Pick<FileHandle, "close" | "datasync" | "fd"> & {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
};

/** Writes one recording. */
export class RecordingFile {
  readonly #handle: RecordingHandle;
  readonly #failed: (why: string) => void;
  #lines: string[] = [];
  #queued = 0;
  #writing: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #problem: string | undefined;

  /** Over a file whose first line is written. `failed` is called once, if ever. */
  constructor(handle: RecordingHandle, failed: (why: string) => void) {
    this.#handle = handle;
    this.#failed = failed;
  }

  /** Creates the file, 0600, with its first line on disk. Throws when that fails. `failed` is called once, if ever. */
  static async create(
    path: string,
    firstLine: string,
    failed: (why: string) => void,
  ): Promise<RecordingFile> {
    const handle = await open(path, "wx", 0o600);
    try {
      await writeWhole(handle, `${firstLine}\n`);
      await syncOrdered(handle);
    } catch (error) {
      await handle.close().catch(() => undefined);
      await rm(path, { force: true });
      throw error;
    }
    return new RecordingFile(handle, failed);
  }

  /** Queues a line, which has no line break. Never waits and never throws. */
  add(line: string): void {
    if (this.#problem !== undefined) return;
    this.#lines.push(line);
    this.#queued += line.length + 1;
    if (this.#queued > QUEUE_MAX) this.#fail("the disk is too slow for the recording");
    else if (this.#queued >= WRITE_FROM && this.#writing === undefined) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), WRITE_EVERY_MS);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#lines.length === 0) return;
    const text = `${this.#lines.join("\n")}\n`;
    this.#lines = [];
    this.#queued = 0;
    this.#writing = writeWhole(this.#handle, text)
      .catch((error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)))
      .finally(() => {
        this.#writing = undefined;
        if (this.#queued >= WRITE_FROM) this.#write();
        else if (this.#lines.length > 0) this.#timer ??= setTimeout(() => this.#write(), WRITE_EVERY_MS);
      });
  }

  #fail(why: string): void {
    if (this.#problem !== undefined) return;
    this.#problem = why;
    this.#lines = [];
    this.#queued = 0;
    this.#failed(why);
  }

  /** Writes the queued lines and closes, with a last line even after a failure. Never rejects. */
  async close(last?: (problem: string | undefined) => string): Promise<void> {
    const problem = this.#problem;
    if (last !== undefined) {
      this.#problem = undefined;
      // A failed write may have left a piece of a line.
      if (problem !== undefined) this.add("");
      this.add(last(problem));
    }
    clearTimeout(this.#timer);
    while (this.#writing !== undefined) await this.#writing;
    this.#write();
    while (this.#writing !== undefined) await this.#writing;
    clearTimeout(this.#timer);
    await syncOrdered(this.#handle).catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
  }
}

/** A disk that is nearly full takes a part, and says so by the count alone. */
async function writeWhole(handle: RecordingHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at);
    if (bytesWritten === 0) throw new Error("the disk takes no more");
    at += bytesWritten;
  }
}
