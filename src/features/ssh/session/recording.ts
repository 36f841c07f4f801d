// The recording of one channel, in the format of docs/sessions.md: a line of facts, a line for each
// piece with its time and stream, a line at the end. Written beside the session: a disk that is too
// slow or full is a failure, which ends the session where the setting says so, and never loses a
// piece in silence.

import { type FileHandle, open } from "node:fs/promises";
import { syncOrdered } from "../../../state/durable.ts";
import type { RecordingOrder } from "../link.ts";

/** More than that waits for no disk. */
const QUEUE_MAX = 16 * 1024 * 1024;
const WRITE_EVERY_MS = 100;
/** Standard input of a command without a terminal is kept up to this. */
const STDIN_MAX = 1024 * 1024;

/** A stream of a session. */
export type SshStreamName = "stdin" | "stdout" | "stderr";

/** Records one channel. */
export class Recording {
  readonly #order: RecordingOrder;
  readonly #handle: FileHandle;
  readonly #failed: (why: string) => void;
  readonly #begunMs = performance.now();
  readonly #octets = new Map<string, number>();
  readonly #hashes = new Map<string, Bun.CryptoHasher>();
  #lines: string[] = [];
  #queued = 0;
  #content = 0;
  #stdin = 0;
  #writing: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #problem: string | undefined;

  private constructor(order: RecordingOrder, handle: FileHandle, failed: (why: string) => void) {
    this.#order = order;
    this.#handle = handle;
    this.#failed = failed;
  }

  /** Begins one, 0600, with its first line on disk. Throws when that fails. `failed` is called once, if ever. */
  static async begin(order: RecordingOrder, failed: (why: string) => void): Promise<Recording> {
    const handle = await open(order.path, "wx", 0o600);
    try {
      await handle.write(`${JSON.stringify(order.header)}\n`);
      await syncOrdered(handle);
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
    return new Recording(order, handle, failed);
  }

  /** A piece went over a stream. */
  data(stream: SshStreamName, bytes: Uint8Array): void {
    this.#octets.set(stream, (this.#octets.get(stream) ?? 0) + bytes.length);
    this.#hashOf(stream).update(bytes);
    this.#add([
      this.#seconds(),
      stream,
      this.#isKept(stream, bytes.length) ? Buffer.from(bytes).toString("base64") : bytes.length,
    ]);
  }

  /** A line of text about what happened, as if it had been printed. */
  note(text: string): void {
    this.#add([this.#seconds(), "stdout", Buffer.from(`${text}\n`).toString("base64")]);
  }

  resize(columns: number, rows: number): void {
    this.#add([this.#seconds(), "resize", `${columns}x${rows}`]);
  }

  #isKept(stream: SshStreamName, length: number): boolean {
    const { isFull, keepsTyped, isTerminal, limit } = this.#order;
    if (!isFull || this.#content + length > limit) return false;
    if (stream === "stdin") {
      // Keystrokes in a terminal hold passwords.
      if (isTerminal && !keepsTyped) return false;
      this.#stdin += length;
      if (!isTerminal && this.#stdin > STDIN_MAX) return false;
    }
    this.#content += length;
    return true;
  }

  #hashOf(stream: string): Bun.CryptoHasher {
    const known = this.#hashes.get(stream);
    if (known !== undefined) return known;
    const made = new Bun.CryptoHasher("sha256");
    this.#hashes.set(stream, made);
    return made;
  }

  #seconds(): number {
    return Math.round(performance.now() - this.#begunMs) / 1000;
  }

  #add(value: unknown): void {
    if (this.#problem !== undefined) return;
    const line = JSON.stringify(value);
    this.#lines.push(line);
    this.#queued += line.length + 1;
    if (this.#queued > QUEUE_MAX) this.#fail("the disk is too slow for the recording");
    else this.#timer ??= setTimeout(() => this.#write(), WRITE_EVERY_MS);
  }

  #write(): void {
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#lines.length === 0) return;
    const text = `${this.#lines.join("\n")}\n`;
    this.#lines = [];
    this.#queued = 0;
    this.#writing = this.#handle
      .write(text)
      .then(
        () => undefined,
        (error: unknown) => this.#fail(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => {
        this.#writing = undefined;
        if (this.#lines.length > 0) this.#timer ??= setTimeout(() => this.#write(), WRITE_EVERY_MS);
      });
  }

  #fail(why: string): void {
    if (this.#problem !== undefined) return;
    this.#problem = why;
    this.#lines = [];
    this.#queued = 0;
    this.#failed(why);
  }

  /** Writes the last line and closes. Never rejects. */
  async end(code: number | undefined): Promise<void> {
    const octets = Object.fromEntries(this.#octets);
    const sha256 = Object.fromEntries(
      [...this.#hashes].map(([stream, hash]) => [stream, hash.digest("hex")]),
    );
    const problem = this.#problem;
    this.#problem = undefined;
    this.#add({
      end: {
        seconds: this.#seconds(),
        ...(code === undefined ? {} : { exit_code: code }),
        ...(problem === undefined ? {} : { problem }),
        octets,
        sha256,
      },
    });
    clearTimeout(this.#timer);
    while (this.#writing !== undefined) await this.#writing;
    this.#write();
    while (this.#writing !== undefined) await this.#writing;
    clearTimeout(this.#timer);
    await syncOrdered(this.#handle).catch(() => undefined);
    await this.#handle.close().catch(() => undefined);
  }
}
