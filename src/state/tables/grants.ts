// Grants: permissions for a while that a person gave with `approval allow --for`. Kept in state.db
// so that a restart neither loses nor prolongs one. A grant names everything that was approved but
// the object: the same command elsewhere, or by another credential, is asked about again.

import type { Database } from "bun:sqlite";
import type { Carrier } from "../../model/ask.ts";
import type { Protocol } from "../../model/protocol.ts";
import { stricterTier, type TierOrUnknown } from "../../model/tier.ts";
import { Deadline } from "../deadline.ts";

/** A grant covers requests with an equal subject, except that their tier may be milder. */
export interface GrantSubject {
  readonly carrier: Carrier;
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  /** The approved ask's tier; an ask of a higher tier is not covered, whatever it calls itself. */
  readonly tier: TierOrUnknown;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Hash of the credential that the request carries and of the run that it comes from; "" when it carries none. */
  readonly credential: string;
}

/** A grant in force. */
export interface Grant extends GrantSubject {
  readonly id: string;
  readonly approvalId: string;
  /** Name of the `iddio run` that it is for, for people; only the credential is compared. */
  readonly run?: string;
  readonly createdMs: number;
  readonly expiresMs: number;
}

interface Row {
  readonly carrier: string;
  readonly id: string;
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  readonly command: string;
  readonly scope: string;
  readonly credential: string;
  readonly approval_id: string;
  readonly created_ms: number;
  readonly expires_ms: number;
  readonly tier: string;
  readonly run: string;
}

/** A grant and when it is over by either clock. */
interface Held {
  readonly grant: Grant;
  readonly deadline: Deadline;
}

/** The grants of one daemon; reads come from memory. */
export class Grants {
  readonly #database: Database;
  readonly #byId = new Map<string, Held>();

  constructor(database: Database, now = Date.now()) {
    this.#database = database;
    database.run("DELETE FROM grants WHERE expires_ms <= ?", [now]);
    for (const row of database.query<Row, []>("SELECT * FROM grants").all()) this.#hold(fromRow(row), now);
  }

  /** Those in force at `now`, soonest to end first. */
  list(now = Date.now()): readonly Grant[] {
    return [...this.#byId.values()]
      .filter(({ deadline }) => !deadline.isOver(now))
      .map(({ grant }) => grant)
      .sort((a, b) => a.expiresMs - b.expiresMs);
  }

  add(grant: Grant): void {
    this.#database.run("DELETE FROM grants WHERE expires_ms <= ?", [grant.createdMs]);
    this.#database.run("INSERT INTO grants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [
      grant.id,
      grant.protocol,
      grant.host,
      grant.port,
      grant.command,
      scopeOf(grant.labels),
      grant.credential,
      grant.approvalId,
      grant.createdMs,
      grant.expiresMs,
      grant.tier,
      grant.run ?? "",
      grant.carrier,
    ]);
    this.#hold(grant, grant.createdMs);
  }

  /** The grant that covers a request at `now`. */
  find(subject: GrantSubject, now = Date.now()): Grant | undefined {
    const scope = scopeOf(subject.labels);
    for (const { grant, deadline } of this.#byId.values()) {
      if (deadline.isOver(now)) {
        this.#byId.delete(grant.id);
        continue;
      }
      const isSame =
        grant.carrier === subject.carrier &&
        grant.protocol === subject.protocol &&
        grant.host === subject.host &&
        grant.port === subject.port &&
        grant.command === subject.command &&
        grant.credential === subject.credential &&
        grant.credential !== "" &&
        stricterTier(grant.tier, subject.tier) === grant.tier &&
        scopeOf(grant.labels) === scope;
      if (isSame) return grant;
    }
    return undefined;
  }

  #hold(grant: Grant, now: number): void {
    this.#byId.set(grant.id, { grant, deadline: new Deadline(grant.createdMs, grant.expiresMs, now) });
  }

  /** Ends one early; false when there is none with this id. */
  remove(id: string): boolean {
    this.#database.run("DELETE FROM grants WHERE id = ?", [id]);
    return this.#byId.delete(id);
  }
}

function scopeOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function fromRow(row: Row): Grant {
  return {
    id: row.id,
    carrier: row.carrier as Carrier,
    protocol: row.protocol as Protocol,
    host: row.host,
    port: row.port,
    command: row.command,
    labels: Object.fromEntries(JSON.parse(row.scope) as [string, string][]),
    tier: row.tier as TierOrUnknown,
    credential: row.credential,
    approvalId: row.approval_id,
    ...(row.run === "" ? {} : { run: row.run }),
    createdMs: row.created_ms,
    expiresMs: row.expires_ms,
  };
}
