// Where the self-update of the daemon was when it ended: the state, and the ETag for the next look
// at the feed. One row of state.db, so that an update survives the restart that is part of it.

import type { Database } from "bun:sqlite";
import type { UpdateState } from "../../model/update-state.ts";

/** The update's state as it is stored. */
export interface StoredUpdate {
  readonly state: UpdateState;
  /** ETag of the feed, and the release that it stood for. */
  readonly etag?: string;
  readonly feed?: string;
  readonly lastCheckMs?: number;
  /** Checks that failed one after the other. */
  readonly failures: number;
}

const NOTHING: StoredUpdate = { state: { kind: "idle" }, failures: 0 };

/** The table `update_state`: at most one row. */
export class UpdateRecord {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Returns the stored state; a row that cannot be read counts as none. */
  read(): StoredUpdate {
    const row = this.#database.query<{ json: string }, []>("SELECT json FROM update_state").get();
    try {
      return row === null ? NOTHING : { ...NOTHING, ...(JSON.parse(row.json) as Partial<StoredUpdate>) };
    } catch {
      return NOTHING;
    }
  }

  /** Keeps this instead. */
  write(update: StoredUpdate): void {
    this.#database.run("INSERT OR REPLACE INTO update_state VALUES (1, ?)", [JSON.stringify(update)]);
  }
}
