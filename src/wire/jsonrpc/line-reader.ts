// MCP's framing over stdin and stdout: one message a line, UTF-8, ended by a newline. Owns lines
// and their bound; a line that is too long ends the stream, because nobody can tell where the next
// one begins for the other side.

const LF = 0x0a;
const CR = 0x0d;

/** Takes a stream apart into lines, in any pieces. A line has no newline and no carriage return before it. */
export class LineReader {
  readonly #maxBytes: number;
  #pending: Uint8Array[] = [];
  #size = 0;
  #problem: string | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Why there are no more lines; undefined while all is well. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Bytes of the line that has not ended yet. */
  get pendingBytes(): number {
    return this.#size;
  }

  /** The lines that ended in this piece; empty ones are left out. */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const lines: Uint8Array[] = [];
    let start = 0;
    while (this.#problem === undefined && start < chunk.length) {
      const end = chunk.indexOf(LF, start);
      const piece = chunk.subarray(start, end < 0 ? chunk.length : end);
      if (this.#size + piece.length > this.#maxBytes) {
        this.#problem = `a line is longer than ${this.#maxBytes} bytes`;
        this.#pending = [];
        this.#size = 0;
      } else if (end < 0) {
        // A copy: the caller may use its buffer again before the line has ended.
        this.#pending.push(new Uint8Array(piece));
        this.#size += piece.length;
      } else this.#finish(piece, lines);
      start = end < 0 ? chunk.length : end + 1;
    }
    return lines;
  }

  #finish(last: Uint8Array, lines: Uint8Array[]): void {
    const whole = this.#size === 0 ? new Uint8Array(last) : Buffer.concat([...this.#pending, last]);
    this.#pending = [];
    this.#size = 0;
    const line = whole.at(-1) === CR ? whole.subarray(0, -1) : whole;
    if (line.length > 0) lines.push(line);
  }
}
