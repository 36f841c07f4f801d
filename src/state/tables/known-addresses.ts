// The table `known_addresses` of state.db: under which inspected name an address was seen, and
// until when that is believed. Rows say nothing about whether the name is inspected now; anyone who
// reads them asks the policy.

import type { Database } from "bun:sqlite";

/** One address of one name. */
export interface KnownAddress {
  /** The inspect entry that matched; "" for an exact name. */
  readonly route: string;
  readonly address: string;
  readonly name: string;
  readonly untilMs: number;
}

interface Row {
  readonly route: string;
  readonly address: string;
  readonly name: string;
  readonly until_ms: number;
}

/** Reads and writes the table. */
export class AddressStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Every row that is believed at `now`, the earliest to expire first. */
  load(now: number): readonly KnownAddress[] {
    return this.#database
      .query<Row, [number]>("SELECT * FROM known_addresses WHERE until_ms > ? ORDER BY until_ms")
      .all(now)
      .map(({ route, address, name, until_ms }) => ({ route, address, name, untilMs: until_ms }));
  }

  /** Adds rows, or moves their end. */
  save(rows: readonly KnownAddress[]): void {
    const insert = this.#database.prepare("INSERT OR REPLACE INTO known_addresses VALUES (?, ?, ?, ?)");
    this.#database.transaction(() => {
      for (const { route, address, name, untilMs } of rows) insert.run(route, address, name, untilMs);
    })();
  }

  /** Removes addresses that have expired at `now`. */
  forget(now: number): void {
    this.#database.run("DELETE FROM known_addresses WHERE until_ms <= ?", [now]);
  }
}
