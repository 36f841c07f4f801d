// Refusals that one client repeats: the first are rows, the rest is one row with a count, and no
// refusal is uncounted.

import { expect, test } from "bun:test";
import { FoldedRows } from "../../../src/gateway/request/records/folded-rows.ts";
import type { Entry, EntryFields, EntryOp } from "../../../src/model/entry.ts";
import { COMPILED_TWICE } from "../../support/clients.ts";
import { startGatewayProcess } from "../../support/gateway.ts";
import { allowing } from "../../support/wire/faults.ts";
import { connectRaw } from "../../support/wire/proxy-client.ts";

function folded() {
  const rows: Entry[] = [];
  const make = (op: EntryOp, fields: EntryFields): Entry => ({ timestamp_ms: 0, op, hash: "", fields });
  return { rows, all: new FoldedRows((row) => rows.push(row), make) };
}

/** How many refusals the rows tell of. */
const told = (rows: readonly Entry[]) =>
  rows.reduce((sum, { fields }) => sum + ((fields.repeated as number | undefined) ?? 1), 0);

const refusal = (pid: number, path: string, more: EntryFields = {}): EntryFields => ({
  request_id: String(Math.random()),
  duration_ms: Math.random(),
  host: "h",
  path,
  outcome: "refused",
  decision: "deny",
  client: { user: "u", pid },
  ...more,
});

test("equal refusals become one row with their number and what they share", () => {
  const { rows, all } = folded();
  for (let each = 0; each < 1_000; each++) all.add("block", refusal(1, "/same"));
  expect(rows.length).toBe(10);
  all.flush();
  expect(rows.length).toBe(11);
  const { request_id, duration_ms, ...last } = rows[10]?.fields ?? {};
  expect(last).toMatchObject({ repeated: 990, path: "/same", host: "h", outcome: "refused" });
  expect([request_id, duration_ms]).toEqual([undefined, undefined]);
  expect(typeof last.since_ms).toBe("number");
});

test("refusals that differ in anything but their id and time are rows of their own, up to a bound a client", () => {
  const { rows, all } = folded();
  for (let each = 0; each < 400; each++) all.add("block", refusal(1, `/${each}`));
  expect(rows.length).toBe(400);
  for (let each = 0; each < 9_600 + 4_500; each++) all.add("block", refusal(1, `/more/${each}`));
  for (let each = 0; each < 3; each++) all.add("block", refusal(2, "/another"));
  expect(rows.length).toBe(5_003);
  all.flush();
  expect(rows.length).toBe(5_004);
  expect(rows.at(-1)?.fields).toMatchObject({ repeated: 9_500, host: "h", client: { user: "u", pid: 1 } });
  expect(rows.at(-1)?.fields.path).toBeUndefined();
  expect(told(rows)).toBe(14_503);
});

test("what a person decided, and what was forwarded, is never folded", () => {
  const { rows, all } = folded();
  for (const outcome of ["denied", "timed_out", "allowed", "approved"] as const)
    for (let each = 0; each < 100; each++) all.add("block", refusal(1, "/same", { outcome }));
  expect(rows.length).toBe(400);
});

test("after the end nothing is folded, and many clients cost one client's rows", () => {
  const { rows, all } = folded();
  for (let pid = 0; pid < 5_000; pid++) all.add("block", refusal(pid, "/same"));
  all.close();
  expect(rows.length).toBeLessThan(5_001);
  expect(told(rows)).toBe(5_000);
  const before = rows.length;
  for (let each = 0; each < 20; each++) all.add("block", refusal(1, "/same"));
  expect(rows.length).toBe(before + 20);
});

test("a loop of refused requests leaves few rows and few lines, and a stop loses none of them", async () => {
  const REFUSED = 3_000;
  await using gateway = await startGatewayProcess({ policy: allowing([1]), env: COMPILED_TWICE });
  const path = `/${"p".repeat(1_000)}`;
  // Refused before anything is dialled.
  const request = `GET http://localhost:1${path} HTTP/1.1\r\nHost: localhost:1\r\nConnection: x-own\r\n\r\n`;
  for (let each = 0; each < REFUSED; each += 100)
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        using next = await connectRaw(gateway.port);
        next.send(request);
        await next.closed();
      }),
    );
  await gateway.kill("SIGTERM");
  const rows = (await gateway.rows()).filter(({ op }) => op === "block");
  expect(told(rows)).toBe(REFUSED);
  expect(rows.length).toBeLessThan(100);
  const log = await Bun.file(`${gateway.home}/iddio.log`).text();
  expect(log.split("\n").length).toBeLessThan(REFUSED);
  expect(log).toMatch(/ WARN {2}lines left out: lines=\d+ of="/);
}, 120_000);
