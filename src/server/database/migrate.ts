// Brings a database to the schema of this program. Whoever comes first holds a lock for the time of
// one step; others wait and find it done. A database that is newer than the program is left alone:
// servers of two versions may run side by side, since a step only adds things that the version
// before ignores.

import type { Database, Row, Tx } from "./database.ts";
import { numberOf, sqlState } from "./database.ts";
import { MIGRATIONS, type Migration } from "./migrations.ts";
import { partition } from "./tenant-table.ts";

/** The result of a migration, in schema versions. */
export interface MigrateReport {
  readonly before: number;
  readonly after: number;
  readonly applied: readonly string[];
}

/** Any number that no other program of this database uses; held to the end of a transaction. */
const LOCK = 4_826_190_773;
/** A step that cannot have its lock gives way to the readers and is tried again. */
const LOCK_TIMEOUT = "3s";
const LOCK_NOT_AVAILABLE = "55P03";
const MAX_TRIES = 40;

/** Applies the missing steps. Throws, with nothing half done, when a step fails. */
export async function migrate(
  database: Database,
  steps: readonly Migration[] = MIGRATIONS,
): Promise<MigrateReport> {
  const applied: string[] = [];
  let before: number | undefined;
  for (let tries = 1; ; ) {
    const done = await database
      .asOwner((tx) => nextStep(tx, steps))
      .catch((error: unknown) => {
        if (sqlState(error) !== LOCK_NOT_AVAILABLE || tries === MAX_TRIES) throw error;
      });
    if (done === undefined) {
      tries += 1;
      continue;
    }
    before ??= done.before;
    if (done.name === undefined) return { before, after: done.before, applied };
    applied.push(done.name);
    tries = 1;
  }
}

/** Applies the step that is next, in one transaction; without a name when there is none. */
async function nextStep(
  tx: Tx,
  steps: readonly Migration[],
): Promise<{ readonly before: number; readonly name?: string }> {
  const before = await lockedVersion(tx);
  const next = steps.find((step) => step.version === before + 1);
  if (next === undefined) return { before };
  for (const statement of next.statements) await tx.rows(statement);
  await tx.rows("insert into schema_steps (version, name, done_ms) values ($1, $2, $3)", [
    next.version,
    next.name,
    Date.now(),
  ]);
  return { before, name: next.name };
}

/** The version of a database; 0 when it was never prepared. */
export async function schemaVersion(database: Database): Promise<number> {
  return database.asOwner(async (tx) => {
    const [found] = await tx.rows("select to_regclass('public.schema_steps')::text as name");
    return found?.name === null || found === undefined ? 0 : versionIn(tx);
  });
}

/** Makes the pieces of the audit table for this month and the next, so that rows need not go into the rest. */
export async function preparePartitions(database: Database, nowMs: number): Promise<void> {
  const now = new Date(nowMs);
  for (const ahead of [0, 1]) {
    const from = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
    const to = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead + 1, 1));
    const suffix = partitionDay(from.getTime()).slice(0, 7).replace("-", "_");
    const bounds = `for values from ('${partitionDay(from.getTime())}') to ('${partitionDay(to.getTime())}')`;
    await database.asOwner(async (tx) => {
      const [found] = await tx.rows("select to_regclass($1)::text as name", [`public.audit_rows_${suffix}`]);
      if (found?.name !== null && found !== undefined) return;
      await tx.rows("select pg_advisory_xact_lock($1::bigint)", [String(LOCK)]);
      for (const statement of partition("audit_rows", suffix, bounds)) await tx.rows(statement);
    });
  }
}

/** Drops the pieces of months that ended before `beforeMs`; gives their names. */
export async function dropPartitions(database: Database, beforeMs: number): Promise<readonly string[]> {
  return database.asOwner(async (tx) => {
    const pieces = await tx.rows(
      "select c.relname::text as name from pg_inherits i join pg_class c on c.oid = i.inhrelid " +
        "where i.inhparent = 'audit_rows'::regclass",
    );
    const ended = pieces.map(({ name }) => String(name)).filter((name) => endOf(name) <= beforeMs);
    for (const name of ended) await tx.rows(`drop table ${name}`);
    return ended;
  });
}

/** `2026-11-29`, in UTC. */
export function partitionDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function endOf(name: string): number {
  const match = /^audit_rows_(\d{4})_(\d\d)$/.exec(name);
  return match === null ? Number.POSITIVE_INFINITY : Date.UTC(Number(match[1]), Number(match[2]), 1);
}

async function lockedVersion(tx: Tx): Promise<number> {
  // Another that migrates is waited for as long as it takes; the tables' readers only for a moment.
  await tx.rows("select pg_advisory_xact_lock($1::bigint)", [String(LOCK)]);
  await tx.rows(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
  await tx.rows(
    "create table if not exists schema_steps (version integer primary key, name text not null, done_ms bigint not null)",
  );
  return versionIn(tx);
}

async function versionIn(tx: Tx): Promise<number> {
  const [row] = await tx.rows("select coalesce(max(version), 0) as version from schema_steps");
  return numberOf(row as Row, "version");
}
