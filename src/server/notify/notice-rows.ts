// The questions that a tenant's targets are told, as rows of the database. A row is written in the
// transaction that makes the question or ends it, so that neither a crash nor a target that is away
// loses one. Only the server that holds a target's lease writes how far the target was told.

import { randomBytes } from "node:crypto";
import type { HeldApproval } from "../../api/fleet/protocol.ts";
import { NOTICE_STEPS, type Notice } from "../../host/notices/notice.ts";
import type { OutboxStore, RowChange } from "../../host/notices/outbox.ts";
import { isTier, TIERS, type TierOrUnknown } from "../../model/tier.ts";
import {
  type Database,
  flagOf,
  maybeText,
  numberOf,
  type Row,
  type Tx,
  textOf,
} from "../database/database.ts";
import { DATABASE_MS } from "../leases.ts";
import type { Sealer } from "../sealer.ts";
import { type ServerTarget, targetConfig } from "./server-target.ts";

const SETTLED = NOTICE_STEPS.indexOf("settled");
const KEPT_MS = 24 * 60 * 60_000;

/** Where a question is asked. */
interface Asking {
  readonly tx: Tx;
  readonly sealer: Sealer;
  readonly tenant: string;
  readonly device: { readonly id: string; readonly name: string };
  readonly nowMs: number;
}

/** Notes a hold for every target that should hear of it. */
export async function askNotice(
  { tx, sealer, tenant, device, nowMs }: Asking,
  held: HeldApproval,
): Promise<void> {
  for (const row of await tx.rows("select name, sealed_config from notice_targets")) {
    const target = targetConfig(sealer, tenant, row);
    if (!isWorth(held.tier, target)) continue;
    await writeNotice(tx, target.name, noticeOf(held, device, target), nowMs);
  }
}

/** Writes a question that a target is to be asked; one that is there already stays as it is. */
export async function writeNotice(tx: Tx, target: string, notice: Notice, nowMs: number): Promise<void> {
  await tx.rows(
    "insert into notices (target, subject, nonce, wanted, wanted_step, created_ms, changed_ms) " +
      "values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing",
    [target, notice.subject, notice.nonce, JSON.stringify(notice), NOTICE_STEPS.indexOf(notice.step), nowMs],
  );
}

/** How a question ended. */
export interface NoticeEnd {
  readonly outcome: string;
  readonly by?: string | undefined;
  readonly note?: string | undefined;
  readonly nowMs: number;
}

/** Notes the end of a question; the first end counts. */
export async function settleNotice(
  tx: Tx,
  subject: string,
  { outcome, by, note, nowMs }: NoticeEnd,
): Promise<void> {
  const rows = await tx.rows("select target, wanted from notices where subject = $1 and wanted_step < $2", [
    subject,
    SETTLED,
  ]);
  for (const row of rows) {
    const notice: Notice = {
      ...(JSON.parse(textOf(row, "wanted")) as Notice),
      step: "settled",
      outcome,
      ...(by === undefined ? {} : { by }),
      ...(note === undefined || note === "" ? {} : { note }),
    };
    await tx.rows(
      "update notices set wanted = $3, wanted_step = $4, changed_ms = $5 where target = $1 and subject = $2 and wanted_step < $4",
      [textOf(row, "target"), subject, JSON.stringify(notice), SETTLED, nowMs],
    );
  }
}

/** Forgets questions that have been over for a day. */
export async function pruneNotices(tx: Tx, nowMs: number): Promise<void> {
  await tx.rows(
    "delete from notices where wanted_step >= $1 and (shown_step >= wanted_step or set_aside is not null) and changed_ms < $2",
    [SETTLED, nowMs - KEPT_MS],
  );
}

/** The question behind a button of a target's card; undefined when no card of it has this button. */
export async function noticeOfNonce(tx: Tx, target: string, nonce: string): Promise<Notice | undefined> {
  const asked = await wantedOfNonce(tx, nonce);
  return asked?.target === target ? asked.notice : undefined;
}

/** The question that a nonce stands for, and the target that was told of it. */
export async function wantedOfNonce(
  tx: Tx,
  nonce: string,
): Promise<{ readonly target: string; readonly notice: Notice } | undefined> {
  const [row] = await tx.rows("select target, wanted from notices where nonce = $1", [nonce]);
  if (row === undefined) return undefined;
  return { target: textOf(row, "target"), notice: JSON.parse(textOf(row, "wanted")) as Notice };
}

/** Uses a nonce up; false when it was before. */
export async function useNonce(tx: Tx, nonce: string, nowMs: number): Promise<boolean> {
  const used = await tx.rows(
    "update notices set answered_ms = $2 where nonce = $1 and answered_ms is null returning nonce",
    [nonce, nowMs],
  );
  return used.length > 0;
}

/** The rows of a target, as its outbox wants them. Throws once another server has the target. */
export function leasedStore(
  database: Database,
  { tenant, target, holder }: { readonly tenant: string; readonly target: string; readonly holder: string },
): OutboxStore {
  return {
    async next() {
      const [row] = await database.run({ tenant }, (tx) =>
        tx.rows(
          "select wanted, shown_step, handle, claimed from notices where target = $1 and wanted_step > shown_step " +
            "and set_aside is null order by created_ms, subject limit 1",
          [target],
        ),
      );
      return row === undefined ? undefined : outboxRow(row);
    },
    async change(subject: string, { shown, handle, isClaimed, setAside }: RowChange) {
      const changed = await database.run({ tenant }, (tx) =>
        tx.rows(
          "update notices set shown_step = coalesce($3, shown_step), handle = coalesce($4, handle), " +
            `claimed = coalesce($5, claimed), set_aside = coalesce($6, set_aside), changed_ms = ${DATABASE_MS} ` +
            "where target = $1 and subject = $2 and exists (select 1 from notice_targets where name = $1 and leased_by = $7 " +
            `and leased_until_ms > ${DATABASE_MS}) returning subject`,
          [
            target,
            subject,
            shown === undefined ? null : NOTICE_STEPS.indexOf(shown),
            handle ?? null,
            isClaimed ?? null,
            setAside?.slice(0, 500) ?? null,
            holder,
          ],
        ),
      );
      if (changed.length === 0) throw new Error("another server tells this target by now");
    },
  };
}

function outboxRow(row: Row) {
  return {
    wanted: JSON.parse(textOf(row, "wanted")) as Notice,
    shown: NOTICE_STEPS[numberOf(row, "shown_step")],
    handle: maybeText(row, "handle"),
    isClaimed: flagOf(row, "claimed"),
  };
}

/** A request without a tier may be of any. */
function isWorth(tier: string, { fromTier }: ServerTarget): boolean {
  return !isTier(tier) || TIERS.indexOf(tier) >= TIERS.indexOf(fromTier);
}

function noticeOf(held: HeldApproval, device: Asking["device"], target: ServerTarget): Notice {
  const [first, ...others] = held.evidence;
  const tier: TierOrUnknown = isTier(held.tier) ? held.tier : "unknown";
  return {
    subject: `${device.id}/${held.nonce}`,
    step: "asked",
    nonce: randomBytes(24).toString("base64url"),
    approvalId: held.id,
    digest: held.digest,
    tier,
    protocol: held.protocol,
    command: held.command,
    target: held.port === 0 || held.port === 443 ? held.host : `${held.host}:${held.port}`,
    labels: held.labels,
    request: first?.text ?? "",
    evidence: target.evidence === "full" ? others.map(({ label, text }) => ({ label, text })) : [],
    rule: held.rule,
    reason: held.reason,
    askedBy: [held.agent ?? "", held.run === undefined ? "" : `run ${held.run}`, held.client]
      .filter((each) => each !== "")
      .join(", "),
    machine: device.name,
    createdMs: Math.trunc(held.held_ms),
    expiresMs: Math.trunc(held.ends_ms),
  };
}
