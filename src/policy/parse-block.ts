// Reads one protocol's block: inspect, default, groups, scope lists, rules.

import type { ScopeKeyword } from "../classify/classifier.ts";
import type { Glob } from "../match/glob.ts";
import { GlobIndex } from "../match/glob-index.ts";
import { parseInspectEntry } from "../match/inspect-entry.ts";
import { compileNameGlob } from "../match/name-glob.ts";
import { ACTIONS } from "../model/action.ts";
import type { Protocol } from "../model/protocol.ts";
import type { Verdict } from "../model/verdict.ts";
import { BLOCK_KEYS, protocolsWithScope, SCOPE_ENTRY_KEYS, scopeKeywords } from "./block-keys.ts";
import { type ParseContext, parseGroups, parseRules } from "./parse-rules.ts";
import { asMap, type Field, quote, readFields, readTexts, readWord } from "./parse-shape.ts";
import {
  DEFAULT_ACTION,
  type ListedEntry,
  type ProtocolBlock,
  type RuleTable,
  type ScopeList,
} from "./policy.ts";
import { childPath, type Problems } from "./problems.ts";

/** A block as far as it can be read; undefined when it is no mapping. Everything wrong is reported. */
export function parseBlock(
  protocol: Protocol,
  field: Field,
  problems: Problems,
  budget: ParseContext["budget"],
): ProtocolBlock | undefined {
  const map = asMap(field.value, field.path, `the block ${quote(protocol)}`, problems);
  if (map === undefined) return undefined;
  const scopes = scopeKeywords(protocol);
  const allowed = ["inspect", "default", "groups", ...scopes.map((scope) => scope.keyword), "rules"];
  const fields = readFields(map, field.path, allowed, problems, (key) => explainKey(protocol, key));
  if (map.entries.size === 0)
    problems.error(
      field.keyAt,
      field.path,
      `the block ${quote(protocol)} is empty`,
      `allowed: ${allowed.join(", ")}`,
    );
  const groupsField = fields.get("groups");
  const groups = groupsField === undefined ? new Map() : parseGroups(groupsField, protocol, problems);
  const context: ParseContext = { protocol, problems, groups, budget };
  const inspectField = fields.get("inspect");
  const rulesField = fields.get("rules");
  const block = {
    protocol,
    line: field.keyAt.line,
    inspect: inspectField === undefined ? [] : parseInspect(inspectField, protocol, problems),
    fallback: parseDefault(field, fields.get("default"), problems),
    scopes: [...fields].flatMap(([key, list]) => {
      const scope = scopes.find((one) => one.keyword === key);
      return scope === undefined ? [] : [parseScopeList(scope, list, context)];
    }),
    rules: rulesField === undefined ? undefined : parseRules(rulesField, context),
  };
  for (const group of context.groups.values())
    if (!group.isUsed)
      problems.warn(
        group.at,
        childPath(`${field.path}.groups`, group.name),
        `no rule names the group ${quote(group.name)}`,
      );
  return block;
}

function parseInspect(field: Field, protocol: Protocol, problems: Problems): readonly ListedEntry[] {
  if (field.value.kind === "empty") {
    problems.error(field.keyAt, field.path, '"inspect" is empty', 'write "inspect: []" to intercept nothing');
    return [];
  }
  return readTexts(field, "an inspect entry", problems).flatMap(({ item, path }) => {
    const parsed = parseInspectEntry(item.text);
    if ("problem" in parsed) {
      problems.error(item.at, path, `${quote(item.text)} cannot be inspected: ${parsed.problem}`);
      return [];
    }
    if (parsed.entry.isCatchAll && protocol !== "generic") {
      const hint = `name the hosts of ${protocol}, or list it under "generic"`;
      problems.error(item.at, path, `${quote(item.text)} covers every host, which only "generic" may`, hint);
    }
    return [{ protocol, entry: parsed.entry, path, ...item.at }];
  });
}

function parseDefault(block: Field, field: Field | undefined, problems: Problems): Verdict {
  const rule = `${block.path}.default`;
  const action =
    field === undefined ? undefined : readWord(field.value, field.path, "an action", ACTIONS, problems);
  const reason =
    field === undefined
      ? `no rule matches, and without a default the action is ${DEFAULT_ACTION}`
      : `no rule matches, and the default is ${action ?? DEFAULT_ACTION}`;
  return { action: action ?? DEFAULT_ACTION, rule, line: field?.keyAt.line ?? 0, reason };
}

function parseScopeList({ keyword, label }: ScopeKeyword, field: Field, context: ParseContext): ScopeList {
  const { problems } = context;
  const pairs: { glob: Glob; value: RuleTable }[] = [];
  let catchAllLine: number | undefined;
  const items = field.value.kind === "list" ? field.value.items : [];
  if (field.value.kind !== "list")
    problems.error(
      field.value.at,
      field.path,
      `${quote(keyword)} must be a list of entries with "names" and "rules"`,
    );
  else if (items.length === 0)
    problems.error(field.keyAt, field.path, `${quote(keyword)} is empty`, "add an entry or remove the key");
  items.forEach((item, index) => {
    const path = `${field.path}[${index}]`;
    const map = asMap(item, path, `an entry of ${quote(keyword)}`, problems);
    if (map === undefined) return;
    const fields = readFields(map, path, Object.keys(SCOPE_ENTRY_KEYS), problems);
    const [names, rules] = [fields.get("names"), fields.get("rules")];
    for (const [key, found] of [
      ["names", names],
      ["rules", rules],
    ] as const)
      if (found === undefined)
        problems.error(map.at, path, `the entry has no ${quote(key)}`, SCOPE_ENTRY_KEYS[key]);
    if (catchAllLine !== undefined)
      problems.warn(
        map.at,
        path,
        `never reached: the entry in line ${catchAllLine} matches every name`,
        "move it up",
      );
    const globs = names === undefined ? [] : parseNames(names, problems);
    if (globs.some((glob) => !glob.isExact && glob.fixed === "" && glob.test("")))
      catchAllLine ??= map.at.line;
    const table = rules === undefined ? undefined : parseRules(rules, context);
    if (table !== undefined) for (const glob of globs) pairs.push({ glob, value: table });
  });
  return { keyword, label, entries: new GlobIndex(pairs) };
}

function parseNames(field: Field, problems: Problems): readonly Glob[] {
  if (field.value.kind === "list" && field.value.items.length === 0)
    problems.error(
      field.keyAt,
      field.path,
      '"names" is empty, so the entry never matches',
      'write ["*"] for every name',
    );
  return readTexts(field, "a name", problems).flatMap(({ item, path }) => {
    const compiled = compileNameGlob(item.text);
    if (!("problem" in compiled)) return compiled.globs;
    problems.error(item.at, path, `${quote(item.text)} is not a name or glob: ${compiled.problem}`);
    return [];
  });
}

function explainKey(protocol: Protocol, key: string): string | undefined {
  if (Object.hasOwn(BLOCK_KEYS, key)) return undefined;
  const elsewhere = protocolsWithScope(key);
  if (elsewhere.length === 0) return undefined;
  const own = scopeKeywords(protocol).map((scope) => scope.keyword);
  const here = own.length === 0 ? `${protocol} has no scope lists` : `${protocol} has ${own.join(", ")}`;
  return `${quote(key)} belongs to ${elsewhere.join(" and ")}; ${here}`;
}
