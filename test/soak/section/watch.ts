// Part 2: streams that are quiet for long. No deadline may cut them, and an idle gateway must cost
// next to nothing.

import { openFiles, processorMs } from "../../../bench/process-usage.ts";
import { judgeOpenFiles, MemoryLevel } from "../level.ts";
import { LogWatch } from "../log-watch.ts";
import { LiveStreams } from "../origin/live-streams.ts";
import type { Report } from "../report.ts";
import { startScene } from "../scene.ts";

/** Milliseconds of a processor that the gateway may take in a minute for about a hundred streams. */
const IDLE_MS = 600;
/** A kept connection is given up after 15 minutes without a request. */
const KEPT_MS = 10 * 60_000;
const OFTEN_MS = 10_000;
/** Longer than the five minutes after which much software gives up. */
const SELDOM_MS = 5.5 * 60_000;
/** So that the last event of the quietest streams comes before the end. */
const BEFORE_END_MS = 600;
const TELL_MS = 5 * 60_000;

/** Watches for so long and reports every claim. */
export async function soakWatch(
  { minutes, tell }: { readonly minutes: number; readonly tell?: (line: string) => void },
  report: Report,
): Promise<void> {
  const forMs = minutes * 60_000;
  await using scene = await startScene(0);
  const { gateway } = scene;
  const log = new LogWatch(gateway.home);
  const live = new LiveStreams(scene);
  const paces = [Math.min(OFTEN_MS, forMs / 6), Math.min(SELDOM_MS, forMs / 3), forMs - BEFORE_END_MS];
  for (const everyMs of paces) await live.open(Math.floor(everyMs));
  await live.keep(KEPT_MS);
  const filesBefore = openFiles(gateway.pid);
  const processorBefore = processorMs(gateway.pid);
  const began = performance.now();
  const done = () => (performance.now() - began) / forMs;
  const memory = new MemoryLevel(gateway.pid, done);
  while (done() < 1) {
    await Bun.sleep(Math.min(TELL_MS, Math.ceil((1 - done()) * forMs)));
    if (done() < 1) tell?.(`${Math.round(done() * minutes)} of ${minutes} minutes`);
  }
  memory.stop();
  const idleMs = ((processorMs(gateway.pid) ?? Number.NaN) - (processorBefore ?? Number.NaN)) / minutes;
  judgeStreams(live, forMs, report);
  memory.judge(report, true);
  await judgeOpenFiles(report, gateway.pid, filesBefore);
  if (Number.isNaN(idleMs)) report.note("processor time is not known on this system");
  // In seconds one sees how the program warms up, and nothing else.
  else if (minutes < 1) report.note(`${idleMs.toFixed(0)} ms of a processor in a minute`);
  else
    report.claim(
      `an idle gateway takes at most ${IDLE_MS} ms of a processor in a minute`,
      idleMs <= IDLE_MS,
      `${idleMs.toFixed(0)} ms with ${live.streams.length} streams`,
    );
  await live.askAgain();
  const cut = live.streams.filter(({ name, problem }) => name.startsWith("a kept") && problem !== undefined);
  report.claim(
    "kept connections still serve",
    cut.length === 0,
    cut.map(({ problem }) => problem).join(", ") || "2",
  );
  live.close();
  const isAnswering = await scene.answers().catch(() => false);
  report.claim("the gateway still answers", isAnswering, isAnswering ? "200" : "no");
  log.stop();
  report.claim(
    "no unhandled error in iddio.log",
    log.errors.length === 0,
    `${log.lines} lines ${log.errors[0] ?? ""}`,
  );
}

function judgeStreams({ streams }: LiveStreams, forMs: number, report: Report): void {
  const cut = streams.filter(({ problem }) => problem !== undefined);
  report.claim(
    "no live stream was cut",
    cut.length === 0,
    `${streams.length} streams; ${cut.map(({ name, everyMs, problem }) => `${name} (${everyMs} ms): ${problem}`).join(", ") || "none was"}`,
  );
  // Timers of a busy machine are late, and lose a little each time.
  const least = ({ everyMs }: { everyMs: number }) => Math.floor((forMs / everyMs) * 0.9);
  const missing = streams.filter((stream) => stream.events < least(stream));
  const events = streams.reduce((sum, stream) => sum + stream.events, 0);
  report.claim(
    "every event came",
    missing.length === 0,
    `${events} events; ${missing.map((stream) => `${stream.name}: ${stream.events} of ${least(stream)}`).join(", ") || "none is missing"}`,
  );
}
