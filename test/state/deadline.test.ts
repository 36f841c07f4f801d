// A lease for a while ends by whichever clock says so first.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ObserveSessions } from "../../src/features/observe/observe-sessions.ts";
import { ModeHolder } from "../../src/gateway/request/mode.ts";
import { Events } from "../../src/gateway/request/records/events.ts";
import { openDatabase } from "../../src/state/database.ts";
import { Deadline } from "../../src/state/deadline.ts";
import { type Grant, Grants } from "../../src/state/tables/grants.ts";
import { StoredObserveSession } from "../../src/state/tables/observe-session.ts";
import { eventually } from "../support/eventually.ts";

const START = Date.UTC(2026, 0, 1);

test("by the wall clock", () => {
  const deadline = new Deadline(START, START + 60_000, START);
  expect(deadline.isOver(START + 59_999)).toBe(false);
  expect(deadline.isOver(START + 60_000)).toBe(true);
});

test("by the monotonic clock, though the one on the wall was set back", async () => {
  const deadline = new Deadline(START, START + 20, START);
  await eventually(
    async () => deadline.isOver(START - 3_600_000),
    (isOver) => isOver,
  );
  expect(deadline.leftMs(START - 3_600_000)).toBeLessThanOrEqual(0);
});

test("at once when it began in what is now the future", () => {
  expect(new Deadline(START, START + 60_000, START - 3_600_000).isOver(START - 3_600_000)).toBe(true);
  expect(new Deadline(START, START + 60_000, START - 1_000).isOver(START - 1_000)).toBe(false);
});

const GRANT: Grant = {
  id: "grant_1",
  approvalId: "appr_1",
  carrier: "http",
  protocol: "generic",
  host: "h",
  port: 443,
  tier: "modify",
  command: "c",
  labels: {},
  credential: "x",
  createdMs: START,
  expiresMs: START + 60_000,
};

test("a grant that is read again after the clock was set back covers nothing", () => {
  const directory = mkdtempSync(join(tmpdir(), "iddio-deadline-"));
  const database = openDatabase(join(directory, "state.db"));
  new Grants(database, START).add(GRANT);
  expect(new Grants(database, START + 1_000).find(GRANT, START + 1_000)?.id).toBe("grant_1");
  expect(new Grants(database, START - 3_600_000).find(GRANT, START - 3_600_000)).toBeUndefined();
  database.close();
  rmSync(directory, { recursive: true });
});

test("a grant covers milder tiers, none above its own, and nobody without a credential", () => {
  const directory = mkdtempSync(join(tmpdir(), "iddio-deadline-"));
  const database = openDatabase(join(directory, "state.db"));
  const grants = new Grants(database, START);
  grants.add(GRANT);
  grants.add({ ...GRANT, id: "grant_2", host: "other", credential: "" });
  for (const tier of ["observe", "modify"] as const)
    expect(grants.find({ ...GRANT, tier }, START)?.id).toBe("grant_1");
  for (const tier of ["sensitive", "break-glass", "unknown"] as const)
    expect(grants.find({ ...GRANT, tier }, START)).toBeUndefined();
  expect(grants.find({ ...GRANT, host: "other", credential: "" }, START)).toBeUndefined();
  database.close();
  rmSync(directory, { recursive: true });
});

test("an observe session that is taken up after the clock was set back has ended", () => {
  const directory = mkdtempSync(join(tmpdir(), "iddio-deadline-"));
  const database = openDatabase(join(directory, "state.db"));
  const stored = new StoredObserveSession(database);
  const startedMs = Date.now() + 3_600_000;
  stored.write({ startedMs, endsMs: startedMs + 60_000, previousMode: "enforce" });
  const mode = new ModeHolder("enforce");
  const ends: string[] = [];
  const sessions = new ObserveSessions({
    stored,
    mode,
    events: new Events(),
    onEnd: (_, why) => ends.push(why),
  });
  expect([sessions.current, mode.current, ends]).toEqual([undefined, "enforce", ["time"]]);
  sessions.close();
  database.close();
  rmSync(directory, { recursive: true });
});
