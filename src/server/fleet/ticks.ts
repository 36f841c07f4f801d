// Wakes every call that waits for news of a tenant. Each tenant has a number in the database that
// grows with every decision, roll-out and revocation; one small query for all tenants that somebody
// waits for looks at it, on every server alike, so that it works behind any pooler. A change made
// by this server is told at once.

import { type Database, numberOf, type Tx, textOf } from "../database/database.ts";

/** Time between two looks while somebody waits. */
const LOOK_MS = 400;

/** The parts of a call that makes news. */
interface NewsCall {
  readonly tx: Tx;
  readonly tenant: { readonly id: string };
  readonly afterwards: (work: () => void) => void;
}

/** The news of all tenants. A server has one of these. */
export class Ticks implements Disposable {
  readonly #database: Database;
  readonly #waiters = new Map<string, Set<() => void>>();
  readonly #seen = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Tells others, in the transaction that makes the news; call `wake` once it is committed. */
  static async bump(tx: Tx): Promise<void> {
    await tx.rows("update tenants set tick = tick + 1");
  }

  /** Tells others in the transaction of a call, and wakes those who wait at this server once it is committed. */
  async announce({ tx, tenant, afterwards }: NewsCall): Promise<void> {
    await Ticks.bump(tx);
    afterwards(() => this.wake(tenant.id));
  }

  /** Wakes those who wait at this server. */
  wake(tenant: string): void {
    const waiters = this.#waiters.get(tenant);
    if (waiters === undefined) return;
    this.#waiters.delete(tenant);
    for (const waiter of waiters) waiter();
  }

  /** Resolves when there may be news after the tick that the caller has seen, on abort, or when the time is over. */
  async next(tenant: string, seenTick: number, waitMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || waitMs <= 0 || this.#isClosed) return;
    if ((this.#seen.get(tenant) ?? 0) > seenTick) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = this.#waiters.get(tenant) ?? new Set();
    waiters.add(resolve);
    this.#waiters.set(tenant, waiters);
    const timer = setTimeout(resolve, waitMs);
    signal.addEventListener("abort", () => resolve(), { once: true });
    this.#plan();
    await promise;
    clearTimeout(timer);
    waiters.delete(resolve);
    if (waiters.size === 0 && this.#waiters.get(tenant) === waiters) this.#waiters.delete(tenant);
  }

  /** Whether the server ends. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** How many wait. */
  get waiting(): number {
    return [...this.#waiters.values()].reduce((sum, { size }) => sum + size, 0);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const tenant of [...this.#waiters.keys()]) this.wake(tenant);
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#isLooking || this.#isClosed || this.#waiters.size === 0) return;
    // A part of it by chance, so that many servers do not look at the same moment.
    this.#timer = setTimeout(() => void this.#look(), LOOK_MS * (0.75 + Math.random() / 2));
  }

  async #look(): Promise<void> {
    this.#timer = undefined;
    this.#isLooking = true;
    const wanted = [...this.#waiters.keys()];
    try {
      const rows = await this.#database.run("scan", (tx) =>
        tx.rows(
          "select tenant_id, tick from tenants where tenant_id in (select value from json_array_elements_text($1::text::json))",
          [JSON.stringify(wanted)],
        ),
      );
      for (const row of rows) {
        const tenant = textOf(row, "tenant_id");
        const tick = numberOf(row, "tick");
        const before = this.#seen.get(tenant);
        this.#seen.set(tenant, tick);
        if (before !== tick) this.wake(tenant);
      }
    } catch {
      // The database is away: those who wait go on to wait, and their own queries will say so.
    } finally {
      this.#isLooking = false;
      this.#plan();
    }
  }
}
