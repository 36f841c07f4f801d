// The page of metrics, in the text format of Prometheus. Counters are kept by the parts; the
// database is asked when the page is.

import { numberOf } from "../database/database.ts";
import type { ServerParts } from "../parts.ts";
import { listTenants } from "../tenants.ts";

const MINUTE_MS = 60_000;
/** Asked for this many tenants at most; the sums say how many were. */
const MAX_TENANTS = 200;

/** The page. */
export async function renderMetrics({ database, counters, ticks, nowMs }: ServerParts): Promise<string> {
  const lines: string[] = [];
  const seen = new Set<string>();
  const say = (name: string, value: number, kind: "counter" | "gauge") => {
    const base = name.replace(/\{.*$/, "");
    if (!seen.has(base)) lines.push(`# TYPE ${base} ${kind}`);
    seen.add(base);
    lines.push(`${name} ${value}`);
  };
  for (const [name, value] of counters.entries()) say(name, value, "counter");
  say("iddio_waiting_polls", ticks.waiting, "gauge");
  say("process_resident_memory_bytes", process.memoryUsage().rss, "gauge");
  const tenants = await listTenants(database);
  say("iddio_tenants", tenants.length, "gauge");
  let [devices, online, waiting] = [0, 0, 0];
  for (const { id } of tenants.slice(0, MAX_TENANTS)) {
    const [row] = await database.run({ tenant: id }, (tx) =>
      tx.rows(
        "select (select count(*) from devices where revoked_ms is null) as devices, " +
          "(select count(*) from devices where revoked_ms is null and seen_ms > $1) as online, " +
          "(select count(*) from approvals where state = 'waiting') as waiting",
        [nowMs() - 2 * MINUTE_MS],
      ),
    );
    if (row === undefined) continue;
    devices += numberOf(row, "devices");
    online += numberOf(row, "online");
    waiting += numberOf(row, "waiting");
  }
  say("iddio_devices", devices, "gauge");
  say("iddio_devices_online", online, "gauge");
  say("iddio_approvals_waiting", waiting, "gauge");
  return `${lines.join("\n")}\n`;
}
