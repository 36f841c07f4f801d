// PostgreSQL inside the program (PGlite), for a trial and for tests: one process, one connection, a
// folder on disk. It is 19 MB of the program and is loaded only here. It runs as a superuser, which
// row level security does not bind, so every transaction takes its role before anything else.

import { mkdir } from "node:fs/promises";
import { PGlite } from "@electric-sql/pglite";
import initdbPath from "@electric-sql/pglite/initdb.wasm" with { type: "file" };
import dataPath from "@electric-sql/pglite/pglite.data" with { type: "file" };
import wasmPath from "@electric-sql/pglite/pglite.wasm" with { type: "file" };
import type { Database, Row, Scope, SqlValue, Tx } from "./database.ts";
import { scopeStatement } from "./database.ts";

/** The methods of a PGlite transaction that are used. */
interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

/** Opens the folder, or makes it: the first time takes seconds. */
export async function openEmbedded(folder: string): Promise<Database> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [pgliteWasmModule, initdbWasmModule] = await Promise.all(
    [wasmPath, initdbPath].map(async (path) => WebAssembly.compile(await Bun.file(path).arrayBuffer())),
  );
  if (pgliteWasmModule === undefined || initdbWasmModule === undefined) throw new Error("no database inside");
  const database = await PGlite.create({
    dataDir: folder,
    pgliteWasmModule,
    initdbWasmModule,
    fsBundle: new Blob([await Bun.file(dataPath).arrayBuffer()]),
  });
  return {
    kind: "embedded",
    run: <T>(scope: Scope, work: (tx: Tx) => Promise<T>): Promise<T> =>
      database.transaction(async (connection) => {
        const tx = transaction(connection);
        await tx.rows(...scopeStatement(scope));
        return work(tx);
      }) as Promise<T>,
    asOwner: <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
      database.transaction((connection) => work(transaction(connection))) as Promise<T>,
    close: () => database.close(),
  };
}

function transaction(connection: Queryable): Tx {
  return {
    async rows(text: string, values: readonly SqlValue[] = []) {
      return (await connection.query(text, [...values])).rows as Row[];
    },
  };
}
