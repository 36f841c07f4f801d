// The documentation says what is so: every command line in it is one that the program takes, every
// policy loads, every link leads somewhere, and what is generated is up to date.

import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgv } from "../../src/cli/kit/parse-argv.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { ENTRY_OPS } from "../../src/model/entry.ts";
import { EVENT_TAGS } from "../../src/model/event.ts";
import { OUTCOMES } from "../../src/model/outcome.ts";
import { PROTOCOLS } from "../../src/model/protocol.ts";
import { TIERS } from "../../src/model/tier.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import { DEFAULT_SETTINGS, SETTING_NAMES } from "../../src/state/settings/settings.ts";
import { withBlockTable } from "../support/documents/block-table.ts";
import { renderCommandReference } from "../support/documents/command-reference.ts";
import { renderControlApi } from "../support/documents/control-api-page.ts";
import { PROJECT_ROOT, sourceFiles } from "../support/source-files.ts";

const pages = [
  "README.md",
  "SECURITY.md",
  "ARCHITECTURE.md",
  ...readdirSync(join(PROJECT_ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
].map((path) => ({ path, text: readFileSync(join(PROJECT_ROOT, path), "utf8") }));

function page(path: string): string {
  return pages.find((each) => each.path === path)?.text ?? "";
}

test("the command reference is what the registry says; `bun test/support/update-readme.ts` writes it", () => {
  expect(page("docs/commands.md")).toBe(renderCommandReference());
});

test("the control API's page is what the table says; `bun test/support/update-readme.ts` writes it", () => {
  expect(page("docs/control-api.md")).toBe(renderControlApi());
});

test("README leads to every page, by itself or by a page that it leads to", () => {
  const reached = new Set<string>();
  const queue = ["README.md"];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const link of linksOf(path)) if (link.endsWith(".md")) queue.push(link);
  }
  expect(pages.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
});

test("every link leads to a file of the repository", () => {
  const broken = pages.flatMap(({ path }) =>
    linksOf(path)
      .filter((link) => !existsSync(join(PROJECT_ROOT, link)))
      .map((link) => `${path}: ${link}`),
  );
  expect(broken).toEqual([]);
});

/** Targets of relative links, from the project's root. */
function linksOf(path: string): string[] {
  return [...page(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => join(dirname(path), target));
}

describe("every command line is one that the program takes", () => {
  for (const { path, text } of pages) {
    const blocks = [...text.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block).join("");
    const typed = [...blocks.matchAll(/^(?:\$ )?(iddio .*)$/gm)].map(([, line = ""]) => line);
    const named = [...text.matchAll(/`(iddio [^`\n]*)`/g)].map(([, line = ""]) => line);
    const lines = [...typed, ...named];
    for (const line of new Set(lines)) {
      // The generated reference and the list in README show usage, not command lines.
      if (path === "docs/commands.md" || /[[<|…]|\.\.\./.test(line.replace(/<[a-z][a-z ]*>/g, "x"))) continue;
      test(`${path}: ${line}`, () => expect(problemOf(line)).toBeUndefined());
    }
  }
});

/** Says what is wrong with a command line, by the registry; placeholders stand for themselves. */
function problemOf(line: string): string | undefined {
  const words = (
    line
      .replace(/\s#.*$/, "")
      .replaceAll(/<([a-z][a-z ]*)>/g, "x")
      .match(/"[^"]*"|'[^']*'|\S+/g) ?? []
  )
    .slice(1)
    .map((word) => word.replace(/^["'](.*)["']$/, "$1"));
  if (words[0] === "help" || words[0] === "--version") return undefined;
  const command = [3, 2, 1]
    .map((length) => COMMANDS.find(({ name }) => name === words.slice(0, length).join(" ")))
    .find((found) => found !== undefined);
  if (command === undefined) {
    // A noun alone, in a sentence about it.
    const isNoun = words.length > 0 && COMMANDS.some(({ name }) => name.startsWith(`${words.join(" ")} `));
    return isNoun ? undefined : "no such command";
  }
  const rest = words.slice(command.name.split(" ").length);
  // In a sentence a command may be named without its arguments.
  if (rest.length === 0) return undefined;
  try {
    parseArgv(command, rest);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe("every policy in it loads", () => {
  for (const { path, text } of pages) {
    for (const [index, [, yaml = ""]] of [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].entries())
      test(`${path}, ${index + 1}`, () => {
        const parsed = parsePolicy(yaml);
        expect(
          "problems" in parsed
            ? parsed.problems
            : parsed.warnings.filter(({ message }) => !/inspect/.test(message)),
        ).toEqual([]);
      });
  }
});

test("every protocol, tier and scope list is in the policy reference", () => {
  const text = page("docs/policy.md");
  for (const word of TIERS) expect(text).toContain(`\`${word}\``);
  expect(text).toBe(withBlockTable(text));
  for (const protocol of PROTOCOLS) expect(text).toContain(`\n| \`${protocol}\` |`);
});

test("every setting is in the reference, with its default", () => {
  const rows = [...page("docs/settings.md").matchAll(/^\| `([a-z_]+)` \| `([^`]*)` \|/gm)];
  const written = Object.fromEntries(rows.map(([, name, value]) => [name, value]));
  const defaults = SETTING_NAMES.map((name) => [
    name,
    DEFAULT_SETTINGS[name] === "" ? '""' : String(DEFAULT_SETTINGS[name]),
  ]);
  expect(written).toEqual(Object.fromEntries(defaults));
});

test("every kind of row, every outcome and every event is explained", () => {
  const text = page("docs/audit.md");
  const missing = [...ENTRY_OPS, ...OUTCOMES, ...EVENT_TAGS].filter((word) => !text.includes(`\`${word}\``));
  expect(missing).toEqual([]);
});

test("a table that a page shows has the columns that the program prints", () => {
  const printed = new Set(
    sourceFiles("src")
      .flatMap(({ text }) => text.match(/\[\s*"[A-Z][A-Z ]*"(?:,\s*"[A-Z][A-Z ]*")+,?\s*\]/g) ?? [])
      .map((list) => (list.match(/[A-Z][A-Z ]*/g) ?? []).join("  ")),
  );
  const shown = pages.flatMap(({ path, text }) =>
    (text.match(/^[A-Z]+(?: {1,}[A-Z]+)+$/gm) ?? [])
      .filter((line) => line.includes("  "))
      .map((line) => ({ path, columns: line.split(/ {2,}/).join("  ") })),
  );
  expect(shown.length).toBeGreaterThan(4);
  expect(shown.filter(({ columns }) => !printed.has(columns))).toEqual([]);
});
