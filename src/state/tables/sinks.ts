// Where audit rows are forwarded to, and how far each receiver has got. The place is written after
// a batch has arrived and before the next is sent: after a crash the last batch is sent again, and
// none is skipped.

import type { Database } from "bun:sqlite";
import type { JournalPlace } from "../journal/batch.ts";

/** One receiver as it is stored; `json` is its configuration, secrets included. */
export interface StoredSink {
  readonly name: string;
  readonly json: string;
  readonly addedMs: number;
  readonly progress: SinkProgress;
}

/** How far a receiver has got. */
export interface SinkProgress {
  /** Undefined: from the start of the journal, which was not there when the receiver was added. */
  readonly place: JournalPlace | undefined;
  /** Since it was added. */
  readonly deliveredRows: number;
  readonly putAsideRows: number;
  readonly lastDeliveredMs: number | undefined;
}

interface Row {
  readonly name: string;
  readonly json: string;
  readonly added_ms: number;
  readonly inode: number | null;
  readonly position: number | null;
  readonly delivered_rows: number;
  readonly put_aside_rows: number;
  readonly delivered_ms: number | null;
}

/** The table `sinks`. */
export class Sinks {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Every receiver, by name. */
  list(): readonly StoredSink[] {
    return this.#database.query<Row, []>("SELECT * FROM sinks ORDER BY name").all().map(fromRow);
  }

  /** Adds one. The name must not be taken. */
  add(name: string, json: string, addedMs: number, place: JournalPlace | undefined): void {
    this.#database.run("INSERT INTO sinks VALUES (?, ?, ?, ?, ?, 0, 0, NULL)", [
      name,
      json,
      addedMs,
      place?.inode ?? null,
      place?.offset ?? null,
    ]);
  }

  /** Replaces the configuration and leaves the place. */
  change(name: string, json: string): void {
    this.#database.run("UPDATE sinks SET json = ? WHERE name = ?", [json, name]);
  }

  /** Whether there was one. */
  remove(name: string): boolean {
    return this.#database.run("DELETE FROM sinks WHERE name = ?", [name]).changes > 0;
  }

  /** Written before it returns. */
  advance(name: string, { place, deliveredRows, putAsideRows, lastDeliveredMs }: SinkProgress): void {
    this.#database.run(
      "UPDATE sinks SET inode = ?, position = ?, delivered_rows = ?, put_aside_rows = ?, delivered_ms = ? WHERE name = ?",
      [
        place?.inode ?? null,
        place?.offset ?? null,
        deliveredRows,
        putAsideRows,
        lastDeliveredMs ?? null,
        name,
      ],
    );
  }
}

function fromRow(row: Row): StoredSink {
  return {
    name: row.name,
    json: row.json,
    addedMs: row.added_ms,
    progress: {
      place:
        row.inode === null || row.position === null ? undefined : { inode: row.inode, offset: row.position },
      deliveredRows: row.delivered_rows,
      putAsideRows: row.put_aside_rows,
      lastDeliveredMs: row.delivered_ms ?? undefined,
    },
  };
}
