// Reads one protocol's block: inspect, default, groups, scope lists, rules. Reports every problem
// it finds and goes on; a block with one is never compiled.

import { ACTIONS } from "../../model/action.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { Verdict } from "../../model/verdict.ts";
import { compileRules } from "../decide/rule-table.ts";
import { DEFAULT_ACTION, type ListedEntry, type ProtocolBlock, type RuleTable } from "../policy.ts";
import { BLOCK_KEYS, protocolsWithScope, scopeKeywords } from "./block-keys.ts";
import { MCP_KEYS, parseMcpKeys } from "./mcp-keys.ts";
import { childPath, type Problems } from "./problems.ts";
import { parseProtocolEntry } from "./protocol-entry.ts";
import { type ParseContext, parseGroups, parseRules } from "./rules.ts";
import { parseScopeList } from "./scopes.ts";
import { asMap, type Field, quote, readFields, readTexts, readWord } from "./shape.ts";

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
  const own = protocol === "mcp" ? Object.keys(MCP_KEYS) : [];
  const allowed = ["inspect", "default", ...own, "groups", ...scopes.map((scope) => scope.keyword), "rules"];
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
  const fallback = parseDefault(field, fields.get("default"), problems);
  const flat = (): RuleTable | undefined => {
    const rules = rulesField && parseRules(rulesField, context);
    return rules && compileRules(rules);
  };
  const block = {
    protocol,
    line: field.keyAt.line,
    inspect: inspectField === undefined ? [] : parseInspect(inspectField, protocol, problems),
    fallback,
    scopes: [...fields].flatMap(([key, list]) => {
      const scope = scopes.find((one) => one.keyword === key);
      return scope === undefined ? [] : [parseScopeList(scope, list, context, fallback)];
    }),
    rules: flat(),
    ...(protocol === "mcp" ? { mcp: parseMcpKeys(fields, problems) } : {}),
  };
  // A misspelled name is reported where it stands; that the right one is then unused says nothing new.
  for (const group of context.groups.values())
    if (!group.isUsed && !problems.hasErrors)
      problems.warn(
        group.at,
        childPath(`${field.path}.groups`, group.name),
        `no rule names the group ${quote(group.name)}`,
      );
  return block;
}

function parseInspect(field: Field, protocol: Protocol, problems: Problems): readonly ListedEntry[] {
  if (field.value.kind === "empty") {
    problems.error(field.keyAt, field.path, "'inspect' is empty", "write 'inspect: []' to intercept nothing");
    return [];
  }
  return readTexts(field, "an inspect entry", problems).flatMap(({ item, path }) => {
    const parsed = parseProtocolEntry(protocol, item.text);
    if ("problem" in parsed) {
      problems.error(item.at, path, `${quote(item.text)} cannot be inspected: ${parsed.problem}`);
      return [];
    }
    if (parsed.entry.isCatchAll && protocol !== "generic") {
      const hint = `name the hosts of ${protocol}, or list it under 'generic'`;
      problems.error(item.at, path, `${quote(item.text)} covers every host, which only 'generic' may`, hint);
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

function explainKey(protocol: Protocol, key: string): string | undefined {
  if (Object.hasOwn(BLOCK_KEYS, key)) return undefined;
  const elsewhere = protocolsWithScope(key);
  if (elsewhere.length === 0) return undefined;
  const own = scopeKeywords(protocol).map((scope) => scope.keyword);
  const here = own.length === 0 ? `${protocol} has no scope lists` : `${protocol} has ${own.join(", ")}`;
  return `${quote(key)} belongs to ${elsewhere.join(" and ")}; ${here}`;
}
