// The detector's findings: hosts whose certificate could not be verified, clients that refused
// ours. Every finding is made by traffic, so an agent can make as many as it likes: the list is
// bounded, kept in memory, and written in batches. A crash loses only findings, never a person's
// doing.

import type { Database } from "bun:sqlite";

/** `upstream`: its certificate failed verification. `client`: it broke off the handshake with our leaf. */
export type FailedSide = "upstream" | "client";

/** One finding. */
export interface Suspect {
  readonly host: string;
  readonly port: number;
  readonly failed: FailedSide;
  /** Why, of the latest time. */
  readonly reason: string;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  /** Its connections are spliced until then; 0 when it is only suspected. */
  readonly pinnedUntilMs: number;
}

interface Row {
  readonly host: string;
  readonly port: number;
  readonly failed: string;
  readonly reason: string;
  readonly first_ms: number;
  readonly last_ms: number;
  readonly count: number;
  readonly pinned_until_ms: number;
}

const MAX_SUSPECTS = 1_000;
const WRITE_AFTER_MS = 250;
const SAME_TRY_MS = 250;
/** A finding that was not seen again for so long is forgotten at the next start. */
const FORGET_MS = 30 * 24 * 60 * 60_000;

/** The table `suspects`, with a copy in memory. */
export class Suspects {
  readonly #database: Database;
  readonly #byKey = new Map<string, Suspect>();
  readonly #unwritten = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #onFailure: (error: Error) => void;

  /** `onFailure` hears of batches that could not be written; they are tried again with the next. */
  constructor(database: Database, onFailure: (error: Error) => void, now = Date.now()) {
    this.#database = database;
    this.#onFailure = onFailure;
    database.run("DELETE FROM suspects WHERE last_ms < ?", [now - FORGET_MS]);
    for (const row of database.query<Row, []>("SELECT * FROM suspects ORDER BY last_ms").all())
      this.#byKey.set(keyOf(row.host, row.port, row.failed as FailedSide), fromRow(row));
  }

  /** Every finding, the latest first. */
  list(): readonly Suspect[] {
    return [...this.#byKey.values()].sort((a, b) => b.lastMs - a.lastMs);
  }

  /** The finding about one side at exactly this host and port. */
  get(host: string, port: number, failed: FailedSide): Suspect | undefined {
    return this.#byKey.get(keyOf(host, port, failed));
  }

  /** Notes one more failure. `pinnedUntilMs` of 0 leaves a pin that is there as it is. */
  note(found: Pick<Suspect, "host" | "port" | "failed" | "reason">, now: number, pinnedUntilMs = 0): Suspect {
    const key = keyOf(found.host, found.port, found.failed);
    const known = this.#byKey.get(key);
    const suspect: Suspect = {
      host: found.host,
      port: found.port,
      failed: found.failed,
      reason: found.reason,
      firstMs: known?.firstMs ?? now,
      lastMs: now,
      // One try of a client fails several times in a row: it connects for ALPN, and again for the request.
      count: known === undefined ? 1 : known.count + (now - known.lastMs < SAME_TRY_MS ? 0 : 1),
      pinnedUntilMs: Math.max(pinnedUntilMs, known?.pinnedUntilMs ?? 0),
    };
    this.#byKey.delete(key);
    this.#makeRoom();
    this.#byKey.set(key, suspect);
    this.#unwritten.add(key);
    this.#timer ??= setTimeout(() => this.flush(), WRITE_AFTER_MS);
    return suspect;
  }

  #makeRoom(): void {
    if (this.#byKey.size < MAX_SUSPECTS) return;
    // The map is in order of the latest failure.
    const oldest = this.#byKey.keys().next().value;
    if (oldest === undefined) return;
    this.#byKey.delete(oldest);
    this.#unwritten.add(oldest);
  }

  /** Forgets one host at a port, whichever side failed; returns the forgotten findings. */
  remove(host: string, port: number): readonly Suspect[] {
    const removed = this.list().filter((each) => each.host === host && each.port === port);
    for (const { failed } of removed) {
      this.#byKey.delete(keyOf(host, port, failed));
      this.#unwritten.add(keyOf(host, port, failed));
    }
    this.flush();
    return removed;
  }

  /** Forgets everything; returns the forgotten findings. */
  clear(): readonly Suspect[] {
    const removed = this.list();
    this.#byKey.clear();
    this.#unwritten.clear();
    this.#database.run("DELETE FROM suspects");
    return removed;
  }

  /** Writes the rows that are not written yet. Never throws. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#unwritten.size === 0) return;
    try {
      this.#database.transaction(() => {
        for (const key of this.#unwritten) this.#write(key);
      })();
      this.#unwritten.clear();
    } catch (error) {
      this.#onFailure(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #write(key: string): void {
    const suspect = this.#byKey.get(key);
    const [host = "", port = "", failed = ""] = key.split(" ");
    if (suspect === undefined) {
      this.#database.run("DELETE FROM suspects WHERE host = ? AND port = ? AND failed = ?", [
        host,
        Number(port),
        failed,
      ]);
      return;
    }
    this.#database.run("INSERT OR REPLACE INTO suspects VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [
      suspect.host,
      suspect.port,
      suspect.failed,
      suspect.reason,
      suspect.firstMs,
      suspect.lastMs,
      suspect.count,
      suspect.pinnedUntilMs,
    ]);
  }
}

function keyOf(host: string, port: number, failed: FailedSide): string {
  return `${host} ${port} ${failed}`;
}

function fromRow(row: Row): Suspect {
  return {
    host: row.host,
    port: row.port,
    failed: row.failed === "client" ? "client" : "upstream",
    reason: row.reason,
    firstMs: row.first_ms,
    lastMs: row.last_ms,
    count: row.count,
    pinnedUntilMs: row.pinned_until_ms,
  };
}
