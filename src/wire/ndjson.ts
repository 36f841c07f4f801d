// Newline-delimited JSON: one value a line, as it arrives. Owns lines and their bound; the reader
// knows what a value means. After the first problem nothing more comes out.

/** Bytes of one line, its newline not counted. */
export const DEFAULT_MAX_LINE_BYTES = 1_048_576;

const LF = 0x0a;

/** Takes a stream apart into values, in any pieces. Empty lines are skipped. */
export class NdjsonDecoder {
  readonly #maxLineBytes: number;
  readonly #text = new TextDecoder("utf-8", { fatal: true });
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #problem: string | undefined;

  constructor(maxLineBytes: number = DEFAULT_MAX_LINE_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Why decoding stopped: a line that was too long, or was not JSON in UTF-8; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The values whose lines ended in this piece. */
  push(chunk: Uint8Array): readonly unknown[] {
    const values: unknown[] = [];
    let start = 0;
    while (this.#problem === undefined && start < chunk.length) {
      const end = chunk.indexOf(LF, start);
      const piece = chunk.subarray(start, end < 0 ? chunk.length : end);
      if (this.#pendingBytes + piece.length > this.#maxLineBytes) {
        this.#fail("line too long");
      } else if (end < 0) {
        // A copy: the caller may reuse its buffer before the line is complete. (`slice` of a node
        // Buffer would be a view.)
        this.#pending.push(new Uint8Array(piece));
        this.#pendingBytes += piece.length;
      } else this.#finishLine(piece, values);
      start = end < 0 ? chunk.length : end + 1;
    }
    return values;
  }

  /** The value of a last line without newline, if there is one. */
  end(): readonly unknown[] {
    const values: unknown[] = [];
    if (this.#problem === undefined && this.#pendingBytes > 0) this.#finishLine(new Uint8Array(0), values);
    return values;
  }

  #finishLine(last: Uint8Array, values: unknown[]): void {
    let line = last;
    if (this.#pendingBytes > 0) {
      line = new Uint8Array(this.#pendingBytes + last.length);
      let at = 0;
      for (const piece of [...this.#pending, last]) {
        line.set(piece, at);
        at += piece.length;
      }
      this.#pending = [];
      this.#pendingBytes = 0;
    }
    try {
      const text = this.#text.decode(line);
      if (text.trim() !== "") values.push(JSON.parse(text));
    } catch {
      this.#fail("line is not json");
    }
  }

  #fail(reason: string): void {
    this.#problem = reason;
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
