// Tells the targets of all tenants of requests that wait: one outbox a target, at the server that
// holds its lease. The sending itself is the daemon's own outbox. Nothing here decides; clicks are
// card-clicks.ts, callbacks webhook-replies.ts.

import { noticeOpener } from "../../host/notices/notice-targets.ts";
import { Outbox } from "../../host/notices/outbox.ts";
import { type Row, type SqlValue, textOf } from "../database/database.ts";
import { type LeaseKind, Leases } from "../leases.ts";
import type { ServerParts } from "../parts.ts";
import type { TenantName } from "../tenants.ts";
import { takeClick } from "./card-clicks.ts";
import { leasedStore, settleNotice } from "./notice-rows.ts";
import { targetConfig } from "./server-target.ts";

/** How a server tells. */
export interface TenantNoticesOptions {
  /** Targets may be in private networks: the server's operator says so, not a tenant. */
  readonly reachPrivate: boolean;
  /** A server that is gone is missed after this. */
  readonly leaseMs?: number;
}

/** A target that this server has. */
class Telling implements AsyncDisposable {
  readonly outbox: Outbox;
  /** As far as the database knows. */
  #delivered = 0;

  constructor(outbox: Outbox) {
    this.outbox = outbox;
  }

  /** How it goes, for the target's row. */
  renewal(): { readonly set: string; readonly values: readonly SqlValue[] } {
    const { delivered, lastDeliveredMs, problem, failingSinceMs } = this.outbox.state;
    const more = delivered - this.#delivered;
    this.#delivered = delivered;
    return {
      set: ", delivered = delivered + $4, last_delivered_ms = coalesce($5::bigint, last_delivered_ms), problem = $6, failing_since_ms = $7",
      values: [
        more,
        lastDeliveredMs ?? null,
        (problem ?? this.outbox.problem)?.slice(0, 500) ?? null,
        failingSinceMs ?? null,
      ],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.outbox[Symbol.asyncDispose]();
  }
}

/** The outboxes of one server. */
export class TenantNotices implements AsyncDisposable {
  readonly #leases: Leases<Telling>;
  /** Whether a tenant's target may be in a private network. */
  readonly reachPrivate: boolean;

  constructor(parts: ServerParts, { reachPrivate, leaseMs }: TenantNoticesOptions) {
    this.reachPrivate = reachPrivate;
    this.#leases = new Leases(parts, kindOf(parts, reachPrivate), leaseMs);
  }

  /** There may be something to tell for a tenant, or another target. */
  hurry(tenant: string): void {
    for (const { outbox } of this.#leases.worksOf(tenant)) outbox.hurry();
  }

  /** Targets were changed here: looks at once. */
  look(): void {
    this.#leases.look();
  }

  /** Gives its targets back, so that another server has them at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leases[Symbol.asyncDispose]();
  }
}

function kindOf(parts: ServerParts, reachPrivate: boolean): LeaseKind<Telling> {
  return {
    table: "notice_targets",
    open: (tenant, row, holder) => new Telling(openOutbox(parts, tenant, row, { holder, reachPrivate })),
    look: (tenant, name, { outbox }) => hurryDue(parts, tenant, name, outbox),
    renewal: async (telling) => telling.renewal(),
  };
}

function openOutbox(
  parts: ServerParts,
  tenant: TenantName,
  row: Row,
  { holder, reachPrivate }: { readonly holder: string; readonly reachPrivate: boolean },
): Outbox {
  const { database, sealer, log } = parts;
  const config = targetConfig(sealer, tenant.id, row);
  const { name } = config;
  const turned = (what: string) => (problem: string | undefined) =>
    log(problem === undefined ? `${what}_resumed` : `${what}_failed`, {
      tenant: tenant.slug,
      target: name,
      ...(problem === undefined ? {} : { reason: problem }),
    });
  const sender = noticeOpener(config)({
    proxyFor: () => "",
    reach: reachPrivate ? "private" : "public",
    onClick: (click) => void takeClick(parts, tenant, config, click),
    onTurn: turned("answers"),
  });
  return new Outbox({
    store: leasedStore(database, { tenant: tenant.id, target: name, holder }),
    sender,
    onTurn: turned("notices"),
    onSetAside: (notice, reason) =>
      log("notice_set_aside", { tenant: tenant.slug, target: name, approval: notice.approvalId, reason }),
  });
}

/** Wakes the outbox when there is something for it, and ends tests that have arrived. */
async function hurryDue(
  { database, nowMs }: ServerParts,
  tenant: TenantName,
  name: string,
  outbox: Outbox,
): Promise<void> {
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
