// Spreads costly work over turns of the loop: a hundred dials at once keep nobody else waiting, and
// anyone who has a thousand in the queue keeps the next client waiting for one of them, not for
// all. Knows nothing of the work in a turn.

/**
 * So many in a turn; beyond that the payer that had fewest is next, and of its connections the one that had fewest.
 * A client is one object a connection; who pays for it may become better known while it waits.
 */
export class FairTurns<C extends object> {
  readonly #perTurn: number;
  readonly #payerOf: (client: C | undefined) => string;
  #left: number;
  #isCounting = false;
  /** By connection, in the order of coming. */
  readonly #waiting = new Map<C, (() => void)[]>();
  #waitingCount = 0;
  /** How many each had since the queue was last short. */
  readonly #had = new Map<string | C, number>();
  /** Work that belongs to no client takes its turn under this key. */
  readonly #nobody = {} as C;

  constructor(perTurn: number, payerOf: (client: C | undefined) => string) {
    this.#perTurn = perTurn;
    this.#left = perTurn;
    this.#payerOf = payerOf;
  }

  /** Undefined, or a promise to await, when it may go on. */
  next(client: C | undefined): Promise<void> | undefined {
    // Anyone who does one thing after the other hardly ever pays for a look at the next turn.
    if (this.#left <= this.#perTurn / 2) this.#count();
    if (this.#left > 0) {
      this.#left -= 1;
      return undefined;
    }
    return new Promise((resolve) => {
      const key = client ?? this.#nobody;
      const queue = this.#waiting.get(key);
      if (queue) queue.push(resolve);
      else this.#waiting.set(key, [resolve]);
      this.#waitingCount += 1;
    });
  }

  #payer(client: C): string {
    return this.#payerOf(client === this.#nobody ? undefined : client);
  }

  #count(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    setImmediate(() => {
      this.#isCounting = false;
      const going = this.#choose();
      this.#left = this.#perTurn - going.length;
      if (going.length > 0) this.#count();
      for (const each of going) each();
    });
  }

  #choose(): (() => void)[] {
    if (this.#waitingCount <= this.#perTurn) {
      const all = [...this.#waiting.values()].flat();
      this.#waiting.clear();
      this.#waitingCount = 0;
      this.#had.clear();
      return all;
    }
    const payers = new Map<string, Map<C, (() => void)[]>>();
    for (const [client, queue] of this.#waiting) {
      const payer = this.#payer(client);
      const clients = payers.get(payer);
      if (clients) clients.set(client, queue);
      else payers.set(payer, new Map([[client, queue]]));
    }
    const chosen: (() => void)[] = [];
    while (chosen.length < this.#perTurn) {
      const payer = this.#least(payers);
      const clients = payers.get(payer);
      if (clients === undefined) break;
      const client = this.#least(clients);
      const queue = clients.get(client);
      const first = queue?.shift();
      if (first !== undefined) chosen.push(first);
      if (queue === undefined || queue.length === 0) {
        clients.delete(client);
        this.#waiting.delete(client);
      }
      if (clients.size === 0) payers.delete(payer);
      for (const each of [payer, client]) this.#had.set(each, (this.#had.get(each) ?? 0) + 1);
    }
    this.#waitingCount -= chosen.length;
    return chosen;
  }

  /** Who had fewest. A newcomer begins where those are who wait: it has the next turn, not all that they had before. */
  #least<K extends string | C>(waiting: ReadonlyMap<K, unknown>): K {
    let least: K | undefined;
    let newcomer: K | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const each of waiting.keys()) {
      const had = this.#had.get(each);
      if (had === undefined) newcomer ??= each;
      else if (had < fewest) {
        fewest = had;
        least = each;
      }
    }
    if (newcomer === undefined) return least as K;
    this.#had.set(newcomer, least === undefined ? 0 : fewest);
    return newcomer;
  }
}
