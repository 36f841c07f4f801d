// A bound that all clients share: descriptors, memory, holds. Owns how much of it one client may
// have, so that anyone who takes much leaves something for the next. Does not know what it counts.

/** Why there was no room: the client has its share already, or nobody can have more. */
export type NoRoom = "share" | "full";

/** One bounded thing and who has how much of it; a client is a process where it is known, else a user. */
export class Shares {
  readonly limit: number;
  readonly #perClient: number;
  readonly #held = new Map<string, number>();
  #total = 0;

  /** `part`: the fraction of `limit` that one client may have, and at most `most`. */
  constructor(limit: number, part = 0.75, most = Number.POSITIVE_INFINITY) {
    this.limit = limit;
    this.#perClient = Math.max(1, Math.min(most, Math.floor(limit * part)));
  }

  /** How much is taken, by all together. */
  get total(): number {
    return this.#total;
  }

  /** How much this client has. */
  of(client: string): number {
    return this.#held.get(client) ?? 0;
  }

  /** Takes `amount` for a client; says why not when there is no room, and then nothing was taken. */
  take(client: string, amount = 1): NoRoom | undefined {
    if (this.#total + amount > this.limit) return "full";
    const held = this.of(client) + amount;
    if (held > this.#perClient) return "share";
    this.#held.set(client, held);
    this.#total += amount;
    return undefined;
  }

  /** Gives back an amount that was taken for the same client. */
  give(client: string, amount = 1): void {
    const held = this.of(client) - amount;
    if (held > 0) this.#held.set(client, held);
    else this.#held.delete(client);
    this.#total -= amount;
  }

  /** Moves the amount that one client holds to another name of it, once its process was found. */
  move(from: string, to: string, amount = 1): void {
    this.give(from, amount);
    this.#held.set(to, this.of(to) + amount);
    this.#total += amount;
  }

  /** The client that has most; undefined when nobody has anything. */
  get heaviest(): string | undefined {
    let most = 0;
    let found: string | undefined;
    for (const [client, held] of this.#held)
      if (held > most) {
        most = held;
        found = client;
      }
    return found;
  }
}
