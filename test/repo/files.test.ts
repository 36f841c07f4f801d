// Rules for every source file: a header that says what it owns, a sentence on every export, a size
// that can be read in one sitting, a name that says what is in it, comments that are sentences.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { PROJECT_ROOT, type SourceFile, sourceFiles } from "../support/source-files.ts";

const WALL = 400;
/** Twenty can be taken in at a glance; from here on a folder has to be divided. */
const FOLDER_MAX = 20;
const EXPORTED = /^export (?:abstract |async )*(?:const|let|function\*?|class|interface|type) (\w+)/gm;
const src = sourceFiles("src");
const all = [...src, ...sourceFiles("test"), ...sourceFiles("bench")];

function offenders(
  files: readonly SourceFile[],
  problem: (file: SourceFile) => string | undefined,
): string[] {
  return files.flatMap((file) => {
    const found = problem(file);
    return found === undefined ? [] : [`${file.path}: ${found}`];
  });
}

/** The project's top level, as ARCHITECTURE.md and newcomers know it. */
const TOP =
  ".ci .github .gitignore ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE README.md SECURITY.md bench biome.json build.ts bunfig.toml docs examples install.sh package-lock.json package.json packaging src test tsconfig.json";

test("nothing else lies at the top level, and no file is larger than the largest table", () => {
  const listed = Bun.spawnSync(["git", "ls-tree", "-l", "-r", "HEAD"], {
    cwd: PROJECT_ROOT,
    stderr: "ignore",
  });
  // A checkout without git's own folder has nothing to compare.
  if (!listed.success) return;
  const rows = listed.stdout.toString().trim().split("\n");
  const files = rows.map((row) => /^\d+ blob \w+ +(\d+)\t(.*)$/.exec(row)).filter((found) => found !== null);
  expect(files.length).toBeGreaterThan(500);
  const top = new Set(files.map(([, , path = ""]) => path.split("/")[0] ?? ""));
  expect([...top].filter((name) => !TOP.split(" ").includes(name))).toEqual([]);
  expect(files.filter(([, size]) => Number(size) > 3_000_000).map(([, , path]) => path)).toEqual([]);
});

test("the durations by which the runner begins with the slowest tests are of files that are there", () => {
  const path = join(PROJECT_ROOT, "test/support/suite/durations.json");
  const { files } = JSON.parse(readFileSync(path, "utf8")) as { files: Readonly<Record<string, number>> };
  expect(Object.keys(files).filter((name) => !existsSync(join(PROJECT_ROOT, name)))).toEqual([]);
});

test(`no source file is longer than ${WALL} lines`, () => {
  expect(
    offenders(src, ({ text }) => {
      const lines = text.split("\n").length - 1;
      return lines > WALL ? `${lines} lines; split it by what it owns` : undefined;
    }),
  ).toEqual([]);
});

test(`no folder holds more than ${FOLDER_MAX} source files`, () => {
  const counts = new Map<string, number>();
  for (const { path } of src) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  const full = [...counts]
    .filter(([, count]) => count > FOLDER_MAX)
    .map(([folder, count]) => `${folder}: ${count} files; make a folder of those that share a subject`);
  expect(full).toEqual([]);
});

test("every source file opens with two to six lines that say what it owns", () => {
  expect(
    offenders(src, ({ text, path }) => {
      const lines = text.split("\n");
      const header = lines.findIndex((line) => !line.startsWith("// "));
      // A small file that has nothing to forbid may say it in one line.
      const least = lines.length < 40 ? 1 : 2;
      return header >= least && header <= 6 ? undefined : `${header} header lines in ${basename(path)}`;
    }),
  ).toEqual([]);
});

test("every export of a source file has a sentence above it", () => {
  expect(
    offenders(src, ({ text }) => {
      const lines = text.split("\n");
      const bare = lines.findIndex((line, index) => {
        if (!/^export (?!type \{|\{|\*)/.test(line)) return false;
        let above = index - 1;
        while (lines[above]?.startsWith("//") === true) above -= 1;
        return !/\*\/\s*$/.test(lines[above] ?? "");
      });
      return bare < 0 ? undefined : `line ${bare + 1}: ${lines[bare]}`;
    }),
  ).toEqual([]);
});

test("no two exported things of src share a name", () => {
  const homes = new Map<string, string[]>();
  for (const { path, text } of src)
    for (const [, name = ""] of text.matchAll(EXPORTED)) homes.set(name, [...(homes.get(name) ?? []), path]);
  expect([...homes].filter(([, paths]) => paths.length > 1)).toEqual([]);
});

test("a comment is a sentence about its subject: none begins with 'What …'", () => {
  // "What is kept" makes the reader look for the noun. Name it: "The kept rows".
  const opening = /^\s*(?:\/\*\*|\*|\/\/)\s+(?:And )?[Ww]hat\b/;
  expect(
    offenders(all, ({ text }) => {
      const lines = text.split("\n");
      const found = lines.findIndex((line, index) => {
        if (!opening.test(line)) return false;
        // The second line of a comment may go on with the word.
        const before = lines[index - 1]?.trim() ?? "";
        return !/^(?:\/\/|\*|\/\*\*)\s*\S/.test(before);
      });
      return found < 0 ? undefined : `line ${found + 1}: ${lines[found]}`;
    }),
  ).toEqual([]);
});

test("no line of a header is longer than 100 columns", () => {
  expect(
    offenders(src, ({ text }) => {
      const lines = text.split("\n");
      const end = lines.findIndex((line) => !line.startsWith("// "));
      return lines.slice(0, Math.max(0, end)).find((line) => line.length > 100);
    }),
  ).toEqual([]);
});

test("files are kebab-case and named for what they export, not for what they are", () => {
  const vague = new Set([
    "index",
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "types",
    "manager",
    "misc",
  ]);
  expect(
    offenders(all, ({ path }) => {
      const name = basename(path).replace(/(?:\.test|\.d)?\.tsx?$/, "");
      if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) return "not kebab-case";
      return vague.has(name) ? "a name that says nothing" : undefined;
    }),
  ).toEqual([]);
});

test("nothing is left for later and no test is switched off", () => {
  const words = new RegExp(`\\b(?:${["TO", "FIX"].join("DO|")}ME|XX${"X"}|HA${"CK"})\\b`);
  expect(offenders(all, ({ text }) => words.exec(text)?.[0])).toEqual([]);
  const off = new RegExp(`\\.(?:${["skip", "only", "todo"].join("|")})\\(`);
  expect(offenders(sourceFiles("test"), ({ code }) => off.exec(code)?.[0])).toEqual([]);
});

test("only main.ts ends the process", () => {
  expect(
    offenders(src, ({ path, code }) =>
      path !== "src/main.ts" && /\bprocess\s*\.\s*exit\b/.test(code) ? "process.exit" : undefined,
    ),
  ).toEqual([]);
});
