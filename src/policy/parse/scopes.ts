// Reads one scope list (`namespaces:` and the like): entries with names and rules, the first match
// of which wins. Which keywords there are is said by the classifiers.

import type { Glob } from "../../match/glob.ts";
import { GlobIndex } from "../../match/glob-index.ts";
import { compileNameGlob } from "../../match/name-glob.ts";
import { ACTIONS } from "../../model/action.ts";
import type { Verdict } from "../../model/verdict.ts";
import type { ScopeKeyword } from "../../protocols/classifier.ts";
import { compileRules, type Rule } from "../decide/rule-table.ts";
import type { ListEntry } from "../decide/strictest-entry.ts";
import { UnnamedScope } from "../decide/unnamed-scope.ts";
import type { RuleTable, ScopeList, WrittenEntry } from "../policy.ts";
import { SCOPE_ENTRY_KEYS } from "./block-keys.ts";
import type { Problems } from "./problems.ts";
import { type ParseContext, parseRules } from "./rules.ts";
import { asMap, describeTree, type Field, quote, readFields, readTexts } from "./shape.ts";
import type { Tree } from "./yaml-tree.ts";

/**
 * A list compiled, as far as it can be read; everything wrong is reported, an entry that is never reached is a
 * warning. `fallback` is the block's default, which an entry without a rule for the request gives.
 */
export function parseScopeList(
  scope: ScopeKeyword,
  field: Field,
  context: ParseContext,
  fallback: Verdict,
): ScopeList {
  const { problems } = context;
  const { keyword, label } = scope;
  const items = readEntries(keyword, field, problems);
  const pairs: { glob: Glob; value: RuleTable }[] = [];
  const candidates: (ListEntry & { readonly globs: readonly Glob[] })[] = [];
  const written: WrittenEntry[] = [];
  let catchAllLine: number | undefined;
  items.forEach((item, index) => {
    const path = `${field.path}[${index}]`;
    if (catchAllLine !== undefined) {
      const message = `never reached: the entry in line ${catchAllLine} matches every name`;
      problems.warn(item.at, path, message, "move it up");
    }
    const isHidden = catchAllLine !== undefined;
    const { names, globs, rules } = parseEntry(scope, item, path, context);
    if (globs.some((glob) => !glob.isExact && glob.test("") && glob.fixed === ""))
      catchAllLine ??= item.at.line;
    if (rules === undefined) return;
    const table = compileRules(rules);
    written.push({ path, line: item.at.line, names, globs, table });
    if (!isHidden) candidates.push({ rules, table, globs });
    for (const glob of globs) pairs.push({ glob, value: table });
  });
  const entries = new GlobIndex(pairs);
  // An entry all of whose names an earlier one takes has no say; for two globs that is not known.
  const reached = candidates.filter(({ globs, table }) =>
    globs.some((glob) => !glob.isExact || entries.first(glob.head) === table),
  );
  const list = { keyword, label, entries: reached, isExhaustive: catchAllLine !== undefined };
  return {
    keyword,
    label,
    entries,
    unnamed: new UnnamedScope(list, fallback),
    isExhaustive: list.isExhaustive,
    written,
  };
}

function readEntries(keyword: string, field: Field, problems: Problems): readonly Tree[] {
  const { keyAt, path, value } = field;
  if (value.kind !== "list") {
    const message = `${quote(keyword)} must be a list, not ${describeTree(value)}`;
    problems.error(value.at, path, message, "each entry has 'names' and 'rules'");
    return [];
  }
  if (value.items.length === 0)
    problems.error(keyAt, path, `${quote(keyword)} is empty`, "add an entry or remove the key");
  return value.items;
}

function parseEntry(
  scope: ScopeKeyword,
  item: Tree,
  path: string,
  context: ParseContext,
): {
  readonly names: readonly string[];
  readonly globs: readonly Glob[];
  readonly rules: readonly Rule[] | undefined;
} {
  const { problems } = context;
  const map = asMap(item, path, `an entry of ${quote(scope.keyword)}`, problems);
  if (map === undefined) return { names: [], globs: [], rules: undefined };
  const fields = readFields(map, path, Object.keys(SCOPE_ENTRY_KEYS), problems);
  const [names, rules] = [fields.get("names"), fields.get("rules")];
  if (names === undefined)
    problems.error(map.at, path, "the entry has no 'names'", "add names: ['*'] for every one");
  if (rules === undefined)
    problems.error(map.at, path, "the entry has no 'rules'", `allowed under it: ${ACTIONS.join(", ")}`);
  return {
    names: names?.value.kind === "list" ? names.value.items.map(textOf) : [],
    globs: names === undefined ? [] : parseNames(names, scope, problems),
    rules: rules === undefined ? undefined : parseRules(rules, context),
  };
}

function textOf(tree: Tree): string {
  return tree.kind === "text" ? tree.text : "";
}

function parseNames(field: Field, { keyword, form }: ScopeKeyword, problems: Problems): readonly Glob[] {
  if (field.value.kind === "list" && field.value.items.length === 0) {
    const message = "'names' is empty, so the entry never matches";
    problems.error(field.keyAt, field.path, message, "write ['*'] for every name");
  }
  return readTexts(field, "a name", problems).flatMap(({ item, path }) => {
    const compiled = compileNameGlob(item.text);
    if (!("problem" in compiled)) {
      const isStrange = compiled.globs.some(
        (glob) => glob.isExact && form?.pattern.test(glob.head) === false,
      );
      if (form !== undefined && isStrange)
        problems.warn(
          item.at,
          path,
          `${quote(item.text)} is not how requests spell it`,
          `${keyword} take ${form.what}`,
        );
      return compiled.globs;
    }
    problems.error(item.at, path, `${quote(item.text)} is not a name or glob: ${compiled.problem}`);
    return [];
  });
}
