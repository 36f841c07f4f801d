// state.db: everything that must outlast the daemon and is not a file of its own (upstreams,
// grants, pins, suspects, the observe session). Owns how the file is opened and how its schema
// moves forward; the tables' own modules own the queries. Migrations are only ever added at the
// end: a step that has shipped is never edited.

import { Database } from "bun:sqlite";
import { chmodSync, closeSync, openSync } from "node:fs";
import { UserError } from "../model/user-error.ts";

const MIGRATIONS: readonly string[] = [
  `CREATE TABLE upstreams (
     host TEXT NOT NULL,
     port INTEGER NOT NULL,
     ca_pem TEXT NOT NULL,
     certificate_path TEXT,
     key_path TEXT,
     kubeconfig_user TEXT,
     server_name TEXT,
     source TEXT NOT NULL,
     proxy_token TEXT,
     added_ms INTEGER NOT NULL,
     PRIMARY KEY (host, port)
   ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE grants (
     id TEXT NOT NULL PRIMARY KEY,
     protocol TEXT NOT NULL,
     host TEXT NOT NULL,
     port INTEGER NOT NULL,
     command TEXT NOT NULL,
     scope TEXT NOT NULL,
     credential TEXT NOT NULL,
     approval_id TEXT NOT NULL,
     created_ms INTEGER NOT NULL,
     expires_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
  // Port 0 of a pin stands for any port.
  `CREATE TABLE pins (
     host TEXT NOT NULL,
     port INTEGER NOT NULL,
     note TEXT NOT NULL,
     source TEXT NOT NULL,
     added_ms INTEGER NOT NULL,
     PRIMARY KEY (host, port)
   ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE suspects (
     host TEXT NOT NULL,
     port INTEGER NOT NULL,
     failed TEXT NOT NULL,
     reason TEXT NOT NULL,
     first_ms INTEGER NOT NULL,
     last_ms INTEGER NOT NULL,
     count INTEGER NOT NULL,
     pinned_until_ms INTEGER NOT NULL,
     PRIMARY KEY (host, port, failed)
   ) STRICT, WITHOUT ROWID`,
  // At most one row: the session that runs, or the last one.
  `CREATE TABLE observe_session (
     id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
     started_ms INTEGER NOT NULL,
     ends_ms INTEGER NOT NULL,
     previous_mode TEXT NOT NULL
   ) STRICT`,
  // At most one row: where the update of the daemon is.
  `CREATE TABLE update_state (
     id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
     json TEXT NOT NULL
   ) STRICT`,
  // Names by route and address: a wildcard has one name an address, an exact entry (route "") as many as there are.
  `CREATE TABLE known_addresses (
     route TEXT NOT NULL,
     address TEXT NOT NULL,
     name TEXT NOT NULL,
     until_ms INTEGER NOT NULL,
     PRIMARY KEY (route, address, name)
   ) STRICT, WITHOUT ROWID`,
  // A grant from before does not say which tier was approved, so it covers nothing any more.
  `ALTER TABLE grants ADD COLUMN tier TEXT NOT NULL DEFAULT ''`,
  `DELETE FROM grants`,
  // At most one factor of the guard; recovery codes are hashed.
  `CREATE TABLE guard_factor (
     id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
     kind TEXT NOT NULL,
     json TEXT NOT NULL,
     decides_from_ms INTEGER NOT NULL
   ) STRICT`,
  `CREATE TABLE guard_recovery (hash TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID`,
  // The texts of policy.yaml and settings.yaml that were last in force with a person's consent.
  `CREATE TABLE approved_text (name TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID`,
  // Clusters below a path, and clusters behind a proxy of their own.
  `ALTER TABLE upstreams ADD COLUMN path_prefixes TEXT NOT NULL DEFAULT '[]'`,
  `ALTER TABLE upstreams ADD COLUMN proxy_url TEXT`,
  // Name of the run that a grant is for; its id is part of the credential.
  `ALTER TABLE grants ADD COLUMN run TEXT NOT NULL DEFAULT ''`,
  // Receivers of audit rows and how far each has got; without a position it begins at the start of the journal.
  `CREATE TABLE sinks (
     name TEXT NOT NULL PRIMARY KEY,
     json TEXT NOT NULL,
     added_ms INTEGER NOT NULL,
     inode INTEGER,
     position INTEGER,
     delivered_rows INTEGER NOT NULL,
     put_aside_rows INTEGER NOT NULL,
     delivered_ms INTEGER
   ) STRICT, WITHOUT ROWID`,
  // Of a session that has ended, so that its totals can still be shown.
  `ALTER TABLE observe_session ADD COLUMN ended_ms INTEGER`,
  // The carrier of the request that a grant was given for.
  `ALTER TABLE grants ADD COLUMN carrier TEXT NOT NULL DEFAULT 'http'`,
  // MCP servers by the name that the operator gave them; JSON where nothing is searched for.
  `CREATE TABLE mcp_servers (
     name TEXT NOT NULL PRIMARY KEY,
     json TEXT NOT NULL,
     first_ms INTEGER NOT NULL,
     last_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
  // The tools and prompts of MCP servers: the pinned definition, which a person accepted or which was seen
  // first, and the pending one.
  `CREATE TABLE mcp_items (
     server TEXT NOT NULL,
     kind TEXT NOT NULL,
     name TEXT NOT NULL,
     pinned TEXT,
     pending TEXT,
     why TEXT NOT NULL,
     PRIMARY KEY (server, kind, name)
   ) STRICT, WITHOUT ROWID`,
  // At most one row: where the console is.
  `CREATE TABLE console (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), port INTEGER NOT NULL) STRICT`,
  // Credentials that are lent, without their values; the secret that their placeholders are derived from.
  `CREATE TABLE credentials (
     name TEXT NOT NULL PRIMARY KEY,
     json TEXT NOT NULL,
     added_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE placeholder_secret (
     id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
     secret BLOB NOT NULL
   ) STRICT`,
  // Texts of policy.yaml that were in force.
  `CREATE TABLE policy_versions (
     sha256 TEXT NOT NULL PRIMARY KEY,
     saved_ms INTEGER NOT NULL,
     text TEXT NOT NULL
   ) STRICT, WITHOUT ROWID`,
  // Receivers of notices about waiting requests.
  `CREATE TABLE notice_targets (
     name TEXT NOT NULL PRIMARY KEY,
     json TEXT NOT NULL,
     added_ms INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
  // The notices that each target must show, and the step that it was told last; in the order of the
  // questions.
  `CREATE TABLE notices (
     seq INTEGER NOT NULL PRIMARY KEY,
     target TEXT NOT NULL,
     subject TEXT NOT NULL,
     nonce TEXT NOT NULL UNIQUE,
     wanted TEXT NOT NULL,
     wanted_step INTEGER NOT NULL,
     shown_step INTEGER NOT NULL,
     handle TEXT,
     claimed INTEGER NOT NULL,
     set_aside TEXT,
     changed_ms INTEGER NOT NULL,
     UNIQUE (target, subject)
   ) STRICT`,
  // The control plane that this machine belongs to, by name: enrolment, bundles, positions, uploaded rows.
  `CREATE TABLE fleet (name TEXT NOT NULL PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID`,
];

/**
 * Opens or creates the database: WAL, mode 0600, migrated. Throws a `UserError` when the file is damaged or was
 * written by a later iddio.
 */
export function openDatabase(path: string): Database {
  try {
    // SQLite gives -wal and -shm the mode of the database, so the file must be right before it is opened.
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
    const database = new Database(path, { create: true, readwrite: true, strict: true });
    try {
      database.run("PRAGMA busy_timeout = 2000");
      database.run("PRAGMA journal_mode = WAL");
      database.run("PRAGMA synchronous = FULL");
      // For macOS, where fsync leaves bytes in the drive's cache; elsewhere they change nothing.
      database.run("PRAGMA fullfsync = 1");
      database.run("PRAGMA checkpoint_fullfsync = 1");
      database.run("PRAGMA foreign_keys = ON");
      migrate(database, path);
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot open '${path}': ${error instanceof Error ? error.message : String(error)}`, {
      hint: `if the file is damaged, move it away: pins and upstreams are then lost, "iddio kubeconfig" registers clusters again`,
      cause: error,
    });
  }
}

/** SQLite's finding about the file; undefined when it is whole. */
export function databaseProblem(path: string): string | undefined {
  try {
    const database = new Database(path, { readwrite: true, create: false });
    try {
      database.run("PRAGMA busy_timeout = 2000");
      const row = database.query<{ quick_check: string }, []>("PRAGMA quick_check(1)").get();
      return row?.quick_check === "ok" ? undefined : (row?.quick_check ?? "it does not answer");
    } finally {
      database.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function migrate(database: Database, path: string): void {
  const version =
    database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
  if (version > MIGRATIONS.length)
    throw new UserError(
      `'${path}' was written by a later iddio (schema ${version}, known ${MIGRATIONS.length})`,
      {
        hint: "run that version, or move the file away",
      },
    );
  if (version === MIGRATIONS.length) return;
  // All steps or none, and one wait for the disk.
  database.transaction(() => {
    for (const step of MIGRATIONS.slice(version)) database.run(step);
    database.run(`PRAGMA user_version = ${MIGRATIONS.length}`);
  })();
}
