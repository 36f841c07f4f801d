// The explicit lists are complete: what exists is registered, once, and documented.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NOTHING } from "../../src/api/method.ts";
import { type ControlMethod, entryOf, METHODS } from "../../src/api/methods.ts";
import { renderFirstWords } from "../../src/cli/help.ts";
import type { Command } from "../../src/cli/kit/command.ts";
import { COMMANDS } from "../../src/cli/registry.ts";
import { PROTOCOLS } from "../../src/model/protocol.ts";
import { CLASSIFIERS } from "../../src/protocols/registry.ts";
import { CLASSIFIER_LIST, renderClassifierList } from "../support/documents/classifier-list.ts";
import { PROJECT_ROOT, sourceFiles } from "../support/source-files.ts";

test("the imports of the classifiers are what the list of protocols says, in print order", () => {
  expect(readFileSync(join(PROJECT_ROOT, CLASSIFIER_LIST), "utf8")).toBe(renderClassifierList());
  expect(CLASSIFIERS.map(({ protocol }) => protocol)).toEqual([...PROTOCOLS]);
  expect(renderClassifierList(["a-cloud", "helm"])).toContain(
    'import { aCloudClassifier } from "./a-cloud/classify.ts";\nimport type { Classifier }',
  );
});

test("no program is claimed by two classifiers", () => {
  const programs = CLASSIFIERS.flatMap((classifier) => classifier.programs);
  expect(programs).toEqual([...new Set(programs)]);
});

test("every command in cli/commands and features is registered, once", async () => {
  const exported: Command[] = [];
  for (const { path } of [...sourceFiles("src/cli/commands"), ...sourceFiles("src/features")]) {
    // The console's page runs in a browser.
    if (path.startsWith("src/features/console/app/")) continue;
    const module: Record<string, unknown> = await import(join(PROJECT_ROOT, path));
    for (const [name, value] of Object.entries(module))
      if (name.endsWith("Command")) exported.push(value as Command);
  }
  const names = (commands: readonly Command[]) => commands.map(({ name }) => name).sort();
  expect(names(COMMANDS)).toEqual(names(exported));
  expect(new Set(names(COMMANDS)).size).toBe(COMMANDS.length);
}, 120_000);

test("a command's spec reads well: summary without full stop, rest argument last, examples that name it", () => {
  for (const { name, summary, args = [], flags = [], examples = [] } of COMMANDS) {
    expect(summary).toMatch(/^[A-Z].*[^.]$/);
    expect(args.slice(0, -1).some(({ isRest }) => isRest === true)).toBe(false);
    expect(new Set(flags.map((flag) => flag.name)).size).toBe(flags.length);
    for (const example of examples) expect(example).toContain(`iddio ${name}`);
  }
});

test("every control method has its own versioned path", () => {
  const routes = Object.values(METHODS).map(({ verb, path }) => `${verb} ${path}`);
  expect(new Set(routes).size).toBe(routes.length);
  for (const route of routes) expect(route).toMatch(/^(?:GET|POST) \/v\d+\/[a-z/-]+$/);
  for (const name of Object.keys(METHODS) as ControlMethod[]) {
    const { verb, input, isStream } = entryOf(name);
    if (verb === "GET") expect(input).toEqual(NOTHING);
    if (isStream) expect(verb).toBe("POST");
  }
});

test("every control method says what it may do, and what of it narrows in a sentence", () => {
  for (const name of Object.keys(METHODS) as ControlMethod[]) {
    const { effect, narrows, about, verb } = entryOf(name);
    expect(["read", "change", "decide"], name).toContain(effect);
    expect(about, name).toMatch(/^[a-z].*[^.]$/);
    if (effect === "read") expect(narrows, name).toBeUndefined();
    // A page in a browser can be made to fetch by GET.
    else expect(verb, name).toBe("POST");
    if (narrows !== undefined) expect(narrows.because, name).toMatch(/^[^.]{12,}$/);
  }
});

test("README lists the first words of all commands; `bun test/support/update-readme.ts` writes it", () => {
  const readme = readFileSync(join(PROJECT_ROOT, "README.md"), "utf8");
  const block = /<!-- commands -->\n```\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(block.trimEnd().split("\n")).toEqual([
    ...renderFirstWords(COMMANDS.filter(({ isHidden }) => isHidden !== true)),
  ]);
});
