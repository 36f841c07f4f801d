// The tables of operations: sorted, one operation a line, with the tiers that the rules give today.
// A change of a rule that changes a tier must show as a line of a diff: `bun
// packaging/generate/write-table.ts` writes the tables again.

import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COLUMNS, refreshedTable, tablePath } from "../../packaging/generate/write-table.ts";
import { packedModule } from "../../packaging/release/pack-tables.ts";
import { Catalogue, type PackedTable } from "../../src/protocols/catalogue.ts";
import { CLASSIFIERS } from "../../src/protocols/registry.ts";

const PROTOCOLS = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];

for (const protocol of PROTOCOLS)
  test(`the table of ${protocol} is sorted and has the tiers of the rules`, () => {
    const now = readFileSync(tablePath(protocol), "utf8").split("\n");
    const want = refreshedTable(protocol).split("\n");
    const changed = want.filter((line, index) => line !== now[index]);
    expect(changed.slice(0, 5)).toEqual([]);
    expect(now.length).toBe(want.length);
  }, 120_000);

test("a table in the built program says what its text says", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "iddio-tables-"));
  try {
    for (const protocol of [...PROTOCOLS, "fly"] as const) {
      const text = readFileSync(
        new URL(`../../src/protocols/${protocol}/operations.tsv`, import.meta.url),
        "utf8",
      );
      const file = join(scratch, `${protocol}.mjs`);
      writeFileSync(file, packedModule(text));
      const module = (await import(file)) as { default: PackedTable };
      const [plain, packed] = [new Catalogue(text), new Catalogue(module.default)];
      expect([...packed.services()]).toEqual([...plain.services()]);
      expect(packed.rows()).toEqual(plain.rows());
      for (const service of [...plain.services()].filter((_, index) => index % 40 === 0))
        expect(packed.rowsOf(service)).toEqual(plain.rowsOf(service));
      expect(packed.rowsOf("nobody")).toEqual([]);
      expect(packedModule(text).length).toBeLessThan(text.length / 3);
    }
  } finally {
    rmSync(scratch, { recursive: true });
  }
}, 120_000);

test("every protocol with a vendor's API lists its operations, each with a command and a tier", () => {
  const listed = CLASSIFIERS.filter(({ operations }) => operations !== undefined);
  expect(listed.map(({ protocol }) => protocol)).toEqual(
    expect.arrayContaining(["kubectl", "gcloud", "aws", "github", "cloudflare", "fly"]),
  );
  for (const { protocol, operations } of listed) {
    const all = operations?.() ?? [];
    expect(all.length, `operations of ${protocol}`).toBeGreaterThan(0);
    for (const { command, tier } of all) {
      expect(command).not.toBe("");
      expect(["observe", "modify", "sensitive", "break-glass"]).toContain(tier);
    }
  }
}, 120_000);
