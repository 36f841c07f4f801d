// The observe session that runs, if one does: when it ends and which mode comes back then. In state.db, so that a
// restart in the middle neither prolongs it nor forgets what was there before. Owns no timer and no mode.

import type { Database } from "bun:sqlite";
import { isMode, type Mode } from "../model/mode.ts";

/** A bounded time in observe mode. */
export interface ObserveSession {
  readonly startedMs: number;
  readonly endsMs: number;
  /** The mode that comes back at the end. */
  readonly previousMode: Mode;
}

interface Row {
  readonly started_ms: number;
  readonly ends_ms: number;
  readonly previous_mode: string;
}

/** The table `observe_session`: at most one row. */
export class StoredObserveSession {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The session that was not ended yet; its time may be over. */
  read(): ObserveSession | undefined {
    const row = this.#database.query<Row, []>("SELECT * FROM observe_session").get();
    if (row === null || !isMode(row.previous_mode)) return undefined;
    return { startedMs: row.started_ms, endsMs: row.ends_ms, previousMode: row.previous_mode };
  }

  write(session: ObserveSession): void {
    this.#database.run("INSERT OR REPLACE INTO observe_session VALUES (1, ?, ?, ?)", [
      session.startedMs,
      session.endsMs,
      session.previousMode,
    ]);
  }

  clear(): void {
    this.#database.run("DELETE FROM observe_session");
  }
}
