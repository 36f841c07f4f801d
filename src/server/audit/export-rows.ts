// The audit rows of a tenant as lines of JSON, for an archive or another program: in the order of
// their chains, a page a transaction, so that a long export holds nobody up. Lines are as the
// devices wrote them; beside each is its place, so that a chain can be checked again.

import { type Database, numberOf, textOf } from "../database/database.ts";

/** Which rows. */
export interface ExportRange {
  /** Received on or after this day, and before that one: `2026-11-29`, UTC. */
  readonly from: string;
  readonly to: string;
}

const PAGE = 1_000;

/** The rows, a line each. */
export async function* exportRows(
  database: Database,
  tenant: string,
  { from, to }: ExportRange,
): AsyncGenerator<string> {
  let after: readonly [device: string, chain: string, seq: number] = ["", "", 0];
  for (;;) {
    const rows = await database.run({ tenant }, (tx) =>
      tx.rows(
        "select device_id, chain, seq, line from audit_rows where received_day >= $1::text::date and received_day < $2::text::date " +
          `and (device_id, chain, seq) > ($3, $4, $5::bigint) order by device_id, chain, seq limit ${PAGE}`,
        [from, to, ...after],
      ),
    );
    for (const row of rows) {
      const [device, chain, seq] = [textOf(row, "device_id"), textOf(row, "chain"), numberOf(row, "seq")];
      after = [device, chain, seq];
      yield JSON.stringify({ device, chain, seq, line: textOf(row, "line") });
    }
    if (rows.length < PAGE) return;
  }
}
