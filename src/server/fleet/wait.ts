// The long poll of a device: answers at once when there is a decision or another policy, else when
// there is, or when the time is over. No transaction is open while it waits.

import type { FleetInput, FleetOutput, PolicyPosition, SignedText } from "../../api/fleet/protocol.ts";
import { isNewerPosition } from "../../api/fleet/signed.ts";
import { numberOf, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import type { ServerParts } from "../parts.ts";
import { currentTenant } from "../tenants.ts";
import { findDevice } from "./device.ts";
import { positionsOf, standing } from "./sync.ts";

const MAX_WAIT_MS = 55_000;
const MAX_DECISIONS = 100;

type Reply = FleetOutput<"wait">;

/** Waits for news of a device that has been authenticated. */
export async function waitForNews(
  parts: ServerParts,
  who: { readonly tenant: string; readonly device: string },
  input: FleetInput<"wait">,
  signal: AbortSignal,
): Promise<Reply> {
  const until = performance.now() + Math.min(MAX_WAIT_MS, Math.max(0, input.wait_ms));
  for (let looks = 0; ; looks += 1) {
    const { reply, tick, hasNews } = await look(parts, who, input, looks === 0);
    const left = until - performance.now();
    // A server that ends answers everybody who waits, and waits for nobody.
    if (hasNews || left <= 0 || signal.aborted || parts.ticks.isClosed) return reply;
    await parts.ticks.next(who, tick, left, signal);
  }
}

async function look(
  { database, nowMs }: ServerParts,
  who: { readonly tenant: string; readonly device: string },
  input: FleetInput<"wait">,
  isFirst: boolean,
): Promise<{ readonly reply: Reply; readonly tick: number; readonly hasNews: boolean }> {
  return database.run({ tenant: who.tenant }, async (tx) => {
    const tenant = await currentTenant(tx);
    const device = await findDevice(tx, who.device);
    if (tenant === undefined || device === undefined)
      throw new Problem(401, "unknown-device", "this server knows no such device");
    if (device.revokedMs !== undefined) throw new Problem(403, "revoked", "the device is revoked");
    if (isFirst) await tx.rows("update devices set seen_ms = $2 where id = $1", [device.id, nowMs()]);
    const positions = await positionsOf(tx, device);
    const rows = await tx.rows(
      "select decision, decision_seq from approvals where device_id = $1 and decision_seq > $2 and state = 'decided' " +
        `order by decision_seq limit ${MAX_DECISIONS}`,
      [device.id, input.after],
    );
    const decisions = rows.map((row) => JSON.parse(textOf(row, "decision")) as SignedText);
    const last = rows.at(-1);
    return {
      tick: tenant.tick,
      hasNews:
        decisions.length > 0 ||
        isNews(positions.policy, input.policy) ||
        isNews(positions.dry_policy, input.dry_policy) ||
        // The trial of a policy has ended.
        (positions.dry_policy === undefined && input.dry_policy !== undefined),
      reply: {
        ...standing(nowMs()),
        ...positions,
        decisions,
        cursor: last === undefined ? input.after : numberOf(last, "decision_seq"),
      },
    };
  });
}

/** A device takes no older policy, so it is not woken for one. */
function isNews(wanted: PolicyPosition | undefined, has: PolicyPosition | undefined): boolean {
  return wanted !== undefined && (has === undefined || isNewerPosition(wanted, has));
}
