// Forwards the audit rows of all tenants to their receivers: one delivery a receiver, at the server
// that holds its lease. The sending, trying again and setting aside are the daemon's own delivery.

import { ForwardDelivery } from "../../features/forward/delivery.ts";
import { testRow } from "../../features/forward/sink-config.ts";
import { openSink, type Surroundings } from "../../features/forward/sink-kinds.ts";
import { BUILD_VERSION } from "../../version.ts";
import { flagOf, type Row } from "../database/database.ts";
import { type LeaseKind, Leases } from "../leases.ts";
import type { ServerParts } from "../parts.ts";
import type { TenantName } from "../tenants.ts";
import { progressOf, putAsideRow, saveProgress, sinkConfig } from "./sink-rows.ts";
import { type TablePlace, tableSource } from "./table-source.ts";

/** How a server forwards. */
export interface TenantForwardingOptions {
  /** Receivers may be in private networks: the server's operator says so, not a tenant. */
  readonly reachPrivate: boolean;
  /** A server that is gone is missed after this. */
  readonly leaseMs?: number;
}

/** A receiver that this server has. */
interface Running extends AsyncDisposable {
  readonly delivery: ForwardDelivery<TablePlace>;
  /** Sends one row that says it is a test; gives the problem. */
  test(): Promise<string | undefined>;
}

const TEST_MS = 10_000;

/** The deliveries of one server. */
export class TenantForwarding implements AsyncDisposable {
  readonly #leases: Leases<Running>;
  /** Whether a tenant's receiver may be in a private network. */
  readonly reachPrivate: boolean;

  constructor(parts: ServerParts, { reachPrivate, leaseMs }: TenantForwardingOptions) {
    this.reachPrivate = reachPrivate;
    this.#leases = new Leases(parts, kindOf(parts, reachPrivate), leaseMs);
  }

  /** Receivers were changed here: looks at once. */
  look(): void {
    this.#leases.look();
  }

  /** Gives its receivers back, so that another server has them at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leases[Symbol.asyncDispose]();
  }
}

function kindOf(parts: ServerParts, reachPrivate: boolean): LeaseKind<Running> {
  return {
    table: "forward_sinks",
    open: (tenant, row, holder) => openRunning(parts, tenant, row, { holder, reachPrivate }),
    look: (tenant, name, running) => testWanted(parts, tenant, name, running),
    async renewal({ delivery }) {
      const { problem, failingSinceMs } = delivery.state;
      return {
        set: ", problem = $4, failing_since_ms = $5",
        values: [problem?.slice(0, 500) ?? null, failingSinceMs ?? null],
      };
    },
  };
}

function openRunning(
  parts: ServerParts,
  tenant: TenantName,
  row: Row,
  { holder, reachPrivate }: { readonly holder: string; readonly reachPrivate: boolean },
): Running {
  const { database, sealer, log } = parts;
  const config = sinkConfig(sealer, tenant.id, row);
  const about = { tenant: tenant.id, sink: config.name, holder };
  const around: Surroundings = {
    sender: { hostname: tenant.slug, version: BUILD_VERSION },
    proxyFor: () => "",
    reach: reachPrivate ? "private" : "public",
  };
  const said = (event: string) => (message: string, fields: object) =>
    log(event, { tenant: tenant.slug, message, ...fields });
  const delivery = new ForwardDelivery<TablePlace>({
    name: config.name,
    source: tableSource(database, about),
    putAside: putAsideRow(database, about),
    open: () => openSink(config, around),
    progress: progressOf(row),
    save: (progress) => saveProgress(database, about, progress),
    log: { info: said("forward"), warn: said("forward_failed") },
  });
  return {
    delivery,
    async test() {
      await using sink = openSink(config, around);
      const sent = await sink.deliver([testRow()], AbortSignal.timeout(TEST_MS));
      delivery.hurry();
      return sent.kind === "delivered" ? undefined : sent.reason;
    },
    [Symbol.asyncDispose]: () => delivery[Symbol.asyncDispose](),
  };
}

/** Sends the test that an administrator asked for, at whichever server. */
async function testWanted(
  { database }: ServerParts,
  tenant: TenantName,
  name: string,
  running: Running,
): Promise<void> {
  const scope = { tenant: tenant.id };
  const [row] = await database.run(scope, (tx) =>
    tx.rows("select test_wanted as is_wanted from forward_sinks where name = $1", [name]),
  );
  if (row === undefined || !flagOf(row, "is_wanted")) return;
  const problem = await running.test();
  await database.run(scope, (tx) =>
    tx.rows(
      "update forward_sinks set test_wanted = false, tested_ms = (extract(epoch from clock_timestamp()) * 1000)::bigint, test_problem = $2 where name = $1",
      [name, problem?.slice(0, 500) ?? null],
    ),
  );
}
