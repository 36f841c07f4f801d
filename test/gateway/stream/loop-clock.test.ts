// The longest stall that `iddio status` shows: what kept the loop within the last minute, and not
// what kept the machine.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { LOOP_TIME, LoopClock } from "../../../src/gateway/stream/loop-clock.ts";
import { openProcessorWait } from "../../../src/gateway/stream/processor-wait.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

/** Half a second between its ticks, less what timers are early. */
const REST_MS = 490;

/** Takes so many milliseconds of a processor, however long that is on a busy machine. */
function burn(ms: number): void {
  const before = process.threadCpuUsage();
  for (let used = 0; used < ms * 1000; ) {
    // Each question goes to the kernel: asked without a pause, it is most of what this thread does.
    for (let i = 0; i < 10_000; i++) Math.random();
    const { user, system } = process.threadCpuUsage(before);
    used = user + system;
  }
}

test("a loop that stood still is told with how long", async () => {
  const clock = new LoopClock(() => true);
  try {
    await Bun.sleep(50);
    burn(500);
    const stalled = await eventually(
      async () => clock.longestStallMs,
      (ms) => ms >= 350,
    );
    expect(stalled).toBeLessThan(60_000);
    // It is the longest of the last minute, not the last.
    await Bun.sleep(100);
    expect(clock.longestStallMs).toBeGreaterThanOrEqual(stalled);
  } finally {
    clock.close();
  }
}, 120_000);

test("the time in which others had the processor is not the loop's", async () => {
  // As if it had waited all the time.
  const clock = new LoopClock(
    () => true,
    () => performance.now(),
  );
  try {
    await Bun.sleep(50);
    burn(200);
    await Bun.sleep(50);
    expect(clock.longestStallMs).toBe(0);
  } finally {
    clock.close();
  }
}, 120_000);

test("the clock rests while connections are open and nothing is sent, and goes on when something is", async () => {
  let asked = performance.now();
  let gap = 0;
  const clock = new LoopClock(() => {
    gap = performance.now() - asked;
    asked += gap;
    return true;
  });
  try {
    const gapWhen = (isGood: (ms: number) => boolean) => eventually(async () => gap, isGood);
    await gapWhen((ms) => ms > 0 && ms < REST_MS / 2);
    await gapWhen((ms) => ms >= REST_MS);
    LOOP_TIME.hasMoved = true;
    await gapWhen((ms) => ms < REST_MS / 2);
  } finally {
    clock.close();
  }
}, 120_000);

test("the system tells how long a process waited, and what cannot be read is no wait", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "schedstat");
  writeFileSync(path, "1000000 2500000 7\n");
  expect(openProcessorWait(path)()).toBe(2.5);
  writeFileSync(path, "");
  expect(openProcessorWait(path)()).toBe(0);
  expect(openProcessorWait(join(directory.path, "none"))()).toBe(0);
});
