// Part 4, second half: connections that are dropped half-way at every stage, and what they leave
// behind.

import { residentMb } from "../../../bench/process-usage.ts";
import { clientHello, dropAt, type HalfWay, STAGES } from "../half-way.ts";
import { judgeOpenFiles } from "../level.ts";
import { LogWatch } from "../log-watch.ts";
import type { Report } from "../report.ts";
import { startScene } from "../scene.ts";

/** At the same time. */
const LANES = 100;
/** Of the drops, how many come before memory is measured: the program has to have run for a while. */
const WARMING = 0.25;
const GROWTH = 1.1;
/** A program that has hardly run may still grow by this much. */
const WARMING_MB = 40;

/** Drops that many connections and reports every claim. */
export async function soakDrops({ drops }: { readonly drops: number }, report: Report): Promise<void> {
  await using scene = await startScene(0);
  const { gateway, origin } = scene;
  const log = new LogWatch(gateway.home);
  const to: HalfWay = {
    proxyPort: gateway.port,
    authority: `localhost:${origin.ports.http1}`,
    caPem: gateway.caPem,
    hello: await clientHello(),
  };
  const problems: string[] = [];
  await dropMany(to, Math.ceil(drops * WARMING), problems);
  await Bun.sleep(500);
  const before = residentMb(gateway.pid);
  const began = performance.now();
  await dropMany(to, drops, problems);
  const seconds = (performance.now() - began) / 1000;
  report.claim(
    `${drops} connections are dropped, ${STAGES.length} stages in turn`,
    problems.length === 0,
    `in ${seconds.toFixed(1)} s; ${problems.slice(0, 5).join(" | ") || "each got as far as it should"}`,
  );
  await scene.quiet();
  await scene.hurry();
  await judgeOpenFiles(report, gateway.pid, scene.filesBefore);
  const after = residentMb(gateway.pid);
  if (before === undefined || after === undefined) report.note("memory is not known on this system");
  else
    report.claim(
      "memory is as before",
      after <= Math.max(before * GROWTH, before + WARMING_MB),
      `${before.toFixed(1)} MB before, ${after.toFixed(1)} after`,
    );
  const isAnswering = await scene.answers().catch(() => false);
  report.claim("the gateway still answers", isAnswering, isAnswering ? "200" : "no");
  log.stop();
  const warnings = [...log.warnings].map(([message, count]) => `${message} ${count}`).join(", ");
  report.claim(
    "no unhandled error in iddio.log",
    log.errors.length === 0,
    `${log.lines} lines ${log.errors[0] ?? ""}`,
  );
  report.note(`warnings: ${warnings || "none"}`);
}

async function dropMany(to: HalfWay, count: number, problems: string[]): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const number = next;
      next += 1;
      const stage = STAGES[number % STAGES.length] ?? "before CONNECT";
      // Every stage both ways.
      const isRude = Math.floor(number / STAGES.length) % 2 === 0;
      await dropAt(stage, to, isRude).catch((error: Error) => problems.push(error.message));
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, count) }, lane));
}
