// iddio.log: its lines, its rotation, and that it never gets in anybody's way.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Log } from "../../src/state/log/log.ts";
import { formatLine, LOG_LEVELS, LogLines } from "../../src/state/log/log-line.ts";

const root = mkdtempSync(join(tmpdir(), "iddio-log-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const place = () => join(mkdtempSync(join(root, "d-")), "iddio.log");
const AT = Date.parse("2026-01-02T03:04:05.678Z");

describe("a line", () => {
  const cases: [string, string, Parameters<typeof formatLine>[3], string][] = [
    ["without fields", "started", undefined, "started"],
    [
      "as the manual greps for it",
      "classified",
      { protocol: "kubectl", tier: "observe", command: "pods list" },
      'classified: protocol=kubectl tier=observe command="pods list"',
    ],
    ["with numbers and flags", "x", { status: 200, held: true }, "x: status=200 held=true"],
    ["without fields that are undefined", "x", { a: undefined, b: "" }, 'x: b=""'],
    ["with quotes in a value", "x", { a: 'say "hi"' }, 'x: a="say \\"hi\\""'],
    ["with a line break in a value", "x", { a: "1\n2026 ERROR fake" }, 'x: a="1\\n2026 ERROR fake"'],
    ["with a line break in the message", "a\nb", {}, "a\\u000ab"],
    ["with an escape sequence", "x", { a: "\u001b[2J" }, 'x: a="\\u001b[2J"'],
    ["with a C1 control", "x", { a: "\u009b2J" }, 'x: a="\\u009b2J"'],
    [
      "with bidirectional and zero-width characters",
      "x",
      { a: "\u202eabc\u200b\ufeff" },
      'x: a="\\u202eabc\\u200b\\ufeff"',
    ],
    ["with a value that looks like a field", "x", { a: "b=c" }, 'x: a="b=c"'],
    ["with a path", "x", { path: "/api/v1/pods?limit=1" }, 'x: path="/api/v1/pods?limit=1"'],
  ];
  for (const [what, message, fields, wanted] of cases)
    test(what, () => {
      expect(formatLine(AT, "info", message, fields)).toBe(`2026-01-02T03:04:05.678Z INFO  ${wanted}`);
    });
});

test("a line as bytes is the line as text, whatever is in it", () => {
  const value = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'aZ0_.:/@%+,*?&~- "\\=\n\u001b') }),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("", "pods list", "/api/v1/pods?a=b"),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(undefined),
  );
  const entry = fc.record({
    at: fc.integer({ min: 0, max: 4e12 }),
    level: fc.constantFrom(...LOG_LEVELS),
    message: fc.oneof(fc.constantFrom("classified", "two words"), fc.string({ unit: "grapheme" })),
    fields: fc.dictionary(fc.oneof(fc.constantFrom("a", "b_c"), fc.string({ unit: "grapheme" })), value),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
      const lines = new LogLines();
      for (const { at, level, message, fields } of entries) lines.add(at, level, message, fields);
      expect(lines.count).toBe(entries.length);
      const text = entries.map(
        ({ at, level, message, fields }) => `${formatLine(at, level, message, fields)}\n`,
      );
      expect(Buffer.from(lines.take()).toString()).toBe(text.join(""));
      expect(lines.length).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("lines that outgrow the first room for them are whole", () => {
  const lines = new LogLines();
  for (let line = 0; line < 500; line++) lines.add(AT, "info", "many", { line, filler: "x".repeat(300) });
  const written = Buffer.from(lines.take()).toString().split("\n");
  expect(written).toHaveLength(501);
  expect(written[499]).toEndWith(`many: line=499 filler=${"x".repeat(300)}`);
});

describe("the log", () => {
  test("holds what its level lets through, in order, for the owner only", async () => {
    const path = place();
    const log = new Log(path, { level: "warn", now: () => AT });
    log.debug("1");
    log.info("2");
    log.warn("3");
    log.error("4");
    log.level = "debug";
    log.debug("5");
    await log.close();
    const stamp = new Date(AT).toISOString();
    expect(readFileSync(path, "utf8")).toBe(`${stamp} WARN  3\n${stamp} ERROR 4\n${stamp} DEBUG 5\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("rotates when it is full and keeps as many as told", async () => {
    const path = place();
    const log = new Log(path, { maxBytes: 1000, keep: 3 });
    for (let line = 0; line < 100; line++) {
      log.info(`line ${line}`);
      await log.flush();
    }
    await log.close();
    const names = readdirSync(join(path, "..")).sort();
    expect(names.filter((name) => name !== "iddio.log")).toEqual([
      "iddio.log.1",
      "iddio.log.2",
      "iddio.log.3",
    ]);
    expect(statSync(`${path}.1`).size).toBeLessThan(1100);
    expect(readFileSync(`${path}.1`, "utf8")).toStartWith("20");
  });

  test("writes by itself soon", async () => {
    const path = place();
    const log = new Log(path);
    log.info("soon");
    const until = performance.now() + 2000;
    let text = "";
    while (text === "" && performance.now() < until) {
      await Bun.sleep(10);
      text = await Bun.file(path)
        .text()
        .catch(() => "");
    }
    expect(text).toContain("soon");
    await log.close();
  });

  test("that cannot be written bothers nobody, and says later how much was lost", async () => {
    const path = place();
    mkdirSync(path);
    const log = new Log(path);
    for (let line = 0; line < 10; line++) log.info("lost");
    await log.flush();
    rmdirSync(path);
    log.info("kept");
    await log.close();
    expect(readFileSync(path, "utf8")).toMatch(/ INFO {2}kept\n.* WARN {2}lines were lost: lines=10\n$/);
  });

  test("writes a dying process's last words at once", () => {
    const path = place();
    const log = new Log(path);
    log.error("last words");
    log.flushSync();
    expect(readFileSync(path, "utf8")).toContain("last words");
  });

  test("mirrors each line", async () => {
    const lines: string[] = [];
    const log = new Log(place(), { mirror: (line) => lines.push(line), now: () => AT });
    log.info("a", { b: 1 });
    await log.close();
    expect(lines).toEqual(["2026-01-02T03:04:05.678Z INFO  a: b=1"]);
  });
});
