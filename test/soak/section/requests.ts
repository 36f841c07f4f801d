// Part 1: requests and connections of every sort, for long, with an upstream that is killed again
// and again.

import { join } from "node:path";
import { processorMs } from "../../../bench/process-usage.ts";
import { startWorker } from "../../../bench/worker.ts";
import { AuditTally } from "../audit-tally.ts";
import { Approver } from "../client/approver.ts";
import { notedFaults } from "../ledger.ts";
import { judgeOpenFiles, MemoryLevel, WARM_REQUESTS } from "../level.ts";
import type { Fault, LoadOrder, LoadProgress } from "../load.ts";
import { LogWatch } from "../log-watch.ts";
import type { Outage } from "../origin/origin.ts";
import type { Report } from "../report.ts";
import { type Scene, startScene } from "../scene.ts";
import { judgeRequests } from "../verdicts.ts";

/** How much of it. */
export interface RequestsOptions {
  readonly requests: number;
  readonly connections: number;
  /** How often the upstream is killed. */
  readonly kills: number;
  readonly seed: number;
  /** Does not wait until the gateway looks after its connections by itself. */
  readonly isHurried?: boolean;
  /** Says how far it is, a line now and then. */
  readonly tell?: (line: string) => void;
}

/** Connections at the same time. */
const LANES = 48;
const LOOK_MS = 250;
const TELL_MS = 15_000;
/**
 * A request that was under way when the upstream was killed, or is kept from before, may be noticed this much
 * later.
 */
const AFTER_MS = 2_000;
const END_MS = 1_000;
/** One piece of work that keeps all others waiting. */
export const STALL_MS = 50;

/** Runs it and reports every claim. */
export async function soakRequests(options: RequestsOptions, report: Report): Promise<void> {
  await using scene = await startScene(options.requests);
  const { gateway, origin, ledger, directory } = scene;
  await using worker = startWorker(join(import.meta.dir, "../load-process.ts"));
  const log = new LogWatch(gateway.home);
  const approver = new Approver(gateway, ledger, options.seed + 1);
  const order: LoadOrder = {
    ledger: { directory, size: ledger.size },
    proxyPort: gateway.port,
    caPem: gateway.caPem,
    ports: origin.ports,
    requests: options.requests,
    connections: options.connections,
    lanes: LANES,
    seed: options.seed,
  };
  const began = performance.now();
  let done = 0;
  const memory = new MemoryLevel(gateway.pid, () => done);
  const running = { is: true };
  const load = worker.call<LoadProgress>("run", order).finally(() => {
    running.is = false;
  });
  let told = performance.now();
  let stallMs = 0;
  // The daemon tells the longest of the last minute.
  const lookAtStall = async () => {
    const { longest_stall_ms = 0 } = await gateway.control.call("status", {});
    stallMs = Math.max(stallMs, longest_stall_ms);
  };
  while (running.is) {
    await Promise.race([Bun.sleep(LOOK_MS), load]);
    const progress = await worker.call<LoadProgress>("progress");
    done = Math.min(progress.requests / options.requests, progress.connections / options.connections);
    if (done < 1 && done * (options.kills + 1) >= origin.outages.length + 1) await origin.killAndRestart();
    if (performance.now() - told < TELL_MS) continue;
    told = performance.now();
    await lookAtStall();
    options.tell?.(
      `${Math.round(done * 100)} %: ${progress.requests} requests, ${progress.connections} connections`,
    );
  }
  const result = await load;
  await lookAtStall();
  memory.stop();
  await approver.stop();
  const seconds = (performance.now() - began) / 1000;
  const perRequest = (processorMs(gateway.pid) ?? Number.NaN) / result.requests;
  report.note(
    `${result.requests} requests, ${result.connections} connections, ${origin.outages.length} kills in ${seconds.toFixed(0)} s; the gateway took ${perRequest.toFixed(3)} ms of a processor for each request`,
  );
  // A run of seconds in CI, beside other tests, says nothing of it.
  if (options.isHurried) report.note(`the longest stall was ${stallMs} ms`);
  else report.claim(`nothing stalls for ${STALL_MS} ms`, stallMs < STALL_MS, `${stallMs} ms at most`);
  memory.judge(report, options.requests >= WARM_REQUESTS);
  judgeFaults(report, result.faults, origin.outages);
  const upstreamFaults = notedFaults(ledger);
  report.claim(
    "the upstream finds no fault with what reaches it",
    upstreamFaults.length === 0,
    few(upstreamFaults),
  );
  const { problems, decided, tooLate } = approver;
  report.claim(
    "the approver met no problem",
    problems.length === 0,
    `${decided} decisions, ${tooLate} too late; ${few(problems)}`,
  );
  await scene.quiet();
  if (options.isHurried) await scene.hurry();
  await judgeEnd(scene, report);
  log.stop();
  const warnings = [...log.warnings].map(([message, count]) => `${message} ${count}`).join(", ");
  report.claim(
    "no unhandled error in iddio.log",
    log.errors.length === 0,
    `${log.lines} lines; ${few(log.errors)}`,
  );
  report.note(`warnings: ${warnings || "none"}`);
  await judgeAudit(scene, result, report);
}

/** Whatever broke or failed did so because the upstream was away. */
function judgeFaults(report: Report, faults: readonly Fault[], outages: readonly Outage[]): void {
  const isExcused = ({ at, what }: Fault) =>
    /^a (?:reply|tunnel) /.test(what) && outages.some(({ from, to }) => at >= from && at <= to + AFTER_MS);
  const others = faults.filter((fault) => !isExcused(fault));
  const excused = faults.length - others.length;
  report.claim(
    "nothing broke or failed but while the upstream was killed",
    others.length === 0,
    `${excused} then, ${others.length} otherwise; ${few(others.map((fault) => described(fault, outages)))}`,
  );
}

/** The gateway after the load: as before it, still answering, clean, and gone at once when told so. */
async function judgeEnd(scene: Scene, report: Report): Promise<void> {
  const { gateway, filesBefore } = scene;
  await judgeOpenFiles(report, gateway.pid, filesBefore);
  const isAnswering = await scene.answers().catch(() => false);
  report.claim("the gateway still answers", isAnswering, isAnswering ? "200" : "no");
  const { code, stdout, stderr } = await gateway.run(["status", "--json"]);
  const status = code === 0 ? JSON.parse(stdout) : {};
  const isClean =
    status.pending_approvals === 0 && status.policy === "loaded" && !("audit_problem" in status);
  report.claim(
    "iddio status is clean",
    isClean,
    isClean ? "nothing waits, no problem" : `${stdout}${stderr}`,
  );
  const asked = performance.now();
  await gateway.kill("SIGTERM");
  const tookMs = performance.now() - asked;
  report.claim("the gateway ends on SIGTERM in under a second", tookMs < END_MS, `${tookMs.toFixed(0)} ms`);
}

async function judgeAudit({ gateway, ledger }: Scene, result: LoadProgress, report: Report): Promise<void> {
  const tally = new AuditTally(ledger.size);
  await tally.read(join(gateway.home, "audit.jsonl"));
  judgeRequests(report, ledger, tally);
  report.claim(
    "the audit has no row but those",
    tally.strangers.length === 0,
    `${tally.rows} rows, ${tally.cutHeads} of them of heads that were cut off; ${few(tally.strangers)}`,
  );
  const { tunnels, echoedTunnels } = result;
  const opened = tally.passthroughs + tally.unreached;
  report.claim(
    "every tunnel has a row",
    tally.passthroughs >= echoedTunnels && opened <= tunnels,
    `${tunnels} tunnels, ${echoedTunnels} of them to their end; ${tally.passthroughs} rows, and ${tally.unreached} of tunnels whose upstream was away`,
  );
}

/** A fault, and how long after the last outage before it. */
function described({ at, what }: Fault, outages: readonly Outage[]): string {
  const last = outages.findLast(({ from }) => from <= at);
  return last === undefined
    ? `${what}, before any kill`
    : `${what}, ${at - last.to} ms after the upstream was back`;
}

function few(lines: readonly string[]): string {
  const more = lines.length > 5 ? ` and ${lines.length - 5} more` : "";
  return lines.length === 0 ? "none otherwise" : lines.slice(0, 5).join(" | ") + more;
}
