// The recording of one channel, in the format of docs/sessions.md: a line of facts, a line for each
// piece with its time and stream, a line at the end. How it gets onto the disk is
// gateway/stream/recording-file.ts.

import { RecordingFile } from "../../../gateway/stream/recording-file.ts";
import type { RecordingOrder } from "../link.ts";

/** Standard input of a command without a terminal is kept up to this. */
const STDIN_MAX = 1024 * 1024;

/** A stream of a session. */
export type SshStreamName = "stdin" | "stdout" | "stderr";

/** Records one channel. */
export class Recording {
  readonly #order: RecordingOrder;
  readonly #file: RecordingFile;
  readonly #begunMs = performance.now();
  readonly #octets = new Map<string, number>();
  readonly #hashes = new Map<string, Bun.CryptoHasher>();
  #content = 0;
  #stdin = 0;

  private constructor(order: RecordingOrder, file: RecordingFile) {
    this.#order = order;
    this.#file = file;
  }

  /** Begins one, 0600, with its first line on disk. Throws when that fails. `failed` is called once, if ever. */
  static async begin(order: RecordingOrder, failed: (why: string) => void): Promise<Recording> {
    return new Recording(order, await RecordingFile.create(order.path, JSON.stringify(order.header), failed));
  }

  /** A piece went over a stream. */
  data(stream: SshStreamName, bytes: Uint8Array): void {
    this.#octets.set(stream, (this.#octets.get(stream) ?? 0) + bytes.length);
    this.#hashOf(stream).update(bytes);
    if (this.#isKept(stream, bytes.length)) this.#file.addContent(this.#seconds(), stream, bytes);
    else this.#add([this.#seconds(), stream, bytes.length]);
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
    this.#file.add(JSON.stringify(value));
  }

  /** Writes the last line and closes. Never rejects. */
  async end(code: number | undefined): Promise<void> {
    const octets = Object.fromEntries(this.#octets);
    const sha256 = Object.fromEntries(
      [...this.#hashes].map(([stream, hash]) => [stream, hash.digest("hex")]),
    );
    await this.#file.close((problem) =>
      JSON.stringify({
        end: {
          seconds: this.#seconds(),
          ...(code === undefined ? {} : { exit_code: code }),
          ...(problem === undefined ? {} : { problem }),
          octets,
          sha256,
        },
      }),
    );
  }
}
