// Break glass: an administrator takes, for a while and with a reason, the right to publish alone
// what widens. It is written among the acts, which everybody sees. It lets nobody allow what his
// own device asks.

import { writeAct } from "../audit/acts.ts";
import type { Tx } from "../database/database.ts";
import type { ServerPrincipal } from "./principal.ts";

/** Its name among the acts. */
const ACT = "break-glass.begin";
/** How long it lasts. */
export const BREAK_GLASS_MS = 60 * 60_000;

/** Begins it. */
export async function beginBreakGlass(
  tx: Tx,
  principal: ServerPrincipal,
  reason: string,
  nowMs: number,
): Promise<number> {
  const until = nowMs + BREAK_GLASS_MS;
  await writeAct(tx, nowMs, principal.id, ACT, principal.id, { reason, until_ms: until });
  return until;
}

/** Whether it lasts for this person. The row of its beginning is never changed, so neither is its end. */
export async function hasBreakGlass(tx: Tx, principal: ServerPrincipal, nowMs: number): Promise<boolean> {
  const rows = await tx.rows("select id from acts where act = $1 and who = $2 and at_ms > $3 limit 1", [
    ACT,
    principal.id,
    nowMs - BREAK_GLASS_MS,
  ]);
  return rows.length > 0;
}
