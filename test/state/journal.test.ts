// The worth of an acknowledged row: it survives kill -9, full disks and other people's rotation.

import { afterAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "../../src/model/entry.ts";
import { Journal, type JournalOptions } from "../../src/state/journal/journal.ts";
import { parseRow, readLast } from "../../src/state/journal/read.ts";
import { isDiskFull } from "../../src/state/line-file.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-journal-"));
const children: Bun.Subprocess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true });
});
let count = 0;
const place = () => join(root, `${++count}.jsonl`);

const row = (id: string | number, fields: Record<string, unknown> = {}): Entry => ({
  timestamp_ms: 1736947921003,
  op: "mitm",
  hash: String(id),
  fields,
});

const linesOf = (path: string) => readFileSync(path, "utf8").split("\n");
const idsIn = (path: string) => linesOf(path).flatMap((line) => parseRow(line)?.hash ?? []);

describe("a row", () => {
  test("is one JSON line in a file for the owner only", async () => {
    const path = place();
    const journal = await Journal.open(path);
    await journal.append(row("a", { host: "h", path: "/x\ny\u2028z", command: "ünï ☃" }));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(linesOf(path)).toHaveLength(2);
    expect(parseRow(linesOf(path)[0] ?? "")).toEqual(
      row("a", { host: "h", path: "/x\ny\u2028z", command: "ünï ☃" }),
    );
    await journal.close();
  });

  test("keeps its place among those that are not awaited", async () => {
    const path = place();
    const journal = await Journal.open(path);
    for (let id = 0; id < 500; id++) journal.appendSoon(row(id));
    await journal.append(row(500));
    expect(idsIn(path)).toEqual(Array.from({ length: 501 }, (_, id) => String(id)));
    await journal.close();
  });

  test("that is too long for readers is shortened, not lost", async () => {
    const path = place();
    const journal = await Journal.open(path);
    await journal.append(
      row("long", { path: `/${"x".repeat(500_000)}`, many: Array.from({ length: 50_000 }, (_, i) => i) }),
    );
    const [line = ""] = linesOf(path);
    expect(line.length).toBeLessThan(64 * 1024);
    expect(String(parseRow(line)?.fields.path)).toEndWith("… 498001 more characters");
    await journal.close();
  });

  test("that cannot be written as JSON is refused, and the next one is not", async () => {
    const path = place();
    const journal = await Journal.open(path);
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    await expect(journal.append(row("bad", circular))).rejects.toThrow();
    await journal.append(row("good"));
    expect(idsIn(path)).toEqual(["good"]);
    await journal.close();
  });

  test("after close is refused", async () => {
    const journal = await Journal.open(place());
    journal.appendSoon(row(1));
    await journal.close();
    await expect(journal.append(row(2))).rejects.toThrow("closed");
    await journal.close();
  });

  test("beyond the bound of the queue is refused at once", async () => {
    const path = place();
    const lost: number[] = [];
    const journal = await Journal.open(path, { maxQueuedRows: 10, onFailure: (_, rows) => lost.push(rows) });
    const results = await Promise.allSettled(Array.from({ length: 15 }, (_, id) => journal.append(row(id))));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    expect(idsIn(path)).toHaveLength(10);
    for (let id = 0; id < 12; id++) journal.appendSoon(row(id));
    await journal.close();
    expect(lost).toEqual([1, 1]);
  });
});

describe("a file that was there before", () => {
  const torn = [
    "{",
    '{"timestamp_ms":1,"op":"mi',
    JSON.stringify(row("whole but unended")),
    "\u0000\u0000\u0000",
  ];
  for (const tail of torn)
    test(`and ends in ${JSON.stringify(tail.slice(0, 30))} loses nothing and takes new rows on new lines`, async () => {
      const path = place();
      const before = `${JSON.stringify(row("old"))}\n${tail}`;
      writeFileSync(path, before);
      const journal = await Journal.open(path);
      await journal.append(row("new"));
      expect(readFileSync(path, "utf8")).toBe(`${before}\n${JSON.stringify(row("new"))}\n`);
      expect((await readLast(path, { last: 10 })).map(({ hash }) => hash)).toContain("old");
      await journal.close();
    });

  test("and was readable by others is closed to them", async () => {
    const path = place();
    writeFileSync(path, "", { mode: 0o644 });
    await (await Journal.open(path)).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("and is moved away by others is made again, without a lost row", async () => {
    const path = place();
    const journal = await Journal.open(path, { identityCheckMs: 0 });
    await journal.append(row(1));
    renameSync(path, `${path}.moved`);
    await journal.append(row(2));
    rmSync(path);
    await journal.append(row(3));
    expect(idsIn(`${path}.moved`)).toEqual(["1"]);
    expect(idsIn(path)).toEqual(["3"]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await journal.close();
  });

  test("and is truncated by others goes on at its new end", async () => {
    const path = place();
    const journal = await Journal.open(path);
    await journal.append(row(1));
    writeFileSync(path, "");
    await journal.append(row(2));
    expect(idsIn(path)).toEqual(["2"]);
    await journal.close();
  });
});

test("a journal that rotates keeps as many copies as told and no row in two files", async () => {
  const path = place();
  const journal = await Journal.open(path, { rotateBytes: 2000, keep: 2, durable: false });
  for (let id = 0; id < 200; id++) await journal.append(row(id, { padding: "x".repeat(50) }));
  await journal.close();
  const ids = [`${path}.2`, `${path}.1`, path].flatMap(idsIn).map(Number);
  expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => 200 - ids.length + index));
  expect(ids.length).toBeGreaterThan(20);
  expect(statSync(`${path}.1`).size).toBeLessThan(2300);
  expect(() => statSync(`${path}.3`)).toThrow();
});

const WRITER = `
import { writeSync } from "node:fs";
import { Journal } from ${JSON.stringify(join(import.meta.dir, "../../src/state/journal/journal.ts"))};
const journal = await Journal.open(process.argv[1]);
let next = 0;
for (let writer = 0; writer < 40; writer++) void (async () => {
  for (;;) {
    const id = process.argv[2] + "-" + next++;
    await journal.append({ timestamp_ms: Date.now(), op: "intent", hash: id, fields: { path: "/" + "x".repeat(next % 3000) } });
    writeSync(1, id + "\\n");
  }
})();
`;

test("kill -9 at any moment loses no acknowledged row, and the file goes on afterwards", async () => {
  const path = place();
  const acknowledged: string[] = [];
  for (let round = 0; round < 4; round++) {
    const child = Bun.spawn([process.execPath, "-e", WRITER, path, String(round)], {
      stdout: "pipe",
      stderr: "inherit",
    });
    children.push(child);
    let said = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      said += decoder.decode(chunk, { stream: true });
      if (said.length > 3000 + round * 7001) child.kill("SIGKILL");
    }
    await child.exited;
    acknowledged.push(...said.split("\n").slice(0, -1));
  }
  const journal = await Journal.open(path);
  await journal.append(row("after"));
  await journal.close();
  const found = new Set(idsIn(path));
  expect(acknowledged.length).toBeGreaterThan(1000);
  expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
  expect(found.has("after")).toBe(true);
  // Everything but a cut line at each kill is a row.
  expect(
    linesOf(path).filter((line) => line !== "" && parseRow(line) === undefined).length,
  ).toBeLessThanOrEqual(4);
}, 120_000);

describe("a full disk", () => {
  const small = join(root, "small");
  mkdirSync(small);
  const mounted = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small]).exitCode === 0;
  if (!mounted) process.stderr.write("cannot mount a small tmpfs: the journal is not tried on a full disk\n");
  afterAll(() => {
    if (mounted) Bun.spawnSync(["umount", small]);
  });

  async function fill(journal: Journal, acknowledged: Set<string>): Promise<Error> {
    for (let id = 0; ; id += 7) {
      const batch = Array.from({ length: 7 }, (_, offset) =>
        row(`f${id + offset}`, { padding: "x".repeat(300 + offset) }),
      );
      const results = await Promise.allSettled(batch.map((each) => journal.append(each)));
      results.forEach(({ status }, index) => {
        if (status === "fulfilled") acknowledged.add(batch[index]?.hash ?? "");
      });
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) return failed.reason;
    }
  }

  const cases: [string, JournalOptions][] = [
    ["durable", {}],
    ["not durable", { durable: false }],
  ];
  for (const [what, options] of cases)
    test(`refuses rows, keeps what it acknowledged and recovers (${what})`, async () => {
      if (!mounted) return;
      const [path, ballast] = [join(small, "audit.jsonl"), join(small, "ballast")];
      writeFileSync(ballast, Buffer.alloc(20_000));
      const failures: [boolean, number][] = [];
      const journal = await Journal.open(path, {
        ...options,
        onFailure: (error, rows) => failures.push([isDiskFull(error), rows]),
      });
      const acknowledged = new Set<string>();
      const error = await fill(journal, acknowledged);
      expect(isDiskFull(error)).toBe(true);
      expect(journal.failure).toBe(error);

      await expect(journal.append(row("still full", { padding: "x".repeat(5000) }))).rejects.toThrow();
      journal.appendSoon(row("nobody waits", { padding: "x".repeat(5000) }));
      await journal.append(row("nor does this fit", { padding: "x".repeat(9000) })).catch(() => {});
      expect(failures.at(-1)).toEqual([true, 1]);

      rmSync(ballast);
      await journal.append(row("there is room again"));
      expect(journal.failure).toBeUndefined();
      await journal.close();

      const found = idsIn(path);
      expect([...acknowledged].filter((id) => !found.includes(id))).toEqual([]);
      expect(new Set(found).size).toBe(found.length);
      expect(found.at(-1)).toBe("there is room again");
      // At most one cut line, and it is not stuck to the row after it.
      expect(
        linesOf(path).filter((line) => line !== "" && parseRow(line) === undefined).length,
      ).toBeLessThanOrEqual(1);
      rmSync(path);
    });

  test("at the start does not stop it from opening a file with a torn end", async () => {
    if (!mounted) return;
    const [path, ballast] = [join(small, "torn.jsonl"), join(small, "ballast")];
    appendFileSync(path, "{".repeat(4096));
    Bun.spawnSync(["dd", "if=/dev/zero", `of=${ballast}`, "bs=4096"]);
    const journal = await Journal.open(path);
    const error = await journal.append(row(1)).catch((thrown: unknown) => thrown);
    expect(isDiskFull(error as Error)).toBe(true);
    rmSync(ballast);
    await journal.append(row(2));
    expect(linesOf(path).slice(1)).toEqual([JSON.stringify(row(2)), ""]);
    await journal.close();
  });
});
