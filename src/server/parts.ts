// The server's shared parts: the database, its secret, the clock, the ticks that wake waiting
// calls. server.ts hands them down; nothing here is global.

import type { Database } from "./database/database.ts";
import type { Ticks } from "./fleet/ticks.ts";
import type { TenantForwarding } from "./forward/tenant-forwarding.ts";
import type { TenantNotices } from "./notify/tenant-notices.ts";
import type { Sealer } from "./sealer.ts";

/** The server's parts. */
export interface ServerParts {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly ticks: Ticks;
  readonly nowMs: () => number;
  /** One line of the log, as JSON. */
  readonly log: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
  readonly counters: Counters;
  /** Tells people elsewhere; absent only while the server is made. */
  notifying?: TenantNotices;
  /** Forwards audit rows; absent only while the server is made. */
  forwarding?: TenantForwarding;
}

/** Numbers that only grow, by name, for the page of metrics. */
export class Counters {
  readonly #values = new Map<string, number>();

  /** Adds to a counter; labels belong to the name: `requests{code="200"}`. */
  add(name: string, by = 1): void {
    this.#values.set(name, (this.#values.get(name) ?? 0) + by);
  }

  /** Lists the counters with their values, sorted by name. */
  entries(): readonly (readonly [string, number])[] {
    return [...this.#values].sort(([one], [other]) => (one < other ? -1 : 1));
  }
}
