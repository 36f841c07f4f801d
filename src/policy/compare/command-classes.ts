// Sorts commands into classes that no rule of the compared policies tells apart: the catalogue's operations by the
// patterns that match them, and one class for each combination of patterns that another command could match.

import type { Glob } from "../../match/glob.ts";
import { globCells } from "../../match/glob-cells.ts";
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

/** Combinations of patterns that are looked at. */
const MAX_UNIONS = 2_000;

interface Pattern {
  readonly glob: Glob;
  readonly text: string;
}

/** The classes of these policies' blocks and of other selectors; undefined when there are too many to say. */
export function commandClasses(
  blocks: readonly ProtocolBlock[],
  operations: readonly KnownOperation[],
  others: readonly CommandSelector[] = [],
): readonly CommandClass[] | undefined {
  const selectors = blocks
    .flatMap(tablesOf)
    .flatMap(({ rules }) => rules.flatMap(({ commands }) => commands));
  const patterns = patternsOf([...selectors, ...others]);
  const cells = globCells(patterns.map(({ glob }) => glob));
  if (cells === undefined) return undefined;
  const classes: CommandClass[] = [];
  const known = new Map<
    string,
    { operation: KnownOperation; commands: string[]; matched: readonly boolean[] }
  >();
  for (const operation of operations) {
    const names = [operation.command, ...operation.aliases].map((name) => name.toLowerCase());
    const matched = patterns.map(({ glob }) => names.some((name) => glob.test(name)));
    const key = `${operation.tier} ${matched.map(Number).join("")}`;
    const entry = known.get(key) ?? { operation, commands: [], matched };
    known.set(key, entry);
    entry.commands.push(operation.command);
  }
  const textsOf = (matched: readonly boolean[]) => [
    ...new Set(patterns.flatMap(({ text }, index) => (matched[index] === true ? [text] : []))),
  ];
  for (const { operation, commands, matched } of known.values())
    classes.push({
      id: classes.length,
      tier: operation.tier,
      names: [operation.command, ...operation.aliases],
      operations: commands,
      patterns: textsOf(matched),
    });
  const unions = unionsOf([
    // A request without a command, which not even "*" matches.
    { names: [], matched: patterns.map(() => false) },
    ...cells.map(({ name, matched }) => ({ names: [name], matched })),
  ]);
  if (unions === undefined) return undefined;
  for (const { names, matched } of unions)
    for (const tier of [...TIERS, "unknown" as const])
      classes.push({ id: classes.length, tier, names, operations: [], patterns: textsOf(matched) });
  return classes;
}

interface Union {
  readonly names: readonly string[];
  readonly matched: readonly boolean[];
}

/** A request has several names, and the strictest rule for any of them counts: every union of cells is a class. */
function unionsOf(cells: readonly Union[]): readonly Union[] | undefined {
  const all = new Map<string, Union>();
  const keyOf = (matched: readonly boolean[]) => matched.map(Number).join("");
  for (const cell of cells) {
    for (const other of [...all.values()]) {
      const matched = other.matched.map((is, index) => is || cell.matched[index] === true);
      const key = keyOf(matched);
      if (!all.has(key)) all.set(key, { names: [...other.names, ...cell.names], matched });
      if (all.size > MAX_UNIONS) return undefined;
    }
    // A cell of its own has one name, however it could also be put together.
    all.set(keyOf(cell.matched), cell);
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
