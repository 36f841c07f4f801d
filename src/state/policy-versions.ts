// The texts of policy.yaml that were in force, in state.db, so that one can be looked at and put
// back. Bounded; a text that comes again moves to the front.

import type { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import type { PolicyStore } from "./policy-store.ts";

/** A text and when it came into force. */
export interface PolicyVersion {
  readonly savedMs: number;
  readonly sha256: string;
  readonly text: string;
}

const KEPT = 50;

/** The table. */
export class PolicyVersions {
  readonly #database: Database;

  /** Keeps the text in force, and each that comes into force. */
  constructor(database: Database, policy: PolicyStore) {
    this.#database = database;
    const keep = () => this.#keep(policy.current.text, Date.now());
    keep();
    policy.onChange(({ kind }) => kind === "loaded" && keep());
  }

  /** Nothing happens when it is the latest already. */
  #keep(text: string, nowMs: number): void {
    const sha256 = createHash("sha256").update(text).digest("hex");
    if (this.list()[0]?.sha256 === sha256) return;
    this.#database.transaction(() => {
      this.#database
        .query("INSERT OR REPLACE INTO policy_versions (sha256, saved_ms, text) VALUES (?1, ?2, ?3)")
        .run(sha256, nowMs, text);
      this.#database
        .query(
          "DELETE FROM policy_versions WHERE sha256 NOT IN (SELECT sha256 FROM policy_versions ORDER BY saved_ms DESC LIMIT ?1)",
        )
        .run(KEPT);
    })();
  }

  /** The latest first. */
  list(): readonly PolicyVersion[] {
    return this.#database
      .query<{ saved_ms: number; sha256: string; text: string }, []>(
        "SELECT saved_ms, sha256, text FROM policy_versions ORDER BY saved_ms DESC",
      )
      .all()
      .map(({ saved_ms, sha256, text }) => ({ savedMs: saved_ms, sha256, text }));
  }
}
