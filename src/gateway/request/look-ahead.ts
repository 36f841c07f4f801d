// The memory that bodies may take while they are looked at, all requests together. A body
// that finds no room counts as unread, which no rule by tier lets through.

/** Enough for hundreds of bodies of the largest size that is looked at. */
const MAX_BYTES = 256 * 1024 * 1024;

/** What a share needs of a request. */
interface Looked {
  /** Length of the body, where it is said beforehand. */
  readonly bodyLength: number | undefined;
  peekBody(limit: number): Promise<Uint8Array | undefined>;
}

/** The room that is left; one per daemon. */
export class LookAhead {
  #left = MAX_BYTES;

  /** Takes so many bytes of it; false when there are not as many. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** What one request has of it, to be released at its end. */
export class LookAheadShare {
  readonly #room: LookAhead;
  #taken = 0;

  constructor(room: LookAhead) {
    this.#room = room;
  }

  /** The whole body if it is at most `limit` bytes and there is room for it, else undefined. */
  async peek(request: Looked, limit: number): Promise<Uint8Array | undefined> {
    const needed = request.bodyLength ?? limit;
    if (needed > limit) return undefined;
    if (needed > this.#taken) {
      if (!this.#room.take(needed - this.#taken)) return undefined;
      this.#taken = needed;
    }
    return request.peekBody(limit);
  }

  release(): void {
    this.#room.give(this.#taken);
    this.#taken = 0;
  }
}
