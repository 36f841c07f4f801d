// Reads `groups:` and `rules:`. A rules block that selects nothing is an error, because it looks
// like protection and is none; a group that does not exist is an error for the same reason.

import { ACTIONS, type Action } from "../../model/action.ts";
import type { Protocol } from "../../model/protocol.ts";
import { TIERS, type Tier } from "../../model/tier.ts";
import { type CommandSelector, compileCommand, type Rule } from "../decide/rule-table.ts";
import { allowedHint } from "../did-you-mean.ts";
import { BRANCH_KEYS, GROUP_KEYS } from "./block-keys.ts";
import { childPath, type Position, type Problems } from "./problems.ts";
import { asMap, type Field, quote, readFields, readTexts, readWord } from "./shape.ts";

/** A group of a block; `isUsed` is set when a rule names it. */
export interface Group {
  readonly name: string;
  readonly at: Position;
  readonly tiers: readonly Tier[];
  readonly commands: readonly CommandSelector[];
  isUsed: boolean;
}

/** The state that the parsers of one file share. */
export interface ParseContext {
  readonly protocol: Protocol;
  readonly problems: Problems;
  readonly groups: ReadonlyMap<string, Group>;
  /** Counts selectors over the whole file: groups named in many rules blocks multiply. */
  readonly budget: { left: number };
}

/** Selectors that a file may amount to once every group is written out where it is named. */
export const MAX_SELECTORS = 200_000;

/** The groups of a block by name, in file order; malformed ones are reported and kept as far as they can be read. */
export function parseGroups(
  field: Field,
  protocol: Protocol,
  problems: Problems,
): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  const map = asMap(field.value, field.path, "'groups'", problems);
  for (const [name, { keyAt, value }] of map?.entries ?? []) {
    const path = childPath(field.path, name);
    const body = asMap(value, path, `the group ${quote(name)}`, problems);
    const fields = body && readFields(body, path, Object.keys(GROUP_KEYS), problems);
    const tiersField = fields?.get("tiers");
    const commandsField = fields?.get("commands");
    const tiers = tiersField === undefined ? [] : parseTiers(tiersField, problems);
    const commands = commandsField === undefined ? [] : parseCommands(commandsField, protocol, problems);
    if (body !== undefined && isBlank(tiersField) && isBlank(commandsField))
      problems.error(
        keyAt,
        path,
        `the group ${quote(name)} selects nothing`,
        "give it 'tiers' or 'commands'",
      );
    groups.set(name, { name, at: keyAt, tiers, commands: commands.map((one) => one.command), isUsed: false });
  }
  return groups;
}

/** The rules of one `rules:` block in file order; undefined when it cannot be read at all, which is reported. */
export function parseRules(field: Field, context: ParseContext): readonly Rule[] | undefined {
  const { problems } = context;
  const map = asMap(field.value, field.path, "'rules'", problems);
  if (map === undefined) return undefined;
  if (map.entries.size === 0) problems.error(field.keyAt, field.path, "'rules' is empty", emptyHint());
  const rules: Rule[] = [];
  for (const [action, branch] of readFields(map, field.path, ACTIONS, problems, explainBranchKey))
    rules.push(...parseBranch(action as Action, branch, context));
  return rules;
}

function parseBranch(action: Action, branch: Field, context: ParseContext): readonly Rule[] {
  const { problems, protocol } = context;
  const map =
    branch.value.kind === "empty" ? undefined : asMap(branch.value, branch.path, quote(action), problems);
  if (map === undefined && branch.value.kind !== "empty") return [];
  const fields = map && readFields(map, branch.path, Object.keys(BRANCH_KEYS), problems, explainSelectorKey);
  const groupsField = fields?.get("groups");
  const commandsField = fields?.get("commands");
  if (
    (map === undefined || fields?.size === map.entries.size) &&
    isBlank(groupsField) &&
    isBlank(commandsField)
  )
    problems.error(branch.keyAt, branch.path, `${quote(action)} selects nothing`, emptyHint());
  const byGroup = groupsField === undefined ? [] : parseGroupNames(action, groupsField, context);
  const named = commandsField === undefined ? [] : parseCommands(commandsField, protocol, problems);
  const byCommand = named.map(
    ({ command, path, line }): Rule => ({
      action,
      path,
      line,
      group: undefined,
      tiers: [],
      commands: [command],
    }),
  );
  const rules = [...byGroup, ...byCommand];
  spend(rules, branch, context);
  return context.budget.left < 0 ? [] : rules;
}

function parseGroupNames(action: Action, field: Field, { groups, problems }: ParseContext): readonly Rule[] {
  return readTexts(field, "the name of a group", problems).flatMap(({ item, path }) => {
    const group = groups.get(item.text);
    if (group === undefined) {
      const names = [...groups.keys()];
      const hint = names.length === 0 ? "the block has no 'groups'" : allowedHint(item.text, names);
      problems.error(item.at, path, `unknown group ${quote(item.text)}`, hint);
      return [];
    }
    group.isUsed = true;
    const { name, tiers, commands } = group;
    return [{ action, path, line: item.at.line, group: name, tiers, commands }];
  });
}

function parseTiers(field: Field, problems: Problems): readonly Tier[] {
  return readTexts(field, "a tier", problems).flatMap(({ item, path }) => {
    const tier = readWord(item, path, "a tier", TIERS, problems);
    return tier === undefined ? [] : [tier];
  });
}

function parseCommands(
  field: Field,
  protocol: Protocol,
  problems: Problems,
): readonly { readonly command: CommandSelector; readonly path: string; readonly line: number }[] {
  return readTexts(field, "a command", problems).flatMap(({ item, path }) => {
    const command = compileCommand(protocol, item.text);
    if (!("problem" in command))
      return [{ command: { ...command, at: item.at, path }, path, line: item.at.line }];
    problems.error(item.at, path, `${quote(item.text)} is not a command: ${command.problem}`);
    return [];
  });
}

function spend(rules: readonly Rule[], branch: Field, { budget, problems }: ParseContext): void {
  const isSpent = budget.left < 0;
  for (const rule of rules) budget.left -= rule.tiers.length + rule.commands.length;
  if (budget.left >= 0 || isSpent) return;
  const hint = "name fewer commands per group, or use globs";
  problems.error(branch.keyAt, branch.path, `the rules amount to more than ${MAX_SELECTORS} selectors`, hint);
}

function isBlank(field: Field | undefined): boolean {
  return (
    field === undefined ||
    field.value.kind === "empty" ||
    (field.value.kind === "list" && field.value.items.length === 0)
  );
}

function emptyHint(): string {
  return "name 'groups' or 'commands', or remove the key";
}

function explainBranchKey(key: string): string | undefined {
  if (!(key in BRANCH_KEYS || key in GROUP_KEYS)) return undefined;
  return `put it under an action: ${ACTIONS.join(", ")}`;
}

function explainSelectorKey(key: string): string | undefined {
  return key === "tiers"
    ? "tiers are selected through a group: define one under 'groups' and name it here"
    : undefined;
}
