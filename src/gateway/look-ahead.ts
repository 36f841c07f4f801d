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

  /** A share for one request, to be released at its end. */
  share(): LookAheadShare {
    return new LookAheadShare({
      take: (bytes) => {
        if (bytes > this.#left) return false;
        this.#left -= bytes;
        return true;
      },
      give: (bytes) => {
        this.#left += bytes;
      },
    });
  }
}

/** What one request has of it. */
export class LookAheadShare {
  readonly #room: { take(bytes: number): boolean; give(bytes: number): void };
  #taken = 0;

  constructor(room: { take(bytes: number): boolean; give(bytes: number): void }) {
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
