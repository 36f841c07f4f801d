// One daemon per state directory. The lock is a write transaction held open on a small SQLite file:
// the kernel drops it with the process, however that ends, so no stale lock can exist. Readers may
// still look into the file, which is how the second daemon learns the pid of the first.

import { Database, SQLiteError } from "bun:sqlite";
import { UserError } from "../model/user-error.ts";
import type { StatePaths } from "./paths.ts";

/** Keeps the connections from the garbage collector, which would close them and give the lock away. */
const held = new Set<Database>();

/** Takes the directory for this process until disposed. Throws a `UserError` with the pid of the daemon that has it. */
export function acquireDaemonLock(paths: StatePaths): Disposable {
  const database = openLockFile(paths.lock);
  try {
    database.run("PRAGMA busy_timeout = 0");
    database.run("BEGIN IMMEDIATE");
    database.run("CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL)");
    database.run("DELETE FROM holder");
    database.run("INSERT INTO holder (pid) VALUES (?)", [process.pid]);
    database.run("PRAGMA busy_timeout = 1000"); // those who are refused read the pid: their moment must not stop us
    database.run("COMMIT");
    database.run("PRAGMA busy_timeout = 0");
    // Somebody may slip in between the two transactions; this line then fails and they have it.
    database.run("BEGIN IMMEDIATE");
  } catch (error) {
    const pid = holderOf(database);
    database.close();
    throw isBusy(error) ? taken(paths, pid) : unusable(paths.lock, error);
  }
  held.add(database);
  return {
    [Symbol.dispose]() {
      held.delete(database);
      database.close();
    },
  };
}

/** Lets one upgrade run at a time, the daemon's own or somebody's `iddio upgrade`. Throws a `UserError` while another does. */
export function acquireUpdateLock(paths: StatePaths): Disposable {
  try {
    return acquireDaemonLock({ ...paths, lock: paths.updateLock });
  } catch (error) {
    throw new UserError("another upgrade is running", {
      hint: "wait for it; see: iddio update status",
      cause: error,
    });
  }
}

function openLockFile(path: string): Database {
  const before = process.umask(0o077);
  try {
    return new Database(path, { create: true, readwrite: true });
  } catch (error) {
    throw unusable(path, error);
  } finally {
    process.umask(before);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof SQLiteError && (error.code ?? "").startsWith("SQLITE_BUSY");
}

function isFull(error: unknown): boolean {
  return error instanceof SQLiteError && error.code === "SQLITE_FULL";
}

function holderOf(database: Database): number | undefined {
  try {
    if (database.inTransaction) database.run("ROLLBACK");
    return database.query<{ pid: number }, []>("SELECT pid FROM holder").get()?.pid;
  } catch {
    return undefined; // the other side is just writing its pid: the message does without
  }
}

function taken(paths: StatePaths, pid: number | undefined): UserError {
  const who = pid === undefined ? "another iddio daemon" : `another iddio daemon (pid ${pid})`;
  return new UserError(`${who} is running on '${paths.root}'`, {
    hint: "stop it first, or set IDDIO_HOME to another directory",
  });
}

function unusable(path: string, cause: unknown): UserError {
  return new UserError(`cannot lock '${path}': ${cause instanceof Error ? cause.message : String(cause)}`, {
    hint: isFull(cause) ? "free some space on its disk" : `remove '${path}' if no daemon is running`,
    cause,
  });
}
