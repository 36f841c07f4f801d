// Changes of a tenant's signing keys and of its epoch, by the operator. A key is pinned by devices
// before it signs, and is retired when none needs it: a device that missed all of that is enrolled
// again. A new epoch lets policies begin again where the database was put back to an earlier state.

import { UserError } from "../model/user-error.ts";
import { writeAct } from "./audit/acts.ts";
import { type Database, maybeNumber, numberOf, textOf } from "./database/database.ts";
import type { Sealer } from "./sealer.ts";
import { addKey, tenantSigningKey } from "./tenants.ts";

/** A tenant's key, as it is listed. */
export interface KeyEntry {
  readonly id: string;
  readonly state: "signs" | "pinned" | "retired";
  readonly created_ms: number;
  readonly signs_from_ms: number;
}

/** Makes a key that signs from a time on; gives its id. */
export function rotateKey(
  database: Database,
  sealer: Sealer,
  tenant: string,
  { nowMs, signsFromMs }: { readonly nowMs: number; readonly signsFromMs: number },
): Promise<string> {
  return database.run({ tenant }, async (tx) => {
    const id = await addKey(tx, sealer, tenant, nowMs, signsFromMs);
    await writeAct(tx, nowMs, "operator", "key.add", id, { signs_from_ms: signsFromMs });
    return id;
  });
}

/** The keys, latest first. */
export function listKeys(
  database: Database,
  sealer: Sealer,
  tenant: string,
  nowMs: number,
): Promise<readonly KeyEntry[]> {
  return database.run({ tenant }, async (tx) => {
    const signing = (await tenantSigningKey(tx, sealer, tenant, nowMs)).id;
    const rows = await tx.rows("select * from tenant_keys order by created_ms desc, id");
    return rows.map((row) => {
      const id = textOf(row, "id");
      const isRetired = maybeNumber(row, "retired_ms") !== undefined;
      return {
        id,
        state: isRetired ? "retired" : id === signing ? "signs" : "pinned",
        created_ms: numberOf(row, "created_ms"),
        signs_from_ms: numberOf(row, "signs_from_ms"),
      };
    });
  });
}

/** Retires a key that signs no longer. Throws a `UserError` for the one that does. */
export function retireKey(
  database: Database,
  sealer: Sealer,
  { tenant, id, nowMs }: { readonly tenant: string; readonly id: string; readonly nowMs: number },
): Promise<void> {
  return database.run({ tenant }, async (tx) => {
    const signing = await tenantSigningKey(tx, sealer, tenant, nowMs);
    if (signing.id === id)
      throw new UserError(`'${id}' is the key that signs`, { hint: "iddio server key rotate <tenant>" });
    const retired = await tx.rows(
      "update tenant_keys set retired_ms = $2 where id = $1 and retired_ms is null returning id",
      [id, nowMs],
    );
    if (retired.length === 0)
      throw new UserError(`there is no key '${id}'`, { hint: "iddio server key list <tenant>" });
    await writeAct(tx, nowMs, "operator", "key.retire", id);
  });
}

/** Begins a new epoch: devices take its revisions whatever they had before. */
export function beginEpoch(database: Database, tenant: string, nowMs: number): Promise<number> {
  return database.run({ tenant }, async (tx) => {
    const [row] = await tx.rows("update tenants set epoch = epoch + 1, tick = tick + 1 returning epoch");
    if (row === undefined) throw new Error("no tenant");
    const epoch = numberOf(row, "epoch");
    await writeAct(tx, nowMs, "operator", "epoch.begin", String(epoch));
    return epoch;
  });
}
