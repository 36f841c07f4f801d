// Asks that wait on devices, as the devices tell: which wait, and how they ended. A hold is known
// by its nonce, so that the same request that waits again is another one. Nothing that a device
// says here decides anything.

import { type FleetInput, type FleetOutput, type HeldApproval, TOLD_MAX } from "../../api/fleet/protocol.ts";
import { textOf } from "../database/database.ts";
import { type DeviceCall, standing } from "../fleet/sync.ts";
import { Problem } from "../http/problem.ts";
import { askNotice, settleNotice } from "../notify/notice-rows.ts";

/** Takes news of holds. */
export async function takeApprovals(
  call: DeviceCall,
  input: FleetInput<"approvals">,
): Promise<FleetOutput<"approvals">> {
  const { tx, device, nowMs, parts } = call;
  if (input.held.length + input.ended.length > TOLD_MAX)
    throw new Problem(400, "bad-input", `at most ${TOLD_MAX} at once`);
  for (const held of input.held) {
    checkHeld(held);
    const fresh = await tx.rows(
      "insert into approvals (device_id, nonce, approval_id, digest, tier, body, state, held_ms, ends_ms) " +
        "values ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8) on conflict do nothing returning nonce",
      [
        device.id,
        held.nonce,
        held.id,
        held.digest,
        held.tier,
        JSON.stringify(held),
        Math.trunc(held.held_ms),
        Math.trunc(held.ends_ms),
      ],
    );
    if (fresh.length > 0) await askNotice({ ...call, sealer: parts.sealer }, held);
  }
  for (const ended of input.ended) {
    await tx.rows(
      "update approvals set state = 'ended', outcome = $3, ended_ms = $4, decided_by = coalesce(decided_by, $5) " +
        "where device_id = $1 and nonce = $2 and state <> 'ended'",
      [device.id, ended.nonce, ended.outcome, Math.trunc(ended.ended_ms), ended.by?.slice(0, 200) ?? null],
    );
    const { outcome, by } = ended;
    await settleNotice(tx, `${device.id}/${ended.nonce}`, { outcome, by: by?.slice(0, 200), nowMs });
  }
  // The device lists all that wait: one that is missing ended while the server was not reachable.
  if (input.waiting !== undefined) {
    const gone = await tx.rows(
      "update approvals set state = 'ended', outcome = 'withdrawn', ended_ms = $3 where device_id = $1 and state <> 'ended' " +
        "and nonce not in (select value from json_array_elements_text($2::text::json)) returning nonce",
      [device.id, JSON.stringify(input.waiting), nowMs],
    );
    for (const row of gone)
      await settleNotice(tx, `${device.id}/${textOf(row, "nonce")}`, { outcome: "withdrawn", nowMs });
  }
  return standing(nowMs);
}

/** Ends the holds that no device will end: those that expired a while ago. */
export async function endOverdue(call: Pick<DeviceCall, "tx" | "nowMs">): Promise<number> {
  const ended = await call.tx.rows(
    "update approvals set state = 'ended', outcome = 'timed_out', ended_ms = $1 where state <> 'ended' and ends_ms < $2 returning device_id, nonce",
    [call.nowMs, call.nowMs - OVERDUE_MS],
  );
  for (const row of ended)
    await settleNotice(call.tx, `${textOf(row, "device_id")}/${textOf(row, "nonce")}`, {
      outcome: "timed_out",
      nowMs: call.nowMs,
    });
  return ended.length;
}

const OVERDUE_MS = 5 * 60_000;

function checkHeld(held: HeldApproval): void {
  const isWhole =
    /^[0-9a-f]{32}$/.test(held.nonce) &&
    held.id.length <= 100 &&
    held.digest.length <= 200 &&
    held.evidence.length <= 50 &&
    Number.isSafeInteger(Math.trunc(held.held_ms)) &&
    Number.isSafeInteger(Math.trunc(held.ends_ms));
  if (!isWhole) throw new Problem(400, "bad-input", `hold '${held.id.slice(0, 40)}' is not whole`);
}

/** The hold that a row carries. */
export function heldOf(row: Readonly<Record<string, unknown>>): HeldApproval {
  return JSON.parse(textOf(row, "body")) as HeldApproval;
}
