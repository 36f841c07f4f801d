// The acts of people and devices at the server: one row each, written in the transaction of the
// act, never changed.

import type { Tx } from "../database/database.ts";
import { newId } from "../sealer.ts";

/** Writes one. `who` is a person's, a token's or a device's id; `about` the id of the act's object. */
export async function writeAct(
  tx: Tx,
  nowMs: number,
  who: string,
  act: string,
  about: string,
  details: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await tx.rows("insert into acts (id, at_ms, who, act, about, details) values ($1, $2, $3, $4, $5, $6)", [
    newId("act"),
    nowMs,
    who,
    act,
    about,
    JSON.stringify(details),
  ]);
}
