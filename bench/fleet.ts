// `bun bench/fleet.ts`: one compiled control plane on PostgreSQL, many simulated devices, and real
// gateways beside them. Each sends rows, syncs, waits; some ask, and are answered. Prints what it
// did, how long answers took, and what it cost. `--devices 200 --seconds 60 --rows 100 --real 3`.

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openPostgres } from "../src/server/database/postgres.ts";
import { Sealer } from "../src/server/sealer.ts";
import { ownClient } from "../test/demo/agent.ts";
import { startCluster } from "../test/support/cluster/cluster.ts";
import { kubeconfigText } from "../test/support/cluster/kubeconfig-text.ts";
import { startGatewayProcess } from "../test/support/gateway.ts";
import { ControlPlane } from "../test/support/server/control-plane.ts";
import { startPostgres } from "../test/support/server/postgres-cluster.ts";
import { startServerProgram } from "../test/support/server/server-program.ts";
import { auditLine, type SimulatedDevice } from "../test/support/server/simulated-device.ts";
import { temporaryDirectory } from "../test/support/temporary-directory.ts";

/** The load on the server. */
interface FleetLoad {
  readonly devices: number;
  readonly seconds: number;
  /** In one batch. */
  readonly rows: number;
  /** Between two batches of a device; 0 for as fast as it goes. */
  readonly gapMs: number;
  /** Compiled gateways that do a request a second each. */
  readonly real: number;
}

interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const SYNC_EVERY_MS = 5_000;

function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** Processor time of a PostgreSQL and of its connections. */
async function postgresCpuMs(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const all = await Promise.all([pid, ...children.split(" ").filter(Boolean).map(Number)].map(costOf));
  return all.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** Processor time and memory of a process, as Linux counts them; zeros elsewhere. */
async function costOf(
  pid: number,
): Promise<{ readonly cpuMs: number; readonly rssMb: number; readonly peakMb: number }> {
  const [stat, status] = await Promise.all(
    ["stat", "status"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")),
  );
  const fields = (stat ?? "").slice((stat ?? "").lastIndexOf(")") + 2).split(" ");
  const megabytes = (name: string) =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status ?? "")?.[1] ?? 0) / 1000);
  return {
    cpuMs: (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10,
    rssMb: megabytes("VmRSS"),
    peakMb: megabytes("VmHWM"),
  };
}

async function runFleet({ devices: count, seconds, rows, gapMs, real }: FleetLoad) {
  await using folder = await temporaryDirectory();
  await using cluster = await startPostgres();
  const url = await cluster.database("fleet");
  const octets = randomBytes(32);
  const secret = join(folder.path, "secret");
  await writeFile(secret, octets.toString("base64"));
  const database = openPostgres({ url, maxConnections: 4 });
  await using plane = await ControlPlane.start(database, { domain: "localhost", sealer: new Sealer(octets) });
  const acme = await plane.tenant("acme");
  const owner = await plane.person(acme, "Olga", ["admin"]);
  const ada = await plane.person(acme, "Ada", ["approver"]);
  await using program = await startServerProgram(url, secret, folder.path);
  const devices: SimulatedDevice[] = [];
  while (devices.length < count)
    devices.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(10, count - devices.length) }, () => plane.device(acme, owner.id)),
      )),
    );
  for (const device of devices) Object.assign(device, { server: { url: program.url } });

  await using own = new AsyncDisposableStack();
  const target = own.use(await startCluster());
  const startReal = async (name: string) => {
    const machine = own.use(await startGatewayProcess());
    const token = await plane.enrollToken(acme, owner.id);
    const enrolled = await machine.run(["enroll", program.url, "--token", token, "--name", name]);
    if (enrolled.code !== 0) throw new Error(enrolled.stderr);
    return { machine, agent: await ownClient(await machine.overlay(kubeconfigText(target, "token"))) };
  };
  const machines: Awaited<ReturnType<typeof startReal>>[] = [];
  for (let at = 0; at < real; at++) machines.push(await startReal(`real-${at}`));

  const [serverBefore, databaseBefore] = [await costOf(program.pid), await postgresCpuMs(cluster.pid)];
  const clientBefore = process.cpuUsage();
  const started = performance.now();
  const until = started + seconds * 1000;
  const [batchMs, decisionMs]: [number[], number[]] = [[], []];
  let [sent, syncs, failures, decisions, requests] = [0, 0, 0, 0, 0];
  const failed = new Map<string, number>();
  const fail = (why: string) => {
    failures += 1;
    failed.set(why, (failed.get(why) ?? 0) + 1);
  };
  const lines = Array.from({ length: rows }, () => auditLine({ command: "pods list", path: "/api/v1/pods" }));
  const stop = new AbortController();

  const send = async (device: SimulatedDevice) => {
    await Bun.sleep(Math.random() * gapMs);
    let syncAt = performance.now() + Math.random() * SYNC_EVERY_MS;
    while (performance.now() < until) {
      const before = performance.now();
      const { status, body } = await device.sendRows(lines);
      batchMs.push(performance.now() - before);
      if (status === 200) sent += lines.length;
      else fail(`audit ${status} ${body.code}`);
      if (performance.now() > syncAt) {
        syncAt += SYNC_EVERY_MS;
        const begun = await device.preflight();
        if (begun.status === 200) syncs += 1;
        else fail(`preflight ${begun.status}`);
      }
      await Bun.sleep(gapMs);
    }
  };
  const wait = async (device: SimulatedDevice) => {
    let after = 0;
    while (performance.now() < until) {
      const left = Math.max(0, Math.min(20_000, until - performance.now()));
      const { status, body } = await device.call("wait", { after, wait_ms: left }, stop.signal);
      if (status !== 200) fail(`wait ${status}`);
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
      const response = await fetch(`${program.url}/api/v1/approvals/${device.id}/${held.nonce}/decide`, {
        method: "POST",
        headers: { authorization: `Bearer ${ada.token}` },
        body: JSON.stringify({ verb: "allow", digest: held.digest }),
      });
      await response.body?.cancel();
      if (response.status !== 200) fail(`decide ${response.status}`);
      await Bun.sleep(200);
    }
  };
  const work = async ({ agent }: (typeof machines)[number]) => {
    while (performance.now() < until) {
      const request = { method: "GET", path: "/api/v1/namespaces/payments/pods" };
      const { isDone } = await agent.act({ kubectl: [], request });
      if (isDone) requests += 1;
      else fail("a request through a real gateway");
      await Bun.sleep(1000);
    }
  };
  await Promise.all([...devices.map(send), ...devices.map(wait), decide(), ...machines.map(work)]);
  stop.abort();
  const took = (performance.now() - started) / 1000;
  const serverAfter = await costOf(program.pid);
  const databaseMs = (await postgresCpuMs(cluster.pid)) - databaseBefore;
  const { user, system } = process.cpuUsage(clientBefore);
  const perRow = (ms: number) => Math.round((ms * 1000) / Math.max(1, sent));
  const behind: number[] = [];
  for (const { machine } of machines) {
    await machine.run(["fleet", "sync"]);
    const { stdout } = await machine.run(["fleet", "status", "--json"]);
    behind.push((JSON.parse(stdout) as { audit_behind_bytes?: number }).audit_behind_bytes ?? -1);
  }
  const [stored] = await database.run({ tenant: acme.id }, (tx) =>
    tx.rows(
      "select count(*)::int as rows, count(*) filter (where d.name like 'real-%')::int as of_real from audit_rows r join devices d on d.id = r.device_id",
    ),
  );
  return {
    rows: sent,
    rows_per_second: Math.round(sent / took),
    stored_rows: Number(stored?.rows),
    lost_rows: sent - (Number(stored?.rows) - Number(stored?.of_real)),
    syncs,
    decisions,
    failures: failures === 0 ? 0 : Object.fromEntries(failed),
    batch_ms: quantiles(batchMs),
    decision_ms: quantiles(decisionMs),
    real: { gateways: machines.length, requests, stored_rows: Number(stored?.of_real), behind_bytes: behind },
    server: {
      resident_mb: serverAfter.rssMb,
      peak_mb: serverAfter.peakMb,
      cpu_percent: Math.round((serverAfter.cpuMs - serverBefore.cpuMs) / took / 10),
      cpu_us_per_row: perRow(serverAfter.cpuMs - serverBefore.cpuMs),
    },
    database: { cpu_percent: Math.round(databaseMs / took / 10), cpu_us_per_row: perRow(databaseMs) },
    simulation: { cpu_us_per_row: perRow((user + system) / 1000) },
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      devices: { type: "string", default: "200" },
      seconds: { type: "string", default: "60" },
      rows: { type: "string", default: "100" },
      gap: { type: "string", default: "1000" },
      real: { type: "string", default: "3" },
    },
  });
  const load = {
    devices: Number(values.devices),
    seconds: Number(values.seconds),
    rows: Number(values.rows),
    gapMs: Number(values.gap),
    real: Number(values.real),
  };
  process.stdout.write(`${JSON.stringify({ ...load, ...(await runFleet(load)) }, null, 2)}\n`);
}
