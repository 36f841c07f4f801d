// doctor tells of a receiver that has been failing for long, and of rows that one refused.

import { expect, test } from "bun:test";
import type { CheckContext, ForwardFacts } from "../../../src/cli/kit/check.ts";
import { checkForward } from "../../../src/features/forward/check-forward.ts";

const HOUR_MS = 3_600_000;

const check = (forward?: readonly ForwardFacts[]) =>
  checkForward({
    nowMs: 100 * HOUR_MS,
    paths: { audit: "/home/ana/.iddio/audit.jsonl" },
    daemon: { forward },
  } as unknown as CheckContext);

const sink = (more: Partial<ForwardFacts> = {}): ForwardFacts => ({
  name: "siem",
  behind_bytes: 0,
  refused_rows: 0,
  ...more,
});

test.each([
  ["nothing to ask", undefined, "skip"],
  ["no receiver", [], "ok"],
  ["one that works", [sink()], "ok"],
  ["one that fails since a moment", [sink({ failing_since_ms: 100 * HOUR_MS - 1_000 })], "ok"],
  ["one that fails since an hour", [sink({ problem: "503", failing_since_ms: 99 * HOUR_MS })], "warn"],
  ["one that fails since two days", [sink({ problem: "503", failing_since_ms: 52 * HOUR_MS })], "fail"],
  ["one that refused a row", [sink({ refused_rows: 1 })], "warn"],
])("%s", async (_name: string, forward: readonly ForwardFacts[] | undefined, verdict: string) => {
  expect((await check(forward)).verdict).toBe(verdict as "ok");
});
