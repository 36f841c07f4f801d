// The tables of pins, suspects and the observe session: what is there again after a restart.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openDatabase } from "../../src/state/database.ts";
import { StoredObserveSession } from "../../src/state/tables/observe-session.ts";
import { Pins } from "../../src/state/tables/pins.ts";
import { Suspects } from "../../src/state/tables/suspects.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

async function place() {
  const directory = await temporaryDirectory();
  const path = join(directory.path, "state.db");
  return { path, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

const unexpected = (error: Error) => {
  throw error;
};

describe("pins", () => {
  const pin = (host: string, port?: number) =>
    ({ host, port, note: "why", source: "manual", addedMs: 5 }) as const;

  test("outlast the daemon, with port, note and source", async () => {
    await using at = await place();
    const first = openDatabase(at.path);
    const pins = new Pins(first);
    pins.add(pin("b.example", 8443));
    pins.add({ ...pin("a.example"), source: "detector" });
    first.close();
    const second = openDatabase(at.path);
    expect(new Pins(second).list()).toEqual([
      { host: "a.example", port: undefined, note: "why", source: "detector", addedMs: 5 },
      { host: "b.example", port: 8443, note: "why", source: "manual", addedMs: 5 },
    ]);
    second.close();
  });

  const table: [pinned: string, port: number | undefined, host: string, at: number, covers: boolean][] = [
    ["a.example", undefined, "a.example", 443, true],
    ["a.example", undefined, "a.example", 1, true],
    ["a.example", 8443, "a.example", 8443, true],
    ["a.example", 8443, "a.example", 443, false],
    ["a.example", undefined, "b.a.example", 443, false],
    ["a.example", undefined, "example", 443, false],
    ["10.0.0.1", undefined, "10.0.0.1", 443, true],
  ];
  for (const [pinned, port, host, asked, covers] of table)
    test(`of ${pinned}:${port ?? "*"} ${covers ? "covers" : "does not cover"} ${host}:${asked}`, async () => {
      await using at = await place();
      const database = openDatabase(at.path);
      const pins = new Pins(database);
      pins.add(pin(pinned, port));
      expect(pins.find(host, asked) !== undefined).toBe(covers);
      database.close();
    });

  test("without a port are all removed, with one only that", async () => {
    await using at = await place();
    const database = openDatabase(at.path);
    const pins = new Pins(database);
    let changes = 0;
    pins.onChange(() => changes++);
    for (const port of [undefined, 1, 2]) pins.add(pin("a.example", port));
    expect(pins.remove("a.example", 2)).toHaveLength(1);
    expect(pins.remove("a.example", undefined)).toHaveLength(2);
    expect(pins.remove("a.example", undefined)).toHaveLength(0);
    expect(changes).toBe(5);
    database.close();
  });
});

describe("suspects", () => {
  const found = (host: string, failed: "upstream" | "client" = "upstream") =>
    ({ host, port: 443, failed, reason: "r" }) as const;

  test("are counted, and there again after a restart", async () => {
    await using at = await place();
    const first = openDatabase(at.path);
    const suspects = new Suspects(first, unexpected);
    suspects.note(found("a.example"), Date.now() - 10, Date.now() + 60_000);
    suspects.note({ ...found("a.example"), reason: "later" }, Date.now() + 1_000);
    suspects.note(found("a.example", "client"), Date.now() - 5);
    suspects.flush();
    const before = suspects.list();
    first.close();
    const second = openDatabase(at.path);
    expect(new Suspects(second, unexpected).list()).toEqual(before);
    expect(before.map(({ failed, count, reason }) => [failed, count, reason])).toEqual([
      ["upstream", 2, "later"],
      ["client", 1, "r"],
    ]);
    expect(before[0]?.pinnedUntilMs).toBeGreaterThan(Date.now());
    second.close();
  });

  test("are bounded: the one not seen for longest is forgotten, also on disk", async () => {
    await using at = await place();
    const database = openDatabase(at.path);
    const suspects = new Suspects(database, unexpected);
    const now = Date.now();
    for (let i = 0; i < 1_200; i++) suspects.note(found(`h${i}.example`), now + i);
    suspects.flush();
    expect(suspects.list()).toHaveLength(1_000);
    expect(suspects.get("h199.example", 443, "upstream")).toBeUndefined();
    expect(new Suspects(database, unexpected).list()).toHaveLength(1_000);
    database.close();
  });

  test("that were not seen for a month are forgotten at start", async () => {
    await using at = await place();
    const database = openDatabase(at.path);
    const suspects = new Suspects(database, unexpected);
    suspects.note(found("old.example"), Date.now() - 31 * 86_400_000);
    suspects.flush();
    expect(new Suspects(database, unexpected).list()).toEqual([]);
    database.close();
  });

  test("that cannot be written are kept in memory and told", async () => {
    await using at = await place();
    const database = openDatabase(at.path);
    const failures: Error[] = [];
    const suspects = new Suspects(database, (error) => failures.push(error));
    suspects.note(found("a.example"), Date.now());
    database.close();
    suspects.flush();
    expect(failures).toHaveLength(1);
    expect(suspects.list()).toHaveLength(1);
  });

  test("of one host are removed whichever side failed", async () => {
    await using at = await place();
    const database = openDatabase(at.path);
    const suspects = new Suspects(database, unexpected);
    suspects.note(found("a.example"), Date.now());
    suspects.note(found("a.example", "client"), Date.now());
    suspects.note(found("b.example"), Date.now());
    expect(suspects.remove("a.example", 443)).toHaveLength(2);
    expect(new Suspects(database, unexpected).list().map(({ host }) => host)).toEqual(["b.example"]);
    expect(suspects.clear()).toHaveLength(1);
    expect(new Suspects(database, unexpected).list()).toEqual([]);
    database.close();
  });
});

test("the observe session is there again after a restart, until it has ended; then it is the last one", async () => {
  await using at = await place();
  const first = openDatabase(at.path);
  expect(new StoredObserveSession(first).read()).toBeUndefined();
  const session = { startedMs: 1, endsMs: 2, previousMode: "passthrough" } as const;
  new StoredObserveSession(first).write({ startedMs: 0, endsMs: 0, previousMode: "off" });
  new StoredObserveSession(first).write(session);
  first.close();
  const second = openDatabase(at.path);
  expect(new StoredObserveSession(second).read()).toEqual(session);
  expect(new StoredObserveSession(second).last()).toBeUndefined();
  new StoredObserveSession(second).end(2);
  expect(new StoredObserveSession(second).read()).toBeUndefined();
  expect(new StoredObserveSession(second).last()).toEqual({ startedMs: 1, endedMs: 2 });
  second.close();
});
