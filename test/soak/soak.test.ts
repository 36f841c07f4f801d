// The soak in the size of CI: the same code and the same claims as `npm run soak`, for seconds
// instead of minutes.

import { expect, test } from "bun:test";
import { Report } from "./report.ts";
import { soakDrops } from "./section/drops.ts";
import { soakRequests } from "./section/requests.ts";
import { soakTunnels } from "./section/tunnels.ts";
import { soakWatch } from "./section/watch.ts";

const seed = 1 + (Date.now() % 1_000_000);

/** Each part, as small as it still says something. */
const PARTS: readonly (readonly [claim: string, run: (report: Report) => Promise<void>])[] = [
  [
    "three thousand requests of every sort while the upstream is killed",
    (report) => soakRequests({ requests: 3_000, connections: 300, kills: 2, seed, isHurried: true }, report),
  ],
  ["a hundred tunnels and a hundred connections at once", (report) => soakTunnels({ tunnels: 100 }, report)],
  ["connections that are dropped half-way at every stage", (report) => soakDrops({ drops: 400 }, report)],
  ["quiet streams, for seconds", (report) => soakWatch({ minutes: 0.04 }, report)],
];

for (const [claim, run] of PARTS)
  test(`every claim holds for ${claim}`, async () => {
    const lines: string[] = [];
    const report = new Report((line) => lines.push(line));
    await run(report);
    if (report.failures.length > 0) process.stderr.write(`seed ${seed}\n${lines.join("\n")}\n`);
    expect(report.failures).toEqual([]);
  }, 120_000);
