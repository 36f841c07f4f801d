// Wakes calls that wait for news of a tenant. Each tenant has a number in the database that grows
// with every decision, roll-out and revocation; one small query for all tenants that somebody waits
// for looks at it, on every server alike, so that it works behind any pooler. A change made by this
// server is told at once, and news of one device only to that device.

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
  /** The waiting calls of each tenant, with their devices. */
  readonly #waiters = new Map<string, Map<() => void, string>>();
  readonly #seen = new Map<string, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Tells others, in the transaction that makes the news; call `wake` once it is committed. Gives the new number. */
  static async bump(tx: Tx): Promise<number> {
    const [row] = await tx.rows("update tenants set tick = tick + 1 returning tick");
    return row === undefined ? 0 : numberOf(row, "tick");
  }

  /**
   * Tells others in the transaction of a call, and wakes those who wait at this server once it is committed: all of
   * the tenant, or the one device that the news is about.
   */
  async announce({ tx, tenant, afterwards }: NewsCall, device?: string): Promise<void> {
    const tick = await Ticks.bump(tx);
    afterwards(() => {
      if (device === undefined) return this.wake(tenant.id);
      // Nothing else has happened in between: the next look need not wake everybody for it.
      if (this.#seen.get(tenant.id) === tick - 1) this.#seen.set(tenant.id, tick);
      for (const [wake, waiting] of [...(this.#waiters.get(tenant.id) ?? [])]) if (waiting === device) wake();
    });
  }

  /** Wakes all of a tenant who wait at this server. */
  wake(tenant: string): void {
    const waiters = this.#waiters.get(tenant);
    if (waiters === undefined) return;
    this.#waiters.delete(tenant);
    for (const waiter of waiters.keys()) waiter();
  }

  /** Resolves when there may be news after the tick that the caller has seen, on abort, or when the time is over. */
  async next(
    { tenant, device }: { readonly tenant: string; readonly device: string },
    seenTick: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<void> {
    if (signal.aborted || waitMs <= 0 || this.#isClosed) return;
    if ((this.#seen.get(tenant) ?? 0) > seenTick) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiters = this.#waiters.get(tenant) ?? new Map<() => void, string>();
    waiters.set(resolve, device);
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
