// Opens a server's parts where its operator put them: the database (a URL, or a folder of the
// program's own) and the secret that seals keys. A folder has one process at a time.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../model/user-error.ts";
import { acquireDaemonLock } from "../state/lock.ts";
import type { StatePaths } from "../state/paths.ts";
import type { Database } from "./database/database.ts";
import { migrate, schemaVersion } from "./database/migrate.ts";
import { MIGRATIONS } from "./database/migrations.ts";
import { readSecret, Sealer } from "./sealer.ts";

/** Where it is. */
export interface DatabasePlace {
  /** `postgres://…`; the embedded database without. */
  readonly url: string | undefined;
  /** The owner's URL, for migrations. */
  readonly ownerUrl: string | undefined;
  readonly folder: string;
  /** File of the secret; in the folder unless given. */
  readonly secretFile: string | undefined;
}

/** An open database. */
export interface OpenDatabase extends AsyncDisposable {
  readonly database: Database;
  readonly sealer: Sealer;
}

/** The place that flags and the environment name. */
export function databasePlace(
  flag: (name: string) => string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  paths: StatePaths,
): DatabasePlace {
  const url = flag("database") ?? env.DATABASE_URL;
  return {
    url: url === "" ? undefined : url,
    ownerUrl: env.IDDIO_OWNER_DATABASE_URL,
    folder: flag("data") ?? join(paths.root, "server"),
    secretFile: flag("secret-file"),
  };
}

/** Opens it, and brings the embedded database up to date; `mayMigrate` also PostgreSQL. Throws a `UserError` when it cannot. */
export async function openServerDatabase(
  place: DatabasePlace,
  paths: StatePaths,
  mayMigrate: boolean,
): Promise<OpenDatabase> {
  const isEmbedded = place.url === undefined;
  if (isEmbedded) await mkdir(place.folder, { recursive: true, mode: 0o700 });
  const lock = isEmbedded ? lockFolder(place.folder, paths) : undefined;
  try {
    const sealer = new Sealer(await secretOf(place));
    const database = await open(place);
    try {
      if (isEmbedded || mayMigrate) await migrate(database);
      else await checkVersion(database);
    } catch (error) {
      await database.close();
      throw error;
    }
    return {
      database,
      sealer,
      async [Symbol.asyncDispose]() {
        await database.close();
        lock?.[Symbol.dispose]();
      },
    };
  } catch (error) {
    lock?.[Symbol.dispose]();
    throw error instanceof UserError ? error : cannotOpen(place, error);
  }
}

async function open({ url, ownerUrl, folder }: DatabasePlace): Promise<Database> {
  if (url === undefined) {
    const { openEmbedded } = await import("./database/embedded.ts");
    return openEmbedded(join(folder, "database"));
  }
  const { openPostgres } = await import("./database/postgres.ts");
  return openPostgres({ url, ...(ownerUrl === undefined ? {} : { ownerUrl }) });
}

async function secretOf({ url, folder, secretFile }: DatabasePlace): Promise<Uint8Array> {
  const path = secretFile ?? join(folder, "server.key");
  try {
    return await readSecret(path, url === undefined);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`the server's secret cannot be read: ${messageOf(error)}`, {
      hint: `openssl rand -base64 32 > ${path}; all servers of one database share it`,
      cause: error,
    });
  }
}

async function checkVersion(database: Database): Promise<void> {
  const version = await schemaVersion(database);
  const wanted = MIGRATIONS.at(-1)?.version ?? 0;
  if (version < wanted)
    throw new UserError(`the database is at step ${version}, and this program needs step ${wanted}`, {
      hint: "iddio server migrate",
    });
}

function lockFolder(folder: string, paths: StatePaths): Disposable {
  try {
    return acquireDaemonLock({ ...paths, lock: join(folder, "server.lock") });
  } catch (error) {
    throw new UserError(`another process has the database in '${folder}'`, {
      hint: "end the running `iddio server` first, or use PostgreSQL, which many may share",
      cause: error,
    });
  }
}

function cannotOpen({ url, folder }: DatabasePlace, error: unknown): UserError {
  // A URL may hold a password.
  const what = url === undefined ? `the database in '${folder}'` : "the database of DATABASE_URL";
  return new UserError(`${what} cannot be used: ${messageOf(error)}`, {
    hint:
      url === undefined
        ? "check the folder, or set DATABASE_URL"
        : "check the address, the role and its rights",
    cause: error,
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
