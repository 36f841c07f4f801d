// One file of a recording: lines that are queued and written beside the session. The queue is
// bounded, because a slow disk must neither hold a session up nor lose part of it in silence: what
// does not fit is a failure, and the session's owner decides. A crash leaves whole lines and the
// beginning of one. Lines are spelled into blocks of octets that are used again: a string for every
// line would keep the collector busy for longer than everything else here takes.

import { type FileHandle, open, rm } from "node:fs/promises";
import { syncOrdered } from "../../state/durable.ts";

/** More than that waits for no disk. */
const QUEUE_MAX = 16 * 1024 * 1024;
const WRITE_EVERY_MS = 100;
/** A stream that is faster than the timer is written at once. */
const WRITE_FROM = 512 * 1024;
const LINE_BREAK = 0x0a;
/** Octets that are spelled in base64 at a time, a multiple of 3: longer strings cost the collector ten times as much. */
const BASE64_STEP = 12 * 1024;

/** The open file of a recording. */
export type RecordingHandle = Pick<FileHandle, "close" | "datasync" | "fd"> & {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
};

/** Octets of lines; `length` of them are used. */
interface Block {
  readonly octets: Buffer;
  length: number;
}

/** A session that says little takes little. */
const BLOCK_MIN = 8 * 1024;
const BLOCK_MAX = 256 * 1024;
/** Written blocks of the largest size, for all files. */
const SPARE: Buffer[] = [];
const SPARE_MAX = 4;

/** Writes one recording. */
export class RecordingFile {
  readonly #handle: RecordingHandle;
  readonly #failed: (why: string) => void;
  #blocks: Block[] = [];
  #blockSize = BLOCK_MIN;
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
      const line = Buffer.from(`${firstLine}\n`);
      await writeWhole(handle, line, line.length);
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
    // A character takes at most three octets for each of its units.
    const block = this.#room(line.length * 3 + 1);
    const before = block.length;
    block.length += block.octets.write(line, before, "utf8");
    this.#close(block, before);
  }

  /** Queues the line `[seconds,"<name>","<octets in base64>"]`; the octets may change afterwards. */
  addContent(seconds: number, name: string, octets: Uint8Array): void {
    if (this.#problem !== undefined) return;
    const prefix = `[${seconds},"${name}","`;
    const block = this.#room(prefix.length + Math.ceil(octets.length / 3) * 4 + 3);
    const before = block.length;
    const put = (text: string) => {
      block.length += block.octets.write(text, block.length, "latin1");
    };
    const from = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
    put(prefix);
    for (let at = 0; at < from.length; at += BASE64_STEP)
      put(from.toString("base64", at, Math.min(at + BASE64_STEP, from.length)));
    put('"]');
    this.#close(block, before);
  }

  /** The block that the next line goes into, with so much room. */
  #room(octets: number): Block {
    const last = this.#blocks.at(-1);
    if (last !== undefined && last.octets.length - last.length >= octets) return last;
    const size = Math.max(this.#blockSize, octets);
    this.#blockSize = Math.min(this.#blockSize * 2, BLOCK_MAX);
    const spare = size === BLOCK_MAX ? SPARE.pop() : undefined;
    const block = { octets: spare ?? Buffer.allocUnsafeSlow(size), length: 0 };
    this.#blocks.push(block);
    return block;
  }

  /** Ends a line that began at `from`. */
  #close(block: Block, from: number): void {
    block.octets[block.length] = LINE_BREAK;
    block.length += 1;
    this.#queued += block.length - from;
    if (this.#queued > QUEUE_MAX) this.#fail("the disk is too slow for the recording");
    else if (this.#queued >= WRITE_FROM && this.#writing === undefined) this.#write();
    else this.#timer ??= setTimeout(() => this.#write(), WRITE_EVERY_MS);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#blocks.length === 0) return;
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#queued = 0;
    this.#writing = writeBlocks(this.#handle, blocks)
      .catch((error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)))
      .finally(() => {
        this.#writing = undefined;
        if (this.#queued >= WRITE_FROM) this.#write();
        else if (this.#blocks.length > 0) this.#timer ??= setTimeout(() => this.#write(), WRITE_EVERY_MS);
      });
  }

  #fail(why: string): void {
    if (this.#problem !== undefined) return;
    this.#problem = why;
    this.#blocks = [];
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

async function writeBlocks(handle: RecordingHandle, blocks: readonly Block[]): Promise<void> {
  for (const { octets, length } of blocks) {
    await writeWhole(handle, octets, length);
    if (octets.length === BLOCK_MAX && SPARE.length < SPARE_MAX) SPARE.push(octets);
  }
}

/** A disk that is nearly full takes a part, and says so by the count alone. */
async function writeWhole(handle: RecordingHandle, octets: Uint8Array, length: number): Promise<void> {
  for (let at = 0; at < length; ) {
    const { bytesWritten } = await handle.write(octets, at, length - at);
    if (bytesWritten === 0) throw new Error("the disk takes no more");
    at += bytesWritten;
  }
}
