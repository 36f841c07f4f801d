// An audit log that is none: a directory, a FIFO, a sparse file of ten gigabytes. Each ends at
// once, with plain words.

import { expect, test } from "bun:test";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLast } from "../../src/state/journal/read.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

test("a directory and a FIFO are no journals", async () => {
  await using directory = await temporaryDirectory();
  const folder = join(directory.path, "folder");
  mkdirSync(folder);
  const fifo = join(directory.path, "fifo");
  expect(Bun.spawnSync(["mkfifo", fifo]).success).toBe(true);
  for (const path of [folder, fifo])
    expect(String(await readLast(path, { last: 5 }).catch((error: unknown) => error))).toContain(
      "is not a file",
    );
});

test("ten gigabytes without a row are not read to their beginning", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "audit.jsonl");
  writeFileSync(path, "");
  truncateSync(path, 10 * 2 ** 30);
  const started = performance.now();
  expect(await readLast(path, { last: 5 })).toEqual([]);
  expect(performance.now() - started).toBeLessThan(5_000);
}, 120_000);
