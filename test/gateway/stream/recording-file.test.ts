// A recording and its disk: a disk that is full, or takes a part of what it is given, is told, and
// what was written before can be read.

import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { findClient } from "../../support/clients.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const bwrap = process.platform === "linux" ? findClient("bwrap") : undefined;
if (bwrap !== undefined)
  test("a full disk is a failure at once, and the last line says so where there is room for it", async () => {
    await using directory = await temporaryDirectory();
    const full = join(directory.path, "full");
    mkdirSync(full);
    const program = `
import { statSync, truncateSync, readFileSync, writeFileSync, rmSync } from "node:fs";
import { RecordingFile } from "${new URL("../../../src/gateway/stream/recording-file.ts", import.meta.url).pathname}";
const problem = Promise.withResolvers();
writeFileSync("${full}/ballast", new Uint8Array(20000));
const file = await RecordingFile.create("${full}/a.jsonl", '{"version":1}', (why) => problem.resolve(why));
const line = JSON.stringify([0, "stdout", "x".repeat(1000)]);
const more = setInterval(() => file.add(line), 1);
const why = await problem.promise;
clearInterval(more);
rmSync("${full}/ballast");
await file.close((each) => JSON.stringify({ end: { problem: each } }));
const lines = readFileSync("${full}/a.jsonl", "utf8").split("\\n");
console.log(JSON.stringify({ why, first: lines[0], last: lines.at(-2), rest: lines.at(-1), whole: lines.filter((each) => each === line).length, torn: lines.filter((each) => each !== line && each !== "").length }));
`;
    const child = Bun.spawn(
      [
        bwrap,
        "--dev-bind",
        "/",
        "/",
        "--size",
        "65536",
        "--tmpfs",
        full,
        "--",
        process.execPath,
        "-e",
        program,
      ],
      { stdout: "pipe", stderr: "pipe" },
    );
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    expect([await child.exited, err]).toEqual([0, ""]);
    const found = JSON.parse(out);
    expect(found.why).toMatch(/ENOSPC|takes no more/);
    expect([found.first, found.rest]).toEqual(['{"version":1}', ""]);
    expect(JSON.parse(found.last).end.problem).toBe(found.why);
    expect(found.whole).toBeGreaterThan(5);
    // The first line, the last one, and at most one that was torn.
    expect(found.torn).toBeLessThanOrEqual(3);
  });
