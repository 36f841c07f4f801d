// Credentials that are lent to requests: their kinds and the sources of their values, never a
// value. The secret that placeholders are derived from is made with the table's first row and stays
// with it.

import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";

/** One row; `json` is its configuration. */
export interface CredentialRow {
  readonly name: string;
  readonly json: string;
  readonly added_ms: number;
}

/** The tables `credentials` and `placeholder_secret`. */
export class CredentialStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Every credential, by name. */
  list(): readonly CredentialRow[] {
    return this.#database.query<CredentialRow, []>("SELECT * FROM credentials ORDER BY name").all();
  }

  /** Adds one. The name must not be taken. */
  add(name: string, json: string, addedMs: number): void {
    this.#database.run("INSERT INTO credentials VALUES (?, ?, ?)", [name, json, addedMs]);
  }

  /** Whether there was one. */
  remove(name: string): boolean {
    return this.#database.run("DELETE FROM credentials WHERE name = ?", [name]).changes > 0;
  }

  /** 32 random bytes, the same ever since they were made. */
  secret(): Uint8Array {
    this.#database.run("INSERT OR IGNORE INTO placeholder_secret VALUES (1, ?)", [randomBytes(32)]);
    const row = this.#database
      .query<{ secret: Uint8Array }, []>("SELECT secret FROM placeholder_secret WHERE id = 1")
      .get();
    if (row === null) throw new Error("the secret of placeholders cannot be kept");
    return row.secret;
  }
}
