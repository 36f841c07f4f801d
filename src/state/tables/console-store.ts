// The console's row in state.db: its port. A browser ties passkeys and storage to the port, so it
// is chosen once.

import type { Database } from "bun:sqlite";

/** The console's table. */
export class ConsoleStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The port that was chosen, if one was. */
  get port(): number | undefined {
    return this.#database.query<{ port: number }, []>("SELECT port FROM console WHERE id = 1").get()?.port;
  }

  /** Keeps a port. */
  keep(port: number): void {
    this.#database.query("INSERT OR REPLACE INTO console (id, port) VALUES (1, ?1)").run(port);
  }
}
