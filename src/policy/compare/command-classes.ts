// Sorts commands into classes that the compared policies cannot tell apart: the catalogue's
// operations by the verdicts of the rules, and one class for each combination of verdicts that
// another command, or several names of one request, could meet.

import type { Glob } from "../../match/glob.ts";
import { globCells } from "../../match/glob-cells.ts";
import { ACTIONS } from "../../model/action.ts";
import { TIERS, type TierOrUnknown } from "../../model/tier.ts";
import type { KnownOperation } from "../../protocols/known-operation.ts";
import type { CommandSelector } from "../decide/rule-table.ts";
import type { ProtocolBlock, RuleTable } from "../policy.ts";

/** Commands that the compared policies cannot tell apart. */
export interface CommandClass {
  readonly id: number;
  readonly tier: TierOrUnknown;
  /** Names that a request of the class can have: a command, then aliases. */
  readonly names: readonly string[];
  /** The catalogue's commands in it; empty for a class of commands that no catalogue has. */
  readonly operations: readonly string[];
  /** Patterns that match it, as typed. */
  readonly patterns: readonly string[];
}

/** Combinations of names that are looked at. */
const MAX_UNIONS = 2_000;

interface Pattern {
  readonly glob: Glob;
  readonly text: string;
}

/**
 * The criterion by which two commands are equal. `verdicts`: every rules block gives the same action for
 * both, so every decision is the same; then every combination of names that a request can have is a class
 * too. `patterns`: the same patterns match both, for questions about single rules; only commands with one
 * name.
 */
export type Sameness = "verdicts" | "patterns";

/** The classes of these policies' blocks and of other selectors; undefined when there are too many to say. */
export function commandClasses(
  blocks: readonly ProtocolBlock[],
  operations: readonly KnownOperation[],
  {
    others = [],
    by = "verdicts",
  }: { readonly others?: readonly CommandSelector[]; readonly by?: Sameness } = {},
): readonly CommandClass[] | undefined {
  const tables = blocks.flatMap(tablesOf);
  const selectors = tables.flatMap(({ rules }) => rules.flatMap(({ commands }) => commands));
  const patterns = patternsOf([...selectors, ...others]);
  const cells = globCells(patterns.map(({ glob }) => glob));
  if (cells === undefined) return undefined;
  const matching = (names: readonly string[]) =>
    patterns.map(({ glob }) => names.some((name) => glob.test(name)));
  const textsOf = (matched: readonly boolean[]) => [
    ...new Set(patterns.flatMap(({ text }, index) => (matched[index] === true ? [text] : []))),
  ];
  const vectorOf = (names: readonly string[]): Vector =>
    by === "patterns"
      ? matching(names).map(Number)
      : [
          ...tables.map((table) => strictnessOf(table, names)),
          ...others.map(({ globs }) => Number(names.some((name) => globs.some((glob) => glob.test(name))))),
        ];
  const classes: CommandClass[] = [];
  const known = new Map<
    string,
    { readonly operation: KnownOperation; readonly commands: string[]; readonly names: readonly string[] }
  >();
  for (const operation of operations) {
    const names = [operation.command, ...operation.aliases].map((name) => name.toLowerCase());
    const key = `${operation.tier} ${vectorOf(names).join()}`;
    const entry = known.get(key) ?? { operation, commands: [], names };
    known.set(key, entry);
    entry.commands.push(operation.command);
  }
  for (const { operation, commands, names } of known.values())
    classes.push({
      id: classes.length,
      tier: operation.tier,
      names: [operation.command, ...operation.aliases],
      operations: commands,
      patterns: textsOf(matching(names)),
    });
  const single = [
    // A request without a command, which not even "*" matches.
    { names: [], vector: vectorOf([]), patterns: [] },
    ...cells.map(({ name, matched }) => ({
      names: [name],
      vector: vectorOf([name]),
      patterns: textsOf(matched),
    })),
  ];
  const all = by === "patterns" ? single : unionsOf(single);
  if (all === undefined) return undefined;
  for (const { names, patterns: texts } of all)
    for (const tier of [...TIERS, "unknown" as const])
      classes.push({ id: classes.length, tier, names, operations: [], patterns: texts });
  return classes;
}

/** For each rules block how strict it is, 0 where it says nothing; then whether each other selector matches. */
type Vector = readonly number[];

interface Union {
  readonly names: readonly string[];
  readonly vector: Vector;
  readonly patterns: readonly string[];
}

function strictnessOf({ commands }: RuleTable, names: readonly string[]): number {
  let strictest = 0;
  for (const name of names) {
    const found = commands.first(name);
    if (found !== undefined) strictest = Math.max(strictest, 1 + ACTIONS.indexOf(found.action));
  }
  return strictest;
}

/** A request has several names, and of each block the strictest rule for any of them counts: the greatest of each place. */
function unionsOf(cells: readonly Union[]): readonly Union[] | undefined {
  const singles = new Map<string, Union>();
  for (const cell of cells) {
    const key = cell.vector.join();
    const same = singles.get(key);
    const patterns = [...new Set([...(same?.patterns ?? []), ...cell.patterns])];
    singles.set(key, { ...(same ?? cell), patterns });
  }
  const all = new Map<string, Union>();
  for (const cell of singles.values()) {
    for (const other of [...all.values()]) {
      const vector = other.vector.map((one, index) => Math.max(one, cell.vector[index] ?? 0));
      const key = vector.join();
      if (!all.has(key) && !singles.has(key))
        all.set(key, {
          names: [...other.names, ...cell.names],
          vector,
          patterns: [...new Set([...other.patterns, ...cell.patterns])],
        });
      if (all.size > MAX_UNIONS) return undefined;
    }
    // A cell of its own has one name, however it could also be put together.
    all.set(cell.vector.join(), cell);
  }
  return [...all.values()];
}

function patternsOf(selectors: readonly CommandSelector[]): readonly Pattern[] {
  const patterns = new Map<string, Pattern>();
  for (const { text, globs } of selectors)
    for (const [index, glob] of globs.entries()) patterns.set(`${text} ${index}`, { glob, text });
  return [...patterns.values()];
}

function tablesOf({ scopes, rules }: ProtocolBlock): readonly RuleTable[] {
  return [
    ...scopes.flatMap(({ written }) => written.map(({ table }) => table)),
    ...(rules === undefined ? [] : [rules]),
  ];
}
