// Work that one server at a time does for all of them: telling a target, forwarding to a sink. Each
// row of a table has a holder, which renews its lease in the database; when that server is gone
// another one takes the row over and goes on from what is written. A row that was changed is opened
// again.

import { flagOf, maybeText, numberOf, type Row, type SqlValue, textOf } from "./database/database.ts";
import type { ServerParts } from "./parts.ts";
import { newId } from "./sealer.ts";
import { listTenants, type TenantName } from "./tenants.ts";

/** The database's own clock, by which leases are kept: clocks of servers differ. */
export const DATABASE_MS = "(extract(epoch from clock_timestamp()) * 1000)::bigint";

/** The kind of work of a table with `name`, `sealed_config`, `version`, `leased_by` and `leased_until_ms`. */
export interface LeaseKind<W extends AsyncDisposable> {
  readonly table: "notice_targets" | "forward_sinks";
  /** Opens the work of a row that this server has from now on. */
  open(tenant: TenantName, row: Row, holder: string): W;
  /** At every look, while this server has the row. */
  look(tenant: TenantName, name: string, work: W): Promise<void>;
  /** Written with a renewal: `, problem = $4`, and the values from $4 on. */
  renewal(work: W): Promise<{ readonly set: string; readonly values: readonly SqlValue[] }>;
}

/** One row that this server has. */
interface Held<W> {
  readonly tenant: TenantName;
  readonly name: string;
  readonly version: number;
  readonly work: W;
  renewAtMs: number;
}

const LOOK_MS = 1_000;
/** While no tenant has a row. */
const IDLE_MS = 5_000;
const LEASE_MS = 15_000;

/** The rows of one table that one server has. */
export class Leases<W extends AsyncDisposable> implements AsyncDisposable {
  readonly #parts: ServerParts;
  readonly #kind: LeaseKind<W>;
  readonly #leaseMs: number;
  readonly #id = newId("srv");
  readonly #held = new Map<string, Held<W>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: ServerParts, kind: LeaseKind<W>, leaseMs = LEASE_MS) {
    this.#parts = parts;
    this.#kind = kind;
    this.#leaseMs = leaseMs;
    this.#plan(0);
  }

  /** The works of a tenant that this server has. */
  worksOf(tenant: string): readonly W[] {
    return [...this.#held.values()].filter((held) => held.tenant.id === tenant).map(({ work }) => work);
  }

  /** Rows were changed here: looks at once. */
  look(): void {
    this.#plan(0);
  }

  /** Gives its rows back, so that another server has them at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    for (const held of this.#held.values()) {
      await held.work[Symbol.asyncDispose]();
      await this.#parts.database
        .run({ tenant: held.tenant.id }, (tx) =>
          tx.rows(`update ${this.#kind.table} set leased_until_ms = 0 where name = $1 and leased_by = $2`, [
            held.name,
            this.#id,
          ]),
        )
        // The lease ends by itself.
        .catch(() => undefined);
    }
    this.#held.clear();
  }

  #plan(ms: number): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#looking = this.#looking.then(async () => {
        if (this.#isClosed) return;
        const wait = await this.#look().catch((error: unknown) => {
          this.#parts.log(`${this.#kind.table}_failed`, {
            reason: error instanceof Error ? error.message : String(error),
          });
          return IDLE_MS;
        });
        this.#plan(wait);
      });
    }, ms);
    this.#timer.unref();
  }

  async #look(): Promise<number> {
    const rows = await this.#parts.database.run("scan", (tx) =>
      tx.rows(
        `select tenant_id, name, version, leased_by, leased_until_ms <= ${DATABASE_MS} as is_free from ${this.#kind.table}`,
      ),
    );
    const there = new Set<string>();
    for (const row of rows) {
      const key = keyOf(row);
      there.add(key);
      const held = this.#held.get(key);
      const isOther = maybeText(row, "leased_by") !== this.#id;
      if (held === undefined) {
        if (flagOf(row, "is_free") || !isOther) await this.#take(row);
      } else if ((isOther && !flagOf(row, "is_free")) || held.version !== numberOf(row, "version")) {
        await this.#drop(key);
        if (held.version !== numberOf(row, "version")) await this.#take(row);
      }
    }
    for (const key of [...this.#held.keys()]) if (!there.has(key)) await this.#drop(key);
    for (const [key, held] of this.#held) {
      if (performance.now() >= held.renewAtMs && !(await this.#renew(held))) await this.#drop(key);
      else await this.#kind.look(held.tenant, held.name, held.work);
    }
    return rows.length === 0 ? IDLE_MS : LOOK_MS;
  }

  async #take(row: Row): Promise<void> {
    const [id, name] = [textOf(row, "tenant_id"), textOf(row, "name")];
    const tenant = (await listTenants(this.#parts.database)).find((each) => each.id === id);
    const found = tenant === undefined ? undefined : await this.#lease(id, name, "", []);
    if (tenant === undefined || found === undefined) return;
    const work = this.#kind.open(tenant, found, this.#id);
    const version = numberOf(found, "version");
    this.#held.set(keyOf(row), { tenant, name, version, work, renewAtMs: this.#nextRenewal });
  }

  get #nextRenewal(): number {
    return performance.now() + this.#leaseMs / 4;
  }

  /** Takes or renews a lease; undefined when another server has it. */
  async #lease(
    tenant: string,
    name: string,
    set: string,
    values: readonly SqlValue[],
  ): Promise<Row | undefined> {
    const [row] = await this.#parts.database.run({ tenant }, (tx) =>
      tx.rows(
        `update ${this.#kind.table} set leased_by = $2, leased_until_ms = ${DATABASE_MS} + $3${set} where name = $1 ` +
          `and (leased_by = $2 or leased_until_ms <= ${DATABASE_MS}) returning *`,
        [name, this.#id, this.#leaseMs, ...values],
      ),
    );
    return row;
  }

  async #renew(held: Held<W>): Promise<boolean> {
    const { set, values } = await this.#kind.renewal(held.work);
    held.renewAtMs = this.#nextRenewal;
    return (await this.#lease(held.tenant.id, held.name, set, values)) !== undefined;
  }

  async #drop(key: string): Promise<void> {
    const held = this.#held.get(key);
    this.#held.delete(key);
    await held?.work[Symbol.asyncDispose]();
  }
}

function keyOf(row: Row): string {
  return `${textOf(row, "tenant_id")}/${textOf(row, "name")}`;
}
