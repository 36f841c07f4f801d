// The soak in the size of CI: the same code and the same claims as `npm run soak`, for seconds instead of minutes.

import { expect, test } from "bun:test";
import { Report } from "./report.ts";
import { soakRequests } from "./section-requests.ts";

test("three thousand requests of every sort keep every claim while the upstream is killed", async () => {
  const lines: string[] = [];
  const report = new Report((line) => lines.push(line));
  const seed = Date.now() % 1_000_000;
  await soakRequests({ requests: 3_000, connections: 300, kills: 2, seed, isHurried: true }, report);
  if (report.failures.length > 0) process.stderr.write(`seed ${seed}\n${lines.join("\n")}\n`);
  expect(report.failures).toEqual([]);
}, 60_000);
