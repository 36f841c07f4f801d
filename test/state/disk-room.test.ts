// A disk that fills up: what is said at a tenth, what is kept in reserve, and for which rows; what
// a loop costs the log.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "../../src/model/entry.ts";
import { DiskRoom, lowDisk } from "../../src/state/disk-room.ts";
import { Journal } from "../../src/state/journal/journal.ts";
import { Log } from "../../src/state/log/log.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const GIB = 1024 ** 3;
const row = (op: Entry["op"], hash: string): Entry => ({ timestamp_ms: 0, op, hash, fields: {} });

test("a tenth of the disk is little, and said with numbers", async () => {
  expect(lowDisk({ freeBytes: 10 * GIB, totalBytes: 100 * GIB })).toBeUndefined();
  expect(lowDisk({ freeBytes: 9.5 * GIB, totalBytes: 100 * GIB })).toBe("9 % free, 9728 MiB");
  const room = new DiskRoom("/", async () => ({ freeBytes: GIB, totalBytes: 100 * GIB }));
  await room.refresh();
  expect([room.problem, room.isReserved]).toEqual(["1 % free, 1024 MiB", false]);
});

test("a disk that cannot be looked at is not full", async () => {
  const room = new DiskRoom("/nowhere/at/all");
  await room.refresh();
  expect([room.problem, room.isReserved]).toEqual([undefined, false]);
});

test("the last room on the disk is for the rows that must be written, and what is left out is counted", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "audit.jsonl");
  const room = new DiskRoom("/", async () => ({ freeBytes: 31 * 1024 * 1024, totalBytes: 100 * GIB }));
  await room.refresh();
  let lost = 0;
  const journal = await Journal.open(path, {
    isReserved: () => room.isReserved,
    onFailure: (_error, rows) => {
      lost += rows;
    },
  });
  for (let each = 0; each < 5; each++) journal.appendSoon(row("mitm", "read"));
  journal.appendSoon(row("control", "control"), true);
  await journal.append(row("intent", "intent"));
  await journal.close();
  const kept = readFileSync(path, "utf8").trim().split("\n");
  expect(kept.map((line) => (JSON.parse(line) as Entry).hash)).toEqual(["control", "intent"]);
  expect(lost).toBe(5);
});

test("one client's lines do not push out another's, and what is left out is said", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "iddio.log");
  let now = 0;
  const log = new Log(path, { now: () => now });
  for (let each = 0; each < 10_000; each++) log.info("loop", { each }, "process 1");
  log.info("other", {}, "process 2");
  now += 1_000;
  for (let each = 0; each < 100; each++) log.info("loop", { each }, "process 1");
  await log.close();
  const lines = readFileSync(path, "utf8").trim().split("\n");
  expect(lines.filter((line) => line.includes(" loop:")).length).toBe(1_050);
  expect(lines.filter((line) => line.includes(" other")).length).toBe(1);
  expect(lines.at(-1)).toEndWith('lines left out: lines=9050 of="process 1"');
});
