// Reading journals without a daemon: from the end, whatever is in the file, and live.

import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "../../src/model/entry.ts";
import { type FollowOptions, followJournal, readLast } from "../../src/state/journal/read.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-read-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const place = () => join(root, `${++count}.jsonl`);

const row = (id: string | number, timestamp_ms = 1000, fields: Record<string, unknown> = {}): Entry => ({
  timestamp_ms,
  op: "mitm",
  hash: String(id),
  fields,
});
const text = (...rows: Entry[]) => rows.map((each) => `${JSON.stringify(each)}\n`).join("");
const ids = (rows: readonly Entry[]) => rows.map(({ hash }) => hash);

describe("the last rows", () => {
  test("come oldest first", async () => {
    const path = place();
    writeFileSync(path, text(row(1), row(2), row(3), row(4)));
    expect(ids(await readLast(path, { last: 2 }))).toEqual(["3", "4"]);
    expect(ids(await readLast(path, { last: 50 }))).toEqual(["1", "2", "3", "4"]);
    expect(await readLast(path, { last: 0 })).toEqual([]);
  });

  test("of no file or an empty one are none", async () => {
    expect(await readLast(place(), { last: 5 })).toEqual([]);
    const path = place();
    writeFileSync(path, "");
    expect(await readLast(path, { last: 5 })).toEqual([]);
  });

  test("can be filtered", async () => {
    const path = place();
    writeFileSync(
      path,
      text(...Array.from({ length: 1000 }, (_, id) => row(id, 1000, { host: `h${id % 10}` }))),
    );
    const found = await readLast(path, { last: 3, filter: ({ fields }) => fields.host === "h4" });
    expect(ids(found)).toEqual(["974", "984", "994"]);
  });

  test("since a time are found although rows are a little out of order", async () => {
    const path = place();
    writeFileSync(path, text(row("a", 100), row("b", 5000), row("c", 200), row("d", 6000), row("e", 300)));
    expect(ids(await readLast(path, { last: 50, sinceMs: 5000 }))).toEqual(["b", "d"]);
  });

  const junk: [string, string][] = [
    ["cut lines", '{"timestamp_ms":1,"op":"m\n'],
    ["lines that are no rows", '{"a":1}\n[1]\nnull\n"x"\n\n   \n'],
    ["zeros that a crash left", `${"\u0000".repeat(70_000)}\n`],
    ["a line beyond any bound", `{"timestamp_ms":1,"op":"m","fields":{"x":"${"y".repeat(3_000_000)}"}}\n`],
    ["bytes that are not UTF-8", "\xff\xfe\n"],
  ];
  for (const [what, middle] of junk)
    test(`skip ${what}`, async () => {
      const path = place();
      writeFileSync(path, Buffer.from(text(row(1)) + middle + text(row(2)), "latin1"));
      expect(ids(await readLast(path, { last: 10 }))).toEqual(["1", "2"]);
    });

  test("include a last one without its newline, and skip one that is half written", async () => {
    const path = place();
    writeFileSync(path, text(row(1)) + JSON.stringify(row(2)));
    expect(ids(await readLast(path, { last: 10 }))).toEqual(["1", "2"]);
    writeFileSync(path, text(row(1)) + JSON.stringify(row(2)).slice(0, -1));
    expect(ids(await readLast(path, { last: 10 }))).toEqual(["1"]);
  });

  test("are whole wherever the blocks that are read begin", async () => {
    for (const padding of [0, 1, 65_400, 65_536, 131_072, 200_001]) {
      const path = place();
      const rows = Array.from({ length: 20 }, (_, id) =>
        row(id, 1000, { x: "é".repeat((padding * (id % 3)) / 2) }),
      );
      writeFileSync(path, text(...rows));
      expect(await readLast(path, { last: 50 })).toEqual(rows);
    }
  });

  test("of a 4 GB file cost no more than of a small one", async () => {
    const path = place();
    writeFileSync(path, "");
    truncateSync(path, 4 * 1024 ** 3); // a hole: no disk is used
    appendFileSync(path, `\n${text(...Array.from({ length: 1000 }, (_, id) => row(id)))}`);
    const start = performance.now();
    expect(ids(await readLast(path, { last: 50 }))).toEqual(
      Array.from({ length: 50 }, (_, id) => String(950 + id)),
    );
    expect(performance.now() - start).toBeLessThan(500); // reading it whole takes seconds
    rmSync(path);
  });
});

describe("following", () => {
  async function take(path: string, wanted: number, options: FollowOptions, act: () => void | Promise<void>) {
    const stop = new AbortController();
    const found: string[] = [];
    const done = (async () => {
      for await (const entry of followJournal(path, { ...options, signal: stop.signal })) {
        found.push(entry.hash);
        if (found.length >= wanted) stop.abort();
      }
    })();
    await Bun.sleep(30); // it has opened the file, or seen that there is none
    await act();
    await done;
    return found;
  }

  test("begins at the end unless told otherwise", async () => {
    const path = place();
    writeFileSync(path, text(row(1), row(2)));
    expect(await take(path, 2, {}, () => appendFileSync(path, text(row(3), row(4))))).toEqual(["3", "4"]);
    expect(await take(path, 3, { from: "start" }, () => {})).toEqual(["1", "2", "3"]);
    expect(await take(path, 1, { from: text(row(1)).length }, () => {})).toEqual(["2"]);
  });

  test("waits for a file that is not there yet", async () => {
    const path = place();
    expect(await take(path, 1, {}, () => writeFileSync(path, text(row(1))))).toEqual(["1"]);
  });

  test("waits for the end of a half-written row", async () => {
    const path = place();
    writeFileSync(path, "");
    const [line] = [text(row("whole"))];
    const found = await take(path, 1, {}, async () => {
      appendFileSync(path, line.slice(0, 20));
      await Bun.sleep(200);
      appendFileSync(path, line.slice(20));
    });
    expect(found).toEqual(["whole"]);
  });

  test("goes on after rotation, with the last rows of the old file", async () => {
    const path = place();
    writeFileSync(path, text(row(0)));
    const found = await take(path, 3, {}, () => {
      appendFileSync(path, text(row(1)));
      renameSync(path, `${path}.1`);
      appendFileSync(`${path}.1`, text(row(2)));
      writeFileSync(path, text(row(3)));
    });
    expect(found).toEqual(["1", "2", "3"]);
  });

  test("goes on after truncation", async () => {
    const path = place();
    writeFileSync(path, text(row(0), row(1), row(2)));
    const found = await take(path, 1, {}, async () => {
      truncateSync(path, 0);
      await Bun.sleep(300);
      appendFileSync(path, text(row(3)));
    });
    expect(found).toEqual(["3"]);
  });

  test("skips what is no row and what is too long", async () => {
    const path = place();
    writeFileSync(path, "");
    const found = await take(path, 2, {}, () => {
      appendFileSync(path, `junk\n${text(row(1))}{"x":"${"y".repeat(2_500_000)}"}\n${text(row(2))}`);
    });
    expect(found).toEqual(["1", "2"]);
  });

  test("ends when told to, also while it waits", async () => {
    const stop = AbortSignal.timeout(50);
    for await (const _ of followJournal(place(), { signal: stop }))
      throw new Error("there is nothing to follow");
  });
});
