// Pins: hosts that a person said are never opened. Kept in state.db, read from memory, because
// every CONNECT asks. A pin is an exact name: it covers no other spelling and no host below it.

import type { Database } from "bun:sqlite";

/** One pinned host. */
export interface Pin {
  /** Lower case, no trailing dot, no brackets. */
  readonly host: string;
  /** Undefined: any port. */
  readonly port: number | undefined;
  /** The person's note; "" when there is none. */
  readonly note: string;
  /** `manual`, or `detector` when it was promoted from there. */
  readonly source: "manual" | "detector";
  readonly addedMs: number;
}

interface Row {
  readonly host: string;
  readonly port: number;
  readonly note: string;
  readonly source: string;
  readonly added_ms: number;
}

/** In the table: any port. */
const ANY_PORT = 0;

/** The table `pins`, with a copy in memory. */
export class Pins {
  readonly #database: Database;
  readonly #byKey = new Map<string, Pin>();
  readonly #listeners = new Set<() => void>();

  constructor(database: Database) {
    this.#database = database;
    for (const row of database.query<Row, []>("SELECT * FROM pins").all()) {
      const pin = fromRow(row);
      this.#byKey.set(keyOf(pin.host, pin.port), pin);
    }
  }

  /** Every pin, by host and port. */
  list(): readonly Pin[] {
    return [...this.#byKey.values()].sort((a, b) =>
      a.host === b.host ? (a.port ?? 0) - (b.port ?? 0) : a.host < b.host ? -1 : 1,
    );
  }

  /** The pin that covers exactly this host at this port. */
  find(host: string, port: number): Pin | undefined {
    return this.#byKey.get(keyOf(host, undefined)) ?? this.#byKey.get(keyOf(host, port));
  }

  /** The pin of exactly this host and port; undefined as a port asks for the pin of all ports. */
  get(host: string, port: number | undefined): Pin | undefined {
    return this.#byKey.get(keyOf(host, port));
  }

  /** Adds a pin or replaces its note. Written before it returns. */
  add(pin: Pin): void {
    this.#database.run("INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?, ?)", [
      pin.host,
      pin.port ?? ANY_PORT,
      pin.note,
      pin.source,
      pin.addedMs,
    ]);
    this.#byKey.set(keyOf(pin.host, pin.port), pin);
    this.#tell();
  }

  /** Removes the pin of this port, or without a port every pin of the host; returns the removed pins. */
  remove(host: string, port: number | undefined): readonly Pin[] {
    const removed = this.list().filter(
      (pin) => pin.host === host && (port === undefined || pin.port === port),
    );
    for (const pin of removed) {
      this.#database.run("DELETE FROM pins WHERE host = ? AND port = ?", [host, pin.port ?? ANY_PORT]);
      this.#byKey.delete(keyOf(host, pin.port));
    }
    if (removed.length > 0) this.#tell();
    return removed;
  }

  /** Calls after every change; returns the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function keyOf(host: string, port: number | undefined): string {
  return `${host} ${port ?? ANY_PORT}`;
}

function fromRow(row: Row): Pin {
  return {
    host: row.host,
    port: row.port === ANY_PORT ? undefined : row.port,
    note: row.note,
    source: row.source === "detector" ? "detector" : "manual",
    addedMs: row.added_ms,
  };
}
