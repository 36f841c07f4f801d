// Every case that the compared policies can tell apart in one protocol: classes of commands times
// the cells of the scope lists. The one place where cases are made, for the comparison, for
// promises and for the proof of a suggestion.

import type { Glob } from "../../match/glob.ts";
import type { Classification } from "../../model/classification.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { KnownNames } from "../../protocols/known-operation.ts";
import type { CommandSelector } from "../decide/rule-table.ts";
import type { ProtocolBlock } from "../policy.ts";
import { type CommandClass, commandClasses, type Sameness } from "./command-classes.ts";
import { type ScopeCell, scopeCells } from "./scope-cells.ts";

/** The cells of one label. */
export interface ScopeCells {
  readonly label: string;
  readonly cells: readonly ScopeCell[];
}

/** Patterns that divide the cases further than the blocks' own patterns do. */
export interface Cuts {
  readonly by?: Sameness;
  readonly commands?: readonly CommandSelector[];
  readonly scopes?: readonly {
    readonly label: string;
    readonly text: string;
    readonly globs: readonly Glob[];
  }[];
}

/** The cases of one protocol. */
export interface Enumeration {
  readonly classes: readonly CommandClass[];
  readonly scopes: readonly ScopeCells[];
  /** Every combination of one cell of each label. */
  cells(): Generator<readonly ScopeCell[]>;
  /** A request that stands for a class of commands in such a combination; undefined where no request can be so. */
  classificationOf(commands: CommandClass, cell: readonly ScopeCell[]): Classification | undefined;
}

/** Cases that are looked at for one protocol at most. */
const MAX_CASES = 2_000_000;

/** The cases of these policies' blocks, or why there are too many, in a clause. */
export function enumerate(
  protocol: Protocol,
  blocks: readonly ProtocolBlock[],
  names: KnownNames,
  { by, commands = [], scopes: others = [] }: Cuts = {},
): Enumeration | { readonly unknown: string } {
  const classes = commandClasses(blocks, names, {
    others: commands,
    ...(by === undefined ? {} : { by }),
  });
  if (classes === undefined)
    return { unknown: `${protocol}: the command patterns overlap in too many ways to compare` };
  const scopes = scopeCells(blocks, others);
  if (scopes === undefined)
    return { unknown: `${protocol}: the names of the scope lists overlap in too many ways to compare` };
  const count = scopes.reduce((product, { cells }) => product * cells.length, classes.length);
  if (count > MAX_CASES) return { unknown: `${protocol}: ${count} cases are too many to compare` };
  return {
    classes,
    scopes,
    cells: () => combineCells(scopes.map(({ cells }) => cells)),
    classificationOf: (one, cell) =>
      isPossible(one, cell) ? classificationOf(protocol, one, cell) : undefined,
  };
}

function* combineCells(lists: readonly (readonly ScopeCell[])[]): Generator<readonly ScopeCell[]> {
  const [first, ...rest] = lists;
  if (first === undefined) yield [];
  else for (const tail of combineCells(rest)) for (const cell of first) yield [cell, ...tail];
}

/** Whether requests of the class can be in scopes in this way: a secret is read in the namespace that it names. */
function isPossible({ reach }: CommandClass, cell: readonly ScopeCell[]): boolean {
  return cell.every(({ label, reach: found }) => {
    const possible = reach?.[label];
    return possible === undefined || (found !== undefined && possible.includes(found));
  });
}

/** A classification that stands for a class of commands in a cell of each label. */
export function classificationOf(
  protocol: Protocol,
  { names, tier }: CommandClass,
  cell: readonly ScopeCell[],
): Classification {
  const labels = Object.fromEntries(
    cell.flatMap(({ label, name }) => (name === undefined ? [] : [[label, name]])),
  );
  const reaching = (beyond: ScopeCell["beyond"]) =>
    cell.filter((each) => each.beyond === beyond).map(({ label }) => label);
  const [unnamed, spanned] = [reaching("unnamed"), reaching("spanned")];
  return {
    protocol,
    tier,
    command: names[0] ?? "",
    aliases: names.slice(1),
    labels,
    reason: "",
    ...(unnamed.length === 0 ? {} : { unnamedScopes: unnamed }),
    ...(spanned.length === 0 ? {} : { spannedScopes: spanned }),
  };
}
