// Reads one scope list (`namespaces:` and the like): entries with names and rules, the first match of which
// wins. Which keywords there are is said by the classifiers.

import type { ScopeKeyword } from "../classify/classifier.ts";
import type { Glob } from "../match/glob.ts";
import { GlobIndex } from "../match/glob-index.ts";
import { compileNameGlob } from "../match/name-glob.ts";
import { ACTIONS } from "../model/action.ts";
import { SCOPE_ENTRY_KEYS } from "./block-keys.ts";
import { type ParseContext, parseRules } from "./parse-rules.ts";
import { asMap, describeTree, type Field, quote, readFields, readTexts } from "./parse-shape.ts";
import type { RuleTable, ScopeList } from "./policy.ts";
import type { Problems } from "./problems.ts";
import type { Tree } from "./yaml-tree.ts";

/** A list compiled, as far as it can be read; everything wrong is reported, an entry that is never reached is a warning. */
export function parseScopeList(
  { keyword, label }: ScopeKeyword,
  field: Field,
  context: ParseContext,
): ScopeList {
  const { problems } = context;
  const items = readEntries(keyword, field, problems);
  const pairs: { glob: Glob; value: RuleTable }[] = [];
  let catchAllLine: number | undefined;
  items.forEach((item, index) => {
    const path = `${field.path}[${index}]`;
    if (catchAllLine !== undefined) {
      const message = `never reached: the entry in line ${catchAllLine} matches every name`;
      problems.warn(item.at, path, message, "move it up");
    }
    const { globs, table } = parseEntry(keyword, item, path, context);
    if (globs.some((glob) => !glob.isExact && glob.test("") && glob.fixed === ""))
      catchAllLine ??= item.at.line;
    if (table !== undefined) for (const glob of globs) pairs.push({ glob, value: table });
  });
  return { keyword, label, entries: new GlobIndex(pairs) };
}

function readEntries(keyword: string, field: Field, problems: Problems): readonly Tree[] {
  const { keyAt, path, value } = field;
  if (value.kind !== "list") {
    const message = `${quote(keyword)} must be a list, not ${describeTree(value)}`;
    problems.error(value.at, path, message, 'each entry has "names" and "rules"');
    return [];
  }
  if (value.items.length === 0)
    problems.error(keyAt, path, `${quote(keyword)} is empty`, "add an entry or remove the key");
  return value.items;
}

function parseEntry(
  keyword: string,
  item: Tree,
  path: string,
  context: ParseContext,
): { readonly globs: readonly Glob[]; readonly table: RuleTable | undefined } {
  const { problems } = context;
  const map = asMap(item, path, `an entry of ${quote(keyword)}`, problems);
  if (map === undefined) return { globs: [], table: undefined };
  const fields = readFields(map, path, Object.keys(SCOPE_ENTRY_KEYS), problems);
  const [names, rules] = [fields.get("names"), fields.get("rules")];
  if (names === undefined)
    problems.error(map.at, path, 'the entry has no "names"', 'add names: ["*"] for every one');
  if (rules === undefined)
    problems.error(map.at, path, 'the entry has no "rules"', `allowed under it: ${ACTIONS.join(", ")}`);
  return {
    globs: names === undefined ? [] : parseNames(names, problems),
    table: rules === undefined ? undefined : parseRules(rules, context),
  };
}

function parseNames(field: Field, problems: Problems): readonly Glob[] {
  if (field.value.kind === "list" && field.value.items.length === 0) {
    const message = '"names" is empty, so the entry never matches';
    problems.error(field.keyAt, field.path, message, 'write ["*"] for every name');
  }
  return readTexts(field, "a name", problems).flatMap(({ item, path }) => {
    const compiled = compileNameGlob(item.text);
    if (!("problem" in compiled)) return compiled.globs;
    problems.error(item.at, path, `${quote(item.text)} is not a name or glob: ${compiled.problem}`);
    return [];
  });
}
