// The longest stall that `iddio status` shows: what kept the loop, for a minute.

import { expect, test } from "bun:test";
import { LoopClock } from "../../src/gateway/stream/loop-clock.ts";
import { eventually } from "../support/eventually.ts";

test("a loop that stood still is told with how long", async () => {
  const clock = new LoopClock(() => true);
  try {
    await Bun.sleep(50);
    const until = performance.now() + 400;
    while (performance.now() < until);
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
