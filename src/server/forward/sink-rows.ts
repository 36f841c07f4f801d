// Receivers of a tenant's audit rows as they are stored: an administrator's configuration, sealed
// with the server's secret, and how far each has got. Secrets in it never come out again.

import type { ForwardStart } from "../../api/methods/forward.ts";
import type { DeliveryProgress } from "../../features/forward/delivery.ts";
import type { ForwardedEntry, SinkConfig } from "../../features/forward/sink.ts";
import { checkedSink } from "../../features/forward/sink-config.ts";
import { UserError } from "../../model/user-error.ts";
import { type Database, maybeNumber, numberOf, type Row, type Tx, textOf } from "../database/database.ts";
import { Problem } from "../http/problem.ts";
import { DATABASE_MS } from "../leases.ts";
import type { Sealer } from "../sealer.ts";
import { arrivalDay, type TablePlace } from "./table-source.ts";

/** Rows that are kept aside for one receiver; more are only counted. */
const MAX_ASIDE = 10_000;

/** Checks a receiver. Throws the problem that says what is wrong. */
export function checkedServerSink(start: ForwardStart): SinkConfig {
  // A file would be one of the server's machine.
  if (start.target.startsWith("file:"))
    throw new Problem(400, "bad-input", "the control plane forwards into no file of its machine");
  try {
    return checkedSink(start);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const more = error.hint === undefined ? {} : { detail: error.hint };
    throw new Problem(400, "bad-input", error.message, more);
  }
}

/** The text that is stored. */
export function sealSink(sealer: Sealer, tenant: string, config: SinkConfig): string {
  return sealer.seal(sealPlace(tenant, config.name), JSON.stringify(config));
}

/** The receiver of a row with `name` and `sealed_config`. */
export function sinkConfig(sealer: Sealer, tenant: string, row: Row): SinkConfig {
  const place = sealPlace(tenant, textOf(row, "name"));
  return JSON.parse(sealer.open(place, textOf(row, "sealed_config"))) as SinkConfig;
}

function sealPlace(tenant: string, name: string): string {
  return `${tenant}/forward/${name}`;
}

/** Begins behind all rows that are there now. */
export async function startAtEnd(tx: Tx, sink: string): Promise<void> {
  await tx.rows(
    "insert into forward_places (sink, device_id, chain, seq, day) " +
      "select $1, device_id, chain, acked_seq, (now() at time zone 'UTC')::date from device_chains where acked_seq > 0",
    [sink],
  );
}

/** How far a receiver has got, as its row has it; the place itself is in a table of its own. */
export function progressOf(row: Row): DeliveryProgress<TablePlace> {
  return {
    place: undefined,
    deliveredRows: numberOf(row, "delivered_rows"),
    putAsideRows: numberOf(row, "refused_rows"),
    lastDeliveredMs: maybeNumber(row, "last_delivered_ms"),
  };
}

/** A receiver at the server that holds its lease. */
interface HeldSink {
  readonly tenant: string;
  readonly sink: string;
  readonly holder: string;
}

/** Writes how far a receiver has got. Throws once another server has it. */
export function saveProgress(
  database: Database,
  { tenant, sink, holder }: HeldSink,
  { place, deliveredRows, putAsideRows, lastDeliveredMs }: DeliveryProgress<TablePlace>,
): Promise<void> {
  return database.run({ tenant }, async (tx) => {
    const [held] = await tx.rows(
      "update forward_sinks set delivered_rows = $3, refused_rows = $4, last_delivered_ms = $5 where name = $1 " +
        `and leased_by = $2 and leased_until_ms > ${DATABASE_MS} returning name`,
      [sink, holder, deliveredRows, putAsideRows, lastDeliveredMs ?? null],
    );
    if (held === undefined) throw new Error("another server forwards to this receiver by now");
    await tx.rows(
      "insert into forward_places (sink, device_id, chain, seq, day) select $1, r.device, r.chain, r.seq, r.day " +
        "from json_to_recordset($2::text::json) as r(device text, chain text, seq bigint, day date) " +
        "on conflict (tenant_id, sink, device_id, chain) do update set seq = excluded.seq, day = excluded.day",
      [sink, JSON.stringify(place ?? [])],
    );
  });
}

/** Keeps a row that a receiver refused. */
export function putAsideRow(
  database: Database,
  { tenant, sink }: Pick<HeldSink, "tenant" | "sink">,
): (row: ForwardedEntry, reason: string) => Promise<void> {
  return async (row, reason) => {
    await database.run({ tenant }, (tx) =>
      tx.rows(
        "insert into forward_refused (sink, device_id, chain, seq, day, reason, at_ms) " +
          `select $1, $2, $3, $4::bigint, $6::text::date, $5, ${DATABASE_MS} where (select count(*) from forward_refused where sink = $1) < ${MAX_ASIDE} ` +
          "on conflict do nothing",
        [
          sink,
          row.device?.id ?? "",
          row.chain ?? "",
          row.seq ?? 0,
          reason.slice(0, 500),
          arrivalDay(row) ?? "1970-01-01",
        ],
      ),
    );
  };
}
