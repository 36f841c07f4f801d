// Pages of a journal, read backwards: all of its rows once, and with a text the same rows as without the short cut
// past lines that do not have it.

import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import type { Entry } from "../../src/model/entry.ts";
import { type PageOptions, readJournalPage } from "../../src/state/journal-page.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const row = (index: number, path: string, filled = 0) =>
  JSON.stringify({ timestamp_ms: index, op: "mitm", hash: "h", fields: { path, note: "_".repeat(filled) } });

/** Every row from the end to the beginning, a page after another. */
async function all(file: string, options: PageOptions): Promise<string[]> {
  const found: string[] = [];
  for (let before: number | undefined; ; ) {
    const { rows, next } = await readJournalPage(file, {
      ...options,
      ...(before === undefined ? {} : { before }),
    });
    found.push(...rows.map(({ at, row: { timestamp_ms } }) => `${at} ${timestamp_ms}`));
    if (next === undefined) return found;
    before = next;
  }
}

const has =
  (text: string) =>
  ({ hash, fields }: Entry) =>
    [fields.path, hash].some((each) => String(each).toLowerCase().includes(text.toLowerCase()));

describe("a page of a journal", () => {
  test("has the rows with a text, however lines write it", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "audit.jsonl");
    const lines = [
      row(1, "/Needle/of/long/ago"),
      row(2, "/other"),
      row(3, 'with "needle" in quotes'),
      row(4, "/x").replace("/x", "/n\\u0065edle"),
      '{"timestamp_ms":5,"op":"mitm","hash":"h","fields":{"path":"needle',
      row(6, "NEEDLE"),
      '{"timestamp_ms":7,"op":"mitm","hash":12345678901234567890,"fields":{}}',
    ];
    await writeFile(file, `${lines.join("\n")}\n`);
    const found = async (text: string) =>
      (await all(file, { limit: 2, filter: has(text), text })).map((each) => each.split(" ")[1]);
    expect(await found("nEEdle")).toEqual(["6", "4", "3", "1"]);
    expect(await found('"needle')).toEqual(["3"]);
    expect(await found("12345678901234567000")).toEqual(["7"]);
    expect(await found("")).toEqual(["7", "6", "4", "3", "2", "1"]);
  });

  test("has the same rows with and without the short cut, for any texts and rows", async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, "audit.jsonl");
    const letters = fc.constantFrom(
      ..."aAbBsSkK\u212a\u0130iI\u03a3\u03c3\u03c2ß\\\"'/.:1e\u0000\ud800 \u{1f600}",
    );
    const text = (maxLength: number) => fc.array(letters, { maxLength }).map((each) => each.join(""));
    // A block of the file is 128 kB: lines end in the next one, or several later.
    const filled = fc.constantFrom(0, 0, 30_000, 131_000, 300_000);
    const ofRows = fc.array(fc.tuple(text(12), filled), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(ofRows, text(3), fc.option(fc.nat(8)), async (rows, part, sinceMs) => {
        const lines = rows.map(([path, octets], index) => `${row(index, path, octets)}\n`);
        await writeFile(file, lines.join(""));
        const budget = 200_000;
        const options = { limit: 3, budget, filter: has(part), ...(sinceMs === null ? {} : { sinceMs }) };
        expect(await all(file, { ...options, text: part })).toEqual(await all(file, options));
      }),
      { numRuns: 150 },
    );
  });
});
