// The audit table of a tenant as the source of a delivery. A place is how far each chain of each
// device got: rows and the length of their chain are written in one transaction, so that nothing is
// ever missed, in whatever order transactions end.

import type { BatchLimits, RowBatch, RowSource } from "../../features/forward/row-source.ts";
import type { ForwardedEntry } from "../../features/forward/sink.ts";
import type { Entry } from "../../model/entry.ts";
import { parseRow } from "../../state/journal/read.ts";
import { type Database, numberOf, type Row, type Tx, textOf } from "../database/database.ts";

/** How far one chain got. */
export interface ChainPlace {
  readonly device: string;
  readonly chain: string;
  readonly seq: number;
  /** Day on which the row arrived: `2026-11-29`. */
  readonly day: string;
}

/** The chains that a batch moves. */
export type TablePlace = readonly ChainPlace[];

const MAX_CHAINS = 200;
/** The days on which rows arrived, which are no part of what is sent. */
const DAYS = new WeakMap<ForwardedEntry, string>();

/** The day on which a row of a batch arrived. */
export function arrivalDay(row: ForwardedEntry): string | undefined {
  return DAYS.get(row);
}

/** Chains that are longer than what a sink has got. */
export const BEHIND =
  "from device_chains c left join forward_places p on p.sink = $1 and p.device_id = c.device_id and p.chain = c.chain " +
  "where c.acked_seq > coalesce(p.seq, 0)";

/** The rows of a tenant that a sink has not got yet, oldest of each chain first. */
export function tableSource(
  database: Database,
  { tenant, sink }: { readonly tenant: string; readonly sink: string },
): RowSource<TablePlace> {
  return {
    // The place is in the table: another server may have gone on in between.
    read: (_place, limits) => database.run({ tenant }, (tx) => readTable(tx, sink, limits)),
    behind: () =>
      database.run({ tenant }, async (tx) => {
        const [row] = await tx.rows(
          `select coalesce(sum(c.acked_seq - coalesce(p.seq, 0)), 0) as rows ${BEHIND}`,
          [sink],
        );
        return row === undefined ? 0 : numberOf(row, "rows");
      }),
  };
}

async function readTable(
  tx: Tx,
  sink: string,
  { maxRows, maxBytes }: BatchLimits,
): Promise<RowBatch<TablePlace> | undefined> {
  const chains = await tx.rows(
    "select c.device_id, c.chain, c.acked_seq, coalesce(p.seq, 0) as seq, " +
      "coalesce(p.day, (to_timestamp(c.started_ms / 1000.0) at time zone 'UTC')::date)::text as day, " +
      `(select d.name from devices d where d.id = c.device_id) as name ${BEHIND} order by c.device_id, c.chain limit ${MAX_CHAINS}`,
    [sink],
  );
  if (chains.length === 0) return undefined;
  const rows: ForwardedEntry[] = [];
  const next: ChainPlace[] = [];
  let [left, gap] = [maxBytes, ""];
  for (const chain of chains) {
    const want = maxRows - rows.length;
    if (want <= 0 || left <= 0) break;
    const [device, id, from] = [textOf(chain, "device_id"), textOf(chain, "chain"), numberOf(chain, "seq")];
    const found = await rowsBehind(tx, chain, want);
    if (found.length === 0) {
      // Retention dropped them. Only so far as was looked at.
      const seq = Math.min(from + want, numberOf(chain, "acked_seq"));
      gap = "rows were dropped before they were forwarded";
      next.push({ device, chain: id, seq, day: textOf(chain, "day") });
      continue;
    }
    let last: Row | undefined;
    for (const row of found) {
      const line = textOf(row, "line");
      if (left < line.length && rows.length > 0) {
        left = 0;
        break;
      }
      left -= line.length;
      const place = {
        device: { id: device, name: String(chain.name ?? device) },
        chain: id,
        seq: numberOf(row, "seq"),
      };
      const entry: ForwardedEntry = { ...entryOf(line, numberOf(row, "at_ms")), ...place };
      DAYS.set(entry, textOf(row, "day"));
      rows.push(entry);
      last = row;
    }
    if (last !== undefined)
      next.push({ device, chain: id, seq: numberOf(last, "seq"), day: textOf(last, "day") });
  }
  return { rows, next, ...(gap === "" ? {} : { gap }) };
}

/** The next rows of a chain. The days make each look a short one, whatever the table holds. */
function rowsBehind(tx: Tx, chain: Row, want: number): Promise<readonly Row[]> {
  return tx.rows(
    "select seq, at_ms, line, received_day::text as day from audit_rows where received_day = any(array(" +
      "select generate_series($1::text::date, (now() at time zone 'UTC')::date + 1, interval '1 day')::date)) " +
      "and device_id = $2 and chain = $3 and seq > $4::bigint and seq <= $4::bigint + $5::bigint order by seq",
    [textOf(chain, "day"), textOf(chain, "device_id"), textOf(chain, "chain"), numberOf(chain, "seq"), want],
  );
}

/** A line that is no row is forwarded all the same: it is evidence. */
function entryOf(line: string, atMs: number): Entry {
  const entry = parseRow(line);
  if (entry !== undefined && Number.isSafeInteger(entry.timestamp_ms)) return entry;
  return {
    timestamp_ms: atMs,
    op: "control",
    hash: "",
    fields: { reason: `no row of the audit log: ${line}` },
  };
}
