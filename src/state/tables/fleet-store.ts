// The state of a machine in a fleet that survives a restart: its control plane and the keys to
// recognise it by, the last good policy, and which audit rows have arrived. Positions of policies
// are kept by tenant and outlive the enrolment, so that enrolling again is no way back to an older
// policy.

import type { Database } from "bun:sqlite";

/** The table `fleet`: JSON by name. */
export class FleetStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Returns the value stored under a name; undefined when there is none, or none that can be read. */
  get<T>(name: string): T | undefined {
    const row = this.#database
      .query<{ json: string }, [string]>("SELECT json FROM fleet WHERE name = ?")
      .get(name);
    try {
      return row === null ? undefined : (JSON.parse(row.json) as T);
    } catch {
      return undefined;
    }
  }

  /** Written before it returns. */
  put(name: string, value: object): void {
    this.#database.run("INSERT OR REPLACE INTO fleet VALUES (?, ?)", [name, JSON.stringify(value)]);
  }

  /** Forgets these. */
  remove(...names: readonly string[]): void {
    this.#database.transaction(() => {
      for (const name of names) this.#database.run("DELETE FROM fleet WHERE name = ?", [name]);
    })();
  }
}
