// iddio's demands on the machine: its start, its memory, its disk.

import { appendFileSync, closeSync, openSync, statSync, writeSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../../test/support/built-binary.ts";
import { auditRow } from "../audit-row.ts";
import type { Section } from "../bench.ts";
import type { LoadResult } from "../load/process.ts";
import { BESIDE, startIddio } from "../peer/iddio.ts";
import { openFiles, residentMb } from "../process-usage.ts";
import { median, ratios, type Series, short, shown } from "../series.ts";
import { runScript } from "./decide.ts";

function runMs(command: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  const started = performance.now();
  const { stderr, exitCode } = Bun.spawnSync([...command], {
    env: { PATH: process.env.PATH ?? "", HOME: tmpdir(), ...env },
    stdout: "ignore",
    stderr: "pipe",
  });
  const elapsed = performance.now() - started;
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return elapsed;
}

/** Medians of a few runs each, alternating, a value a round. */
function alternate(rounds: number, runs: readonly (() => number)[]): Series[] {
  for (const run of runs) run();
  const series: number[][] = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const times: number[][] = runs.map(() => []);
    for (let turn = 0; turn < 7; turn++) for (const [index, run] of runs.entries()) times[index]?.push(run());
    for (const [index, each] of times.entries()) series[index]?.push(median(each));
  }
  return series;
}

/** `status --quiet` beside kubectl's smallest command. */
export const startUpSection: Section = {
  name: "start-up",
  summary: "iddio status --quiet, which runs at every shell start",
  async run(bench) {
    await using iddio = await startIddio(bench.origin);
    const kubectl = Bun.which("kubectl");
    const status = () => runMs([builtBinary(), "status", "--quiet"], { IDDIO_HOME: iddio.home });
    const { beside } = bench;
    await using earlier =
      beside === undefined ? undefined : await startIddio(bench.origin, { binary: beside });
    const commands: [string, () => number][] = [["iddio status --quiet", status]];
    if (kubectl !== null)
      commands.push(["kubectl version --client", () => runMs([kubectl, "version", "--client"])]);
    if (beside !== undefined && earlier !== undefined)
      commands.push([
        `${BESIDE} status --quiet`,
        () => runMs([beside, "status", "--quiet"], { IDDIO_HOME: earlier.home }),
      ]);
    const series = alternate(
      bench.rounds,
      commands.map(([, run]) => run),
    );
    const of = (start: string) => series[commands.findIndex(([name]) => name.startsWith(start))];
    const [own = [], other, before] = [series[0], of("kubectl"), of(BESIDE)];
    bench.report.table([["", "ms"], ...commands.map(([name], index) => [name, shown(series[index] ?? [])])]);
    if (before !== undefined)
      bench.report.bar({
        what: `status --quiet: iddio / ${BESIDE}`,
        value: median(ratios(own, before)),
        limit: 1.03,
        wants: "at most",
      });
    bench.report.bar({
      what: "status --quiet",
      value: median(own),
      limit: 15,
      wants: "at most",
      unit: " ms",
    });
    if (other !== undefined)
      bench.report.bar({
        what: "status --quiet / kubectl version --client",
        value: median(ratios(own, other)),
        limit: 0.5,
        wants: "at most",
      });
  },
};

const TUNNELS = 1000;
/** A daemon that nobody has asked anything for so long is idle. */
const IDLE_MS = 7_000;

/** Resident memory of a fresh daemon, with many idle tunnels, and over many requests. */
export const memorySection: Section = {
  name: "memory",
  summary: "resident memory: idle, with 1,000 idle tunnels, over many requests",
  async run(bench) {
    await using iddio = await startIddio(bench.origin);
    const resident = () => residentMb(iddio.pid) ?? Number.NaN;
    const { report } = bench;
    // The code that only its start ran is given back after five seconds.
    await Bun.sleep(IDLE_MS);
    const idle = resident();
    const { beside } = bench;
    await using earlier =
      beside === undefined ? undefined : await startIddio(bench.origin, { binary: beside });
    if (earlier !== undefined) await Bun.sleep(IDLE_MS);
    const before = earlier === undefined ? undefined : residentMb(earlier.pid);
    await bench.load.call("openIdle", { route: iddio.route(bench.origin, "echo"), count: TUNNELS });
    await Bun.sleep(500);
    const tunnels = resident();
    const files = openFiles(iddio.pid);
    await bench.load.call("closeIdle");
    const levels: [number, number][] = [];
    const steps = 10;
    for (let step = 1; step <= steps; step++) {
      await bench.load.call<LoadResult>("requests", {
        route: iddio.route(bench.origin, "tls"),
        connections: 16,
        durationMs: 0,
        count: Math.ceil(bench.memoryRequests / steps),
      });
      levels.push([Math.ceil((bench.memoryRequests * step) / steps), resident()]);
    }
    report.table([
      ["", "MB"],
      ["idle", short(idle)],
      ...(before === undefined ? [] : [[`idle, ${BESIDE}`, short(before)]]),
      ["the program's file", short(statSync(builtBinary()).size / 1e6)],
      ...(beside === undefined
        ? []
        : [[`the program's file, ${BESIDE}`, short(statSync(beside).size / 1e6)]]),
      [`with ${TUNNELS} idle tunnels${files === undefined ? "" : ` (${files} open files)`}`, short(tunnels)],
      ...levels.map(([requests, level]) => [`after ${requests} requests`, short(level)]),
    ]);
    report.bar({ what: "memory idle", value: idle, limit: 70, wants: "at most", unit: " MB" });
    report.bar({ what: "memory, 1,000 tunnels", value: tunnels, limit: 120, wants: "at most", unit: " MB" });
    // The first tenth fills caches and lets the heap find its size; from there it must stay.
    const settled = levels[Math.floor(steps / 2) - 1]?.[1] ?? Number.NaN;
    const last = levels.at(-1)?.[1] ?? Number.NaN;
    report.bar({
      what: `memory after ${bench.memoryRequests} requests / after half of them`,
      value: last / settled,
      limit: 1.1,
      wants: "at most",
    });
  },
};

/** A state directory whose audit log has at least so many bytes. */
async function auditOf(directory: string, name: string, bytes: number): Promise<string> {
  const home = join(directory, name);
  await mkdir(home, { mode: 0o700 });
  const path = join(home, "audit.jsonl");
  appendFileSync(path, "", { mode: 0o600 });
  const block = Buffer.from(
    Array.from({ length: 2000 }, (_, index) => `${JSON.stringify(auditRow(index))}\n`).join(""),
  );
  const file = openSync(path, "a");
  for (let written = 0; written < bytes; written += block.length) writeSync(file, block);
  closeSync(file);
  return home;
}

/** The end of a small and of a large audit log; and rows a second. */
export const auditSection: Section = {
  name: "audit",
  summary: "audit show --last 50 on 1 GB beside 1 MB; durable rows a second",
  async run(bench) {
    const directory = await mkdtemp(join(tmpdir(), "iddio-bench-"));
    try {
      const large = await auditOf(directory, "large", bench.isQuick ? 1e8 : 1e9);
      const small = await auditOf(directory, "small", 1e6);
      const show = (home: string) => () =>
        runMs([builtBinary(), "audit", "show", "--last", "50"], { IDDIO_HOME: home });
      const [onLarge = [], onSmall = []] = alternate(bench.rounds, [show(large), show(small)]);
      const size = bench.isQuick ? "100 MB" : "1 GB";
      bench.report.table([
        ["audit show --last 50", "ms"],
        [size, shown(onLarge)],
        ["1 MB", shown(onSmall)],
      ]);
      bench.report.bar({
        what: `audit show on ${size} / on 1 MB`,
        value: median(ratios(onLarge, onSmall)),
        limit: 2,
        wants: "at most",
      });
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    await runScript("journal.ts");
  },
};
