// Spreads what is dear over turns of the loop: a hundred dials at once keep nobody else waiting, and whoever
// has a thousand in the queue keeps the next client waiting for one of them, not for all. Knows nothing of what
// is done in a turn.

/** For whom something is done: one object a connection. Its payer may become better known while it waits. */
export interface TurnClient {
  readonly payer: string;
}

interface Waiting {
  readonly client: TurnClient;
  readonly go: () => void;
}

/** For what no client asked. */
const NOBODY: TurnClient = { payer: "" };

/** So many in a turn; beyond that the payer that had fewest is next, and of its connections the one that had fewest. */
export class FairTurns {
  readonly #perTurn: number;
  #left: number;
  #isCounting = false;
  #waiting: Waiting[] = [];
  /** How many each had since the queue was last short. */
  readonly #had = new Map<string | TurnClient, number>();

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
    this.#left = perTurn;
  }

  /** Undefined, or a promise to await, when it may go on. */
  next(client: TurnClient = NOBODY): Promise<void> | undefined {
    this.#count();
    if (this.#left > 0) {
      this.#left -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push({ client, go: resolve }));
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
    if (this.#waiting.length <= this.#perTurn) {
      const all = this.#waiting.map(({ go }) => go);
      this.#waiting = [];
      this.#had.clear();
      return all;
    }
    const payers = new Map<string, Map<TurnClient, Waiting[]>>();
    for (const [payer, of] of Map.groupBy(this.#waiting, ({ client }) => client.payer))
      payers.set(
        payer,
        Map.groupBy(of, ({ client }) => client),
      );
    const chosen = new Set<Waiting>();
    while (chosen.size < this.#perTurn) {
      const payer = this.#least(payers);
      const clients = payers.get(payer);
      if (clients === undefined) break;
      const client = this.#least(clients);
      const first = clients.get(client)?.shift();
      if (first !== undefined) chosen.add(first);
      if (clients.get(client)?.length === 0) clients.delete(client);
      if (clients.size === 0) payers.delete(payer);
      for (const each of [payer, client]) this.#had.set(each, (this.#had.get(each) ?? 0) + 1);
    }
    this.#waiting = this.#waiting.filter((each) => !chosen.has(each));
    return [...chosen].map(({ go }) => go);
  }

  /** Who had fewest. A newcomer begins where those are who wait: it has the next turn, not all that they had before. */
  #least<K extends string | TurnClient>(waiting: ReadonlyMap<K, unknown>): K {
    let [least] = waiting.keys();
    let fewest = Number.POSITIVE_INFINITY;
    for (const each of waiting.keys()) {
      const had = this.#had.get(each);
      if (had === undefined || had >= fewest) continue;
      fewest = had;
      least = each;
    }
    if (fewest === Number.POSITIVE_INFINITY) fewest = 0;
    for (const each of waiting.keys()) {
      if (this.#had.has(each)) continue;
      this.#had.set(each, fewest);
      least = each;
    }
    return least as K;
  }
}
