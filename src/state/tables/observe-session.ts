// The observe session that runs, if one does: when it ends and which mode comes back then. In
// state.db, so that a restart in the middle neither prolongs it nor forgets the mode from before.
// The last session stays when it has ended, because people want its totals. Owns no timer and no
// mode.

import type { Database } from "bun:sqlite";
import { isMode, type Mode } from "../../model/mode.ts";

/** A bounded time in observe mode. */
export interface ObserveSession {
  readonly startedMs: number;
  readonly endsMs: number;
  /** The mode that comes back at the end. */
  readonly previousMode: Mode;
}

/** A session that has ended. */
export interface EndedSession {
  readonly startedMs: number;
  readonly endedMs: number;
}

interface Row {
  readonly started_ms: number;
  readonly ends_ms: number;
  readonly previous_mode: string;
  readonly ended_ms: number | null;
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
    if (row === null || row.ended_ms !== null || !isMode(row.previous_mode)) return undefined;
    return { startedMs: row.started_ms, endsMs: row.ends_ms, previousMode: row.previous_mode };
  }

  /** The last session, when it has ended. */
  last(): EndedSession | undefined {
    const row = this.#database.query<Row, []>("SELECT * FROM observe_session").get();
    return row === null || row.ended_ms === null
      ? undefined
      : { startedMs: row.started_ms, endedMs: row.ended_ms };
  }

  write(session: ObserveSession): void {
    this.#database.run("INSERT OR REPLACE INTO observe_session VALUES (1, ?, ?, ?, NULL)", [
      session.startedMs,
      session.endsMs,
      session.previousMode,
    ]);
  }

  /** Ends the session at this time. */
  end(endedMs: number): void {
    this.#database.run("UPDATE observe_session SET ended_ms = ?", [endedMs]);
  }
}
