// Tells the targets of all tenants of requests that wait. Each target has one server at a time,
// which holds a lease in the database; when it is gone another one takes over and goes on from the
// rows. The sending itself is the daemon's own outbox. Nothing here decides; clicks are
// card-clicks.ts.

import { noticeOpener } from "../../host/notices/notice-targets.ts";
import { Outbox } from "../../host/notices/outbox.ts";
import { flagOf, maybeText, numberOf, type Row, textOf } from "../database/database.ts";
import type { ServerParts } from "../parts.ts";
import { newId } from "../sealer.ts";
import { listTenants, type TenantName } from "../tenants.ts";
import { takeClick } from "./card-clicks.ts";
import { DATABASE_MS, leasedStore, settleNotice } from "./notice-rows.ts";
import { targetConfig } from "./server-target.ts";

/** How a server tells. */
export interface TenantNoticesOptions {
  /** Targets may be in private networks: the server's operator says so, not a tenant. */
  readonly reachPrivate: boolean;
  /** A server that is gone is missed after this. */
  readonly leaseMs?: number;
}

/** A target that this server has. */
interface Held {
  readonly tenant: TenantName;
  readonly name: string;
  readonly version: number;
  readonly outbox: Outbox;
  /** As far as the database knows. */
  delivered: number;
  renewAtMs: number;
}

const LOOK_MS = 1_000;
/** While no tenant has a target. */
const IDLE_MS = 5_000;
const LEASE_MS = 15_000;

/** The outboxes of one server. */
export class TenantNotices implements AsyncDisposable {
  readonly #parts: ServerParts;
  readonly #options: TenantNoticesOptions;
  readonly #id = newId("srv");
  readonly #held = new Map<string, Held>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: ServerParts, options: TenantNoticesOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#plan(0);
  }

  /** Whether a tenant's target may be in a private network. */
  get reachPrivate(): boolean {
    return this.#options.reachPrivate;
  }

  /** There may be something to tell for a tenant, or another target. */
  hurry(tenant: string): void {
    for (const held of this.#held.values()) if (held.tenant.id === tenant) held.outbox.hurry();
  }

  /** Targets were changed here: looks at once. */
  look(): void {
    this.#plan(0);
  }

  /** Gives its targets back, so that another server has them at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    for (const held of this.#held.values()) {
      await held.outbox[Symbol.asyncDispose]();
      await this.#parts.database
        .run({ tenant: held.tenant.id }, (tx) =>
          tx.rows("update notice_targets set leased_until_ms = 0 where name = $1 and leased_by = $2", [
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
          this.#parts.log("notices_failed", {
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
    const { database } = this.#parts;
    const rows = await database.run("scan", (tx) =>
      tx.rows(
        `select tenant_id, name, version, leased_by, leased_until_ms <= ${DATABASE_MS} as is_free from notice_targets`,
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
      else await this.#hurryDue(held);
    }
    return rows.length === 0 ? IDLE_MS : LOOK_MS;
  }

  async #take(row: Row): Promise<void> {
    const { database, sealer, log } = this.#parts;
    const [id, name] = [textOf(row, "tenant_id"), textOf(row, "name")];
    const tenant = (await listTenants(database)).find((each) => each.id === id);
    const found = tenant === undefined ? undefined : await this.#lease(id, name);
    if (tenant === undefined || found === undefined) return;
    const config = targetConfig(sealer, id, found);
    const turned = (what: string) => (problem: string | undefined) =>
      log(problem === undefined ? `${what}_resumed` : `${what}_failed`, {
        tenant: tenant.slug,
        target: name,
        ...(problem === undefined ? {} : { reason: problem }),
      });
    const sender = noticeOpener(config)({
      proxyFor: () => "",
      reach: this.#options.reachPrivate ? "private" : "public",
      onClick: (click) => void takeClick(this.#parts, tenant, config, click),
      onTurn: turned("answers"),
    });
    const outbox = new Outbox({
      store: leasedStore(database, { tenant: id, target: name, holder: this.#id }),
      sender,
      onTurn: turned("notices"),
      onSetAside: (notice, reason) =>
        log("notice_set_aside", { tenant: tenant.slug, target: name, approval: notice.approvalId, reason }),
    });
    const version = numberOf(found, "version");
    this.#held.set(keyOf(row), { tenant, name, version, outbox, delivered: 0, renewAtMs: this.#nextRenewal });
  }

  get #leaseMs(): number {
    return this.#options.leaseMs ?? LEASE_MS;
  }

  get #nextRenewal(): number {
    return performance.now() + this.#leaseMs / 4;
  }

  /** Takes or renews a lease; undefined when another server has it. */
  async #lease(tenant: string, name: string, set = "", values: readonly (string | number | null)[] = []) {
    const [row] = await this.#parts.database.run({ tenant }, (tx) =>
      tx.rows(
        `update notice_targets set leased_by = $2, leased_until_ms = ${DATABASE_MS} + $3${set} where name = $1 ` +
          `and (leased_by = $2 or leased_until_ms <= ${DATABASE_MS}) returning name, sealed_config, version`,
        [name, this.#id, this.#leaseMs, ...values],
      ),
    );
    return row;
  }

  async #renew(held: Held): Promise<boolean> {
    const { delivered, lastDeliveredMs, problem, failingSinceMs } = held.outbox.state;
    const more = delivered - held.delivered;
    const row = await this.#lease(
      held.tenant.id,
      held.name,
      ", delivered = delivered + $4, last_delivered_ms = coalesce($5::bigint, last_delivered_ms), problem = $6, failing_since_ms = $7",
      [
        more,
        lastDeliveredMs ?? null,
        (problem ?? held.outbox.problem)?.slice(0, 500) ?? null,
        failingSinceMs ?? null,
      ],
    );
    held.delivered = delivered;
    held.renewAtMs = this.#nextRenewal;
    return row !== undefined;
  }

  /** Wakes the outbox when there is something for it, and ends tests that have arrived. */
  async #hurryDue({ tenant, name, outbox }: Held): Promise<void> {
    const { database, nowMs } = this.#parts;
    const isDue = await database.run({ tenant: tenant.id }, async (tx) => {
      const over = await tx.rows(
        "select subject from notices where target = $1 and subject like 'test/%' and shown_step >= 0 and wanted_step < 2",
        [name],
      );
      for (const row of over)
        await settleNotice(tx, textOf(row, "subject"), { outcome: "the test is over", nowMs: nowMs() });
      const due = await tx.rows(
        "select 1 as due from notices where target = $1 and wanted_step > shown_step and set_aside is null limit 1",
        [name],
      );
      return due.length > 0;
    });
    if (isDue) outbox.hurry();
  }

  async #drop(key: string): Promise<void> {
    const held = this.#held.get(key);
    this.#held.delete(key);
    await held?.outbox[Symbol.asyncDispose]();
  }
}

function keyOf(row: Row): string {
  return `${textOf(row, "tenant_id")}/${textOf(row, "name")}`;
}
