// Whom the daemon tells of requests that wait, and what each of them was told of which. A row is
// written before anything is sent and again after it has arrived, so that neither a crash nor a
// target that is down loses or doubles a message.

import type { Database } from "bun:sqlite";

/** One target as it is stored; `json` is its configuration, secrets included. */
export interface StoredTarget {
  readonly name: string;
  readonly json: string;
  readonly addedMs: number;
}

/** One question for one target. `wanted` is JSON; steps are numbers that only grow. */
export interface StoredNotice {
  readonly target: string;
  readonly subject: string;
  readonly nonce: string;
  readonly wanted: string;
  readonly wanted_step: number;
  /** -1: nothing was told yet. */
  readonly shown_step: number;
  readonly handle: string | null;
  readonly claimed: number;
  readonly set_aside: string | null;
}

/** A change of a row; absent fields stay. */
export interface NoticeRowChange {
  readonly shownStep?: number;
  readonly handle?: string;
  readonly isClaimed?: boolean;
  readonly setAside?: string;
}

/** Rows of one target at most; the oldest that are over make room. */
const ROWS_MAX = 5_000;

/** The tables `notice_targets` and `notices`. */
export class Notices {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Every target, by name. */
  targets(): readonly StoredTarget[] {
    return this.#database
      .query<StoredTarget, []>("SELECT name, json, added_ms AS addedMs FROM notice_targets ORDER BY name")
      .all();
  }

  /** Adds one. The name must not be taken. */
  addTarget(name: string, json: string, addedMs: number): void {
    this.#database.run("INSERT INTO notice_targets VALUES (?, ?, ?)", [name, json, addedMs]);
  }

  /** Replaces the configuration. */
  changeTarget(name: string, json: string): void {
    this.#database.run("UPDATE notice_targets SET json = ? WHERE name = ?", [json, name]);
  }

  /** Forgets a target with everything that it was told. */
  removeTarget(name: string): void {
    this.#database.transaction(() => {
      this.#database.run("DELETE FROM notice_targets WHERE name = ?", [name]);
      this.#database.run("DELETE FROM notices WHERE target = ?", [name]);
    })();
  }

  /**
   * Sets the step of a question that a target should show; a step that is behind the one from before changes
   * nothing.
   */
  want(target: string, notice: { readonly subject: string; readonly nonce: string }, step: number): void {
    this.#database.run(
      `INSERT INTO notices (target, subject, nonce, wanted, wanted_step, shown_step, claimed, changed_ms)
       VALUES (?1, ?2, ?3, ?4, ?5, -1, 0, ?6)
       ON CONFLICT (target, subject) DO UPDATE SET wanted = ?4, wanted_step = ?5, changed_ms = ?6
       WHERE wanted_step < ?5`,
      [target, notice.subject, notice.nonce, JSON.stringify(notice), step, Date.now()],
    );
  }

  /** The oldest question that a target was not told as far as it should be. */
  next(target: string): StoredNotice | undefined {
    const sql = `SELECT * FROM notices WHERE target = ? AND wanted_step > shown_step AND set_aside IS NULL
                 ORDER BY seq LIMIT 1`;
    return this.#database.query<StoredNotice, [string]>(sql).get(target) ?? undefined;
  }

  /** The row that a nonce stands for. */
  byNonce(nonce: string): StoredNotice | undefined {
    return (
      this.#database.query<StoredNotice, [string]>("SELECT * FROM notices WHERE nonce = ?").get(nonce) ??
      undefined
    );
  }

  /** The row of a question. */
  get(target: string, subject: string): StoredNotice | undefined {
    const sql = "SELECT * FROM notices WHERE target = ? AND subject = ?";
    return this.#database.query<StoredNotice, [string, string]>(sql).get(target, subject) ?? undefined;
  }

  /** Written before it returns. */
  change(target: string, subject: string, { shownStep, handle, isClaimed, setAside }: NoticeRowChange): void {
    this.#database.run(
      `UPDATE notices SET shown_step = coalesce(?, shown_step), handle = coalesce(?, handle),
         claimed = coalesce(?, claimed), set_aside = coalesce(?, set_aside), changed_ms = ?
       WHERE target = ? AND subject = ?`,
      [
        shownStep ?? null,
        handle ?? null,
        isClaimed === undefined ? null : Number(isClaimed),
        setAside ?? null,
        Date.now(),
        target,
        subject,
      ],
    );
  }

  /** Rows whose question has not ended as far as they say. */
  unsettled(step: number): readonly StoredNotice[] {
    const sql = "SELECT * FROM notices WHERE wanted_step < ? ORDER BY seq";
    return this.#database.query<StoredNotice, [number]>(sql).all(step);
  }

  /** The number of questions that wait to be sent, and of those that never will be. */
  counts(target: string): { readonly waiting: number; readonly setAside: number } {
    const sql = `SELECT count(*) FILTER (WHERE wanted_step > shown_step AND set_aside IS NULL) AS waiting,
                        count(*) FILTER (WHERE set_aside IS NOT NULL) AS setAside
                 FROM notices WHERE target = ?`;
    const row = this.#database.query<{ waiting: number; setAside: number }, [string]>(sql).get(target);
    return row ?? { waiting: 0, setAside: 0 };
  }

  /** Forgets questions that ended more than `ms` ago, and the oldest above the limit. */
  prune(settled: number, ms: number): void {
    this.#database.run(
      "DELETE FROM notices WHERE wanted_step >= ? AND (shown_step >= wanted_step OR set_aside IS NOT NULL) AND changed_ms < ?",
      [settled, Date.now() - ms],
    );
    for (const { name } of this.targets())
      this.#database.run(
        `DELETE FROM notices WHERE target = ?1 AND wanted_step >= ?2 AND seq <=
           (SELECT seq FROM notices WHERE target = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ${ROWS_MAX})`,
        [name, settled],
      );
  }
}
