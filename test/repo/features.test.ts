// The features say what they bring, and what they say is true: every folder is in the list, nothing
// is claimed twice, and what is named exists.

import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { METHODS } from "../../src/api/methods.ts";
import { FEATURES } from "../../src/features/features.ts";
import { STAGES } from "../../src/gateway/request/stages/stages.ts";
import { openDatabase } from "../../src/state/database.ts";
import { SETTING_NAMES } from "../../src/state/settings/settings.ts";
import { renderFeatures } from "../support/documents/feature-page.ts";
import { PROJECT_ROOT, sourceFiles } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

test("every folder of features is in the list, by name", () => {
  const folders = readdirSync(join(PROJECT_ROOT, "src/features"), { withFileTypes: true })
    .filter((each) => each.isDirectory())
    .map(({ name }) => name)
    .sort();
  expect(FEATURES.map(({ name }) => name)).toEqual(folders);
  for (const { about } of FEATURES) expect(about).toMatch(/^[A-Z].*[^.]$/);
});

test("what a feature brings exists, and no other feature brings it too", async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, "state.db");
  openDatabase(path).close();
  using database = new Database(path, { readonly: true });
  const tables = database
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => name);
  const known = {
    methods: Object.keys(METHODS),
    settings: SETTING_NAMES as readonly string[],
    tables,
    stages: STAGES.map(({ name }) => name),
  };
  for (const what of Object.keys(known) as (keyof typeof known)[]) {
    const claimed = FEATURES.flatMap((feature) => feature[what] ?? []) as string[];
    expect(
      claimed.filter((name) => !known[what].includes(name)),
      what,
    ).toEqual([]);
    expect(new Set(claimed).size, what).toBe(claimed.length);
  }
});

test("every check of doctor is in a list", () => {
  const missing = sourceFiles("src/features").flatMap(({ path, code }) => {
    const found = /^src\/features\/(\w+)\/check-[\w-]+\.ts$/.exec(path);
    if (found === null) return [];
    const list = found[1] === "doctor" ? "doctor/checks.ts" : `${found[1]}/feature.ts`;
    const text = readFileSync(join(PROJECT_ROOT, "src/features", list), "utf8");
    const checks = [...code.matchAll(/^export (?:async )?(?:function|const) (check\w+)/gm)];
    return checks.flatMap(([, name = ""]) =>
      new RegExp(`\\b${name}\\b`).test(text) ? [] : [`${path}: ${name} is not in src/features/${list}`],
    );
  });
  expect(missing).toEqual([]);
});

test("a check of a feature comes behind one that there is", async () => {
  const own = readFileSync(join(PROJECT_ROOT, "src/features/doctor/checks.ts"), "utf8");
  const before = new Set<string>();
  for (const { checks } of FEATURES)
    for (const { name, after } of (await checks?.()) ?? []) {
      if (after !== undefined) expect(own.includes(`["${after}", `) || before.has(after), name).toBe(true);
      before.add(name);
    }
});

test("docs/features.md is what the list says", () => {
  expect(readFileSync(join(PROJECT_ROOT, "docs/features.md"), "utf8")).toBe(renderFeatures());
});
