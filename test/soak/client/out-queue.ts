// Octets that a socket of Bun's has not taken yet. Bun takes as many as fit and returns their
// number; the rest waits here for the socket's `drain`.

/** The part of a socket that is written to. */
export interface Sink {
  write(bytes: Uint8Array): number;
}

/** Bytes for one socket, in order. */
export class OutQueue {
  #waiting: Uint8Array[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  write(sink: Sink, bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    if (this.#waiting.length === 1) this.flush(sink);
  }

  /** Writes until the socket is full again. */
  flush(sink: Sink): void {
    let done = 0;
    for (const bytes of this.#waiting) {
      const taken = Math.max(0, sink.write(bytes));
      if (taken < bytes.length) {
        this.#waiting[done] = bytes.subarray(taken);
        break;
      }
      done += 1;
    }
    if (done > 0) this.#waiting = this.#waiting.slice(done);
  }
}
