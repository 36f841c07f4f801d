// The gain of a short-lived client from the pool when the upstream is 40 ms away: a raw request on
// a new connection, and a real kubectl. The way there is a relay on loopback that holds bytes back.

import { readdir, realpath, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { startCluster } from "../../test/support/cluster/cluster.ts";
import { kubeconfigText } from "../../test/support/cluster/kubeconfig-text.ts";
import { type GatewayProcess, startGatewayProcess } from "../../test/support/gateway.ts";
import type { Bench, Section } from "../bench.ts";
import { benchPolicy, startIddio } from "../peer/iddio.ts";
import { startDirect } from "../peer/peer.ts";
import type { Report } from "../report.ts";
import { median, ratios, type Series, short, shown } from "../series.ts";
import { startWorker, type Worker } from "../worker.ts";

const ROUND_TRIP_MS = 40;
const REQUESTS = 8;

/** Both measurements. */
export const delaySection: Section = {
  name: "delay",
  summary: `a request on a new connection with ${ROUND_TRIP_MS} ms to the upstream, pool warm`,
  async run(bench) {
    await rawRequest(bench);
    await kubectlGet(bench);
  },
};

function startDelay(delay: Worker, port: number): Promise<number> {
  return delay.call<number>("start", { port, roundTripMs: ROUND_TRIP_MS });
}

async function rawRequest(bench: Bench): Promise<void> {
  await using delay = startWorker("delay-process.ts");
  const port = await startDelay(delay, bench.origin.tls);
  const origin = { ...bench.origin, tls: port };
  await using iddio = await startIddio(origin);
  const direct = await startDirect(origin);
  if (typeof direct === "string") return;
  const measure = async (route: unknown) =>
    median(await bench.load.call<number[]>("latencies", { route, count: REQUESTS }));
  await measure(iddio.route(origin, "tls"));
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < bench.rounds; round++) {
    times[0].push(await measure(iddio.route(origin, "tls")));
    times[1].push(await measure(direct.route(origin, "tls")));
  }
  show(bench.report, "raw request", times, 0.45);
}

async function kubectlGet(bench: Bench): Promise<void> {
  const kubectl = await plainKubectl();
  if (kubectl === undefined) {
    bench.report.write("  left out: kubectl is not installed");
    return;
  }
  await using delay = startWorker("delay-process.ts");
  await using cluster = await startCluster();
  const port = await startDelay(delay, cluster.port);
  await using gateway = await startGatewayProcess({ policy: benchPolicy([`127.0.0.1:${port}`]) });
  const near = kubeconfigText({ ...cluster, url: `https://127.0.0.1:${port}` }, "token");
  const direct = join(gateway.home, "direct.kubeconfig");
  await writeFile(direct, near, { mode: 0o600 });
  const overlay = await gateway.overlay(near);
  const run = (kubeconfig: string) => timeOf(gateway, kubectl, kubeconfig);
  // The first runs fill kubectl's own cache of the API, and the pool.
  for (const kubeconfig of [direct, overlay, direct, overlay]) await run(kubeconfig);
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < bench.rounds; round++) {
    times[0].push(median([await run(overlay), await run(overlay), await run(overlay)]));
    times[1].push(median([await run(direct), await run(direct), await run(direct)]));
  }
  show(bench.report, "kubectl get pods", times, 0.6);
}

/** Google's kubectl asks for the server's version and starts the one that fits: its own start and request are not measured. */
async function plainKubectl(): Promise<string | undefined> {
  const found = Bun.which("kubectl");
  if (found === null) return undefined;
  const folder = dirname(await realpath(found));
  const versions = (await readdir(folder)).filter((name) => /^kubectl\.1\.\d+$/.test(name));
  const minor = (name: string) => Number(name.split(".").at(-1));
  const newest = versions.sort((a, b) => minor(a) - minor(b)).at(-1);
  return newest === undefined ? found : join(folder, newest);
}

async function timeOf(gateway: GatewayProcess, kubectl: string, kubeconfig: string): Promise<number> {
  const started = performance.now();
  const child = Bun.spawn([kubectl, "get", "pods"], {
    env: { PATH: process.env.PATH ?? "", HOME: gateway.home, KUBECONFIG: kubeconfig },
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = await new Response(child.stdout).text();
  const elapsed = performance.now() - started;
  if ((await child.exited) !== 0 || !output.includes("Running"))
    throw new Error(`kubectl get pods: ${output}${await new Response(child.stderr).text()}`);
  return elapsed;
}

function show(report: Report, what: string, [iddio, direct]: [Series, Series], limit: number): void {
  report.table([
    [what, "ms"],
    ["iddio", shown(iddio)],
    ["direct", shown(direct)],
  ]);
  const series = ratios(iddio, direct);
  report.bar({
    what: `${what}, ${ROUND_TRIP_MS} ms away: iddio / direct`,
    value: median(series),
    limit,
    wants: "at most",
    spread: `${short(Math.min(...series))} to ${short(Math.max(...series))}`,
  });
}
