// `bun bench/fleet.ts`: many simulated devices at one control plane on PostgreSQL. Each sends rows,
// syncs, waits; some ask, and are answered. Prints what it did and how long the answers took.
// `--devices 200 --seconds 60 --rows 100`.

import { parseArgs } from "node:util";
import { openPostgres } from "../src/server/database/postgres.ts";
import { ControlPlane } from "../test/support/control-plane.ts";
import { startPostgres } from "../test/support/postgres-cluster.ts";
import { auditLine, type SimulatedDevice } from "../test/support/simulated-device.ts";

/** The load on the server. */
export interface FleetLoad {
  readonly devices: number;
  readonly seconds: number;
  /** In one batch. */
  readonly rows: number;
  /** Between two batches of a device; 0 for as fast as it goes. */
  readonly gapMs: number;
}

/** The result of the load. */
export interface FleetResult {
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly stored: number;
  readonly syncs: number;
  readonly decisions: number;
  readonly failures: number;
  readonly batchMs: Quantiles;
  readonly decisionMs: Quantiles;
  readonly residentMb: number;
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
  return { p50: at(0.5), p99: at(0.99) };
}

/** Runs a load against a server of its own. */
export async function runFleet({ devices: count, seconds, rows, gapMs }: FleetLoad): Promise<FleetResult> {
  await using cluster = await startPostgres();
  const database = openPostgres({ url: await cluster.database("fleet"), maxConnections: 16 });
  await using plane = await ControlPlane.start(database, { domain: "localhost" });
  const acme = await plane.tenant("acme");
  const owner = await plane.person(acme, "Olga", ["admin"]);
  const ada = await plane.person(acme, "Ada", ["approver"]);
  const devices: SimulatedDevice[] = [];
  while (devices.length < count)
    devices.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(10, count - devices.length) }, () => plane.device(acme, owner.id)),
      )),
    );
  const until = performance.now() + seconds * 1000;
  const [batchMs, decisionMs]: [number[], number[]] = [[], []];
  let [sent, syncs, failures, decisions] = [0, 0, 0, 0];
  const lines = Array.from({ length: rows }, () => auditLine({ command: "pods list", path: "/api/v1/pods" }));
  const stop = new AbortController();

  const send = async (device: SimulatedDevice) => {
    await Bun.sleep(Math.random() * gapMs);
    while (performance.now() < until) {
      const started = performance.now();
      const { status } = await device.sendRows(lines);
      batchMs.push(performance.now() - started);
      if (status === 200) sent += lines.length;
      else failures += 1;
      if ((await device.preflight()).status === 200) syncs += 1;
      await Bun.sleep(gapMs);
    }
  };
  const wait = async (device: SimulatedDevice) => {
    let after = 0;
    while (performance.now() < until) {
      const left = Math.max(0, Math.min(20_000, until - performance.now()));
      const { status, body } = await device.call("wait", { after, wait_ms: left }, stop.signal);
      if (status !== 200) failures += 1;
      after = body.cursor ?? after;
      for (const decision of body.decisions ?? []) {
        const { decided_ms } = JSON.parse(decision.payload) as { decided_ms: number };
        decisionMs.push(Date.now() - decided_ms);
        decisions += 1;
      }
    }
  };
  const decide = async () => {
    while (performance.now() < until - 2000) {
      const device = devices[Math.floor(Math.random() * devices.length)];
      if (device === undefined) return;
      const held = await device.hold();
      const path = `/api/v1/approvals/${device.id}/${held.nonce}/decide`;
      const { status } = await plane.api(acme, ada.token, "POST", path, {
        verb: "allow",
        digest: held.digest,
      });
      if (status !== 200) failures += 1;
      await Bun.sleep(200);
    }
  };
  await Promise.all([...devices.map(send), ...devices.map(wait), decide()]);
  stop.abort();
  const [row] = await database.run({ tenant: acme.id }, (tx) =>
    tx.rows("select count(*)::int as stored from audit_rows"),
  );
  return {
    rows: sent,
    rowsPerSecond: Math.round(sent / seconds),
    stored: Number(row?.stored),
    syncs,
    decisions,
    failures,
    batchMs: quantiles(batchMs),
    decisionMs: quantiles(decisionMs),
    residentMb: Math.round(process.memoryUsage().rss / 1e6),
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      devices: { type: "string", default: "200" },
      seconds: { type: "string", default: "60" },
      rows: { type: "string", default: "100" },
      gap: { type: "string", default: "1000" },
    },
  });
  const load = {
    devices: Number(values.devices),
    seconds: Number(values.seconds),
    rows: Number(values.rows),
    gapMs: Number(values.gap),
  };
  process.stdout.write(`${JSON.stringify({ ...load, ...(await runFleet(load)) }, null, 2)}\n`);
}
