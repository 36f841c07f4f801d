// PostgreSQL by Bun's own client. Works behind a pooler in transaction mode: no named statements,
// no session state; the tenant and the role are set for one transaction. Owns the pool.

import type { Database, Row, Scope, SqlValue, Tx } from "./database.ts";
import { scopeStatement } from "./database.ts";

/** How the pool is made. */
export interface PostgresOptions {
  /** Where requests are answered: `postgres://…`. */
  readonly url: string;
  /** The owner's connection, for migrations; the same unless given. */
  readonly ownerUrl?: string;
  readonly maxConnections?: number;
}

/** The methods of Bun's client that are used. */
interface Unsafe {
  unsafe(text: string, values?: unknown[]): Promise<unknown>;
}

/** Connects when the first query comes. */
export function openPostgres(options: PostgresOptions): Database {
  const open = (url: string, max: number) =>
    new Bun.SQL({ url, max, prepare: false, idleTimeout: 60, connectionTimeout: 15, bigint: false });
  const pool = open(options.url, options.maxConnections ?? 10);
  const owner = options.ownerUrl === undefined ? pool : open(options.ownerUrl, 2);
  return {
    kind: "postgres",
    run: <T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T> =>
      pool.begin(async (connection) => {
        const tx = transaction(connection);
        await tx.rows(...scopeStatement(scope));
        return work(tx);
      }) as Promise<T>,
    asOwner: <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
      owner.begin((connection) => work(transaction(connection))) as Promise<T>,
    async close() {
      await pool.close({ timeout: 5 });
      if (owner !== pool) await owner.close({ timeout: 5 });
    },
  };
}

function transaction(connection: Unsafe): Tx {
  return {
    async rows(text: string, values: readonly SqlValue[] = []) {
      return (await connection.unsafe(text, [...values])) as readonly Row[];
    },
  };
}
