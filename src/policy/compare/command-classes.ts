// Sorts commands into classes that the compared policies cannot tell apart, by the rules that
// match them and by the tier: published operations, each with its own tier and with those that a
// body or a header can give it, names that no list has, and, where every name may be carried, the
// combinations of several names of one request.

import type { Glob } from "../../match/glob.ts";
import { globCells, wordCells } from "../../match/glob-cells.ts";
import { GlobIndex } from "../../match/glob-index.ts";
import { ACTIONS } from "../../model/action.ts";
import { isTier, TIERS, type TierOrUnknown } from "../../model/tier.ts";
import type { KnownNames, KnownOperation, NameShape, ScopeReach } from "../../protocols/known-operation.ts";
import type { CommandSelector } from "../decide/rule-table.ts";
import type { ProtocolBlock, RuleTable } from "../policy.ts";

/** Commands that the compared policies cannot tell apart. */
export interface CommandClass {
  readonly id: number;
  readonly tier: TierOrUnknown;
  /** The names of one request of the class: a command, then aliases. */
  readonly names: readonly string[];
  /** The published operations of this tier in it. */
  readonly operations: readonly string[];
  /** Published operations that have this tier where a body or a header gives it to them. */
  readonly raised: readonly string[];
  /** Other things in it, in the plural: "types that your cluster adds". */
  readonly kinds: readonly string[];
  /** Patterns that match it, as typed. */
  readonly patterns: readonly string[];
  /** By label, how its requests can be in scopes of that kind; absent where any way is possible. */
  readonly reach?: Readonly<Record<string, readonly ScopeReach[]>>;
}

/** Requests that no rule can name. */
export const NAMELESS = "requests without a name";

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
  { operations, open, mildestTier, commandLines }: KnownNames,
  {
    others = [],
    by = "verdicts",
  }: { readonly others?: readonly CommandSelector[]; readonly by?: Sameness } = {},
): readonly CommandClass[] | undefined {
  const tables = blocks.flatMap(tablesOf);
  const selectors = tables.flatMap(({ rules }) => rules.flatMap(({ commands }) => commands));
  const patterns = patternsOf([...selectors, ...others]);
  const matching = (names: readonly string[]) =>
    patterns.map(({ glob }) => names.some((name) => glob.test(name.toLowerCase())));
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
  const classes = new ClassList((names) => textsOf(matching(names)));
  const lines = commandLines?.(patterns.map(({ glob }) => glob)) ?? [];
  // A request without a command, which not even "*" matches; of most operations no pattern matches a name either.
  const nameless = { names: [], vector: vectorOf([]), patterns: [] };
  const unmatched = nameless.vector.join();
  const anyPattern = new GlobIndex(patterns.map(({ glob }) => ({ glob, value: true })));
  for (const all of [listed(operations), listed(lines)])
    for (const one of all) {
      const isMatched = patterns.length > 0 && one.names.some((name) => anyPattern.first(name) !== undefined);
      classes.addOperation(one, isMatched ? vectorOf(one.names).join() : unmatched);
    }
  if (open === "any") {
    const cells = globCells(patterns.map(({ glob }) => glob));
    if (cells === undefined) return undefined;
    const single = cells.map(({ name, matched }) => ({
      names: [name],
      vector: vectorOf([name]),
      patterns: textsOf(matched),
    }));
    const all = by === "patterns" ? [nameless, ...single] : unionsOf([nameless, ...single]);
    if (all === undefined) return undefined;
    for (const one of all) classes.addOpen("operations", one, WITH_UNKNOWN);
    return classes.all;
  }
  classes.addOpen(NAMELESS, nameless, WITH_UNKNOWN);
  const cells = wordCells(
    patterns.map(({ glob }) => glob),
    open.map(({ spellings }) => spellings),
  );
  if (cells === undefined) return undefined;
  const words = open.map((_, index) => (cells[index] ?? []).map(({ name }) => name));
  const free = new Set(
    open.flatMap((shape, index) =>
      (words[index] ?? []).flatMap((word) => [word, `${word}x`].flatMap((one) => namesOfShape(shape, one))),
    ),
  );
  const inList = new Set<string>();
  if (free.size > 0)
    for (const { names } of listed(operations))
      for (const name of names) if (free.has(name)) inList.add(name);
  /** A name that no list has: of listed ones the list says more. */
  const freeName = (shape: NameShape, word: string) =>
    [word, `${word}x`]
      .map((one) => namesOfShape(shape, one))
      .find(
        (names, index) =>
          !names.some((name) => inList.has(name) && shape.fixed?.includes(name) !== true) &&
          (index === 0 || matching(names).join() === matching(namesOfShape(shape, word)).join()),
      );
  for (const [index, shape] of open.entries())
    for (const word of words[index] ?? []) {
      const names = freeName(shape, word);
      if (names === undefined) continue;
      // A short name, `exec`, says no tier; the full one beside it does.
      const [mildest] = names.flatMap((name) => mildestTier?.(name) ?? []);
      classes.addOpen(
        shape.noun,
        { names, vector: vectorOf(names), patterns: textsOf(matching(names)) },
        mildest === undefined ? WITH_UNKNOWN : tiersFrom(mildest),
      );
    }
  return classes.all;
}

const WITH_UNKNOWN: readonly TierOrUnknown[] = [...TIERS, "unknown"];

/** A tier, every stricter one, and none, which a doubt about the request leaves. */
function tiersFrom(tier: TierOrUnknown): readonly TierOrUnknown[] {
  return isTier(tier) ? WITH_UNKNOWN.slice(TIERS.indexOf(tier)) : ["unknown"];
}

function namesOfShape({ spellings, fixed = [] }: NameShape, word: string): readonly string[] {
  return [...fixed, ...spellings.map(({ before, after }) => `${before}${word}${after}`)];
}

/** An operation, and the parts of it that are the same in every comparison. */
interface ListedOperation {
  readonly operation: KnownOperation;
  /** In lower case. */
  readonly names: readonly string[];
  /** The tiers that its requests can have, and the scopes that they can be in; equal ones are one object. */
  readonly ways: Ways;
}

interface Ways {
  readonly tiers: readonly { readonly tier: TierOrUnknown; readonly isOwn: boolean }[];
  readonly reach: CommandClass["reach"];
  readonly reachText: string;
}

const listedBefore = new WeakMap<readonly KnownOperation[], readonly ListedOperation[]>();

function listed(operations: readonly KnownOperation[]): readonly ListedOperation[] {
  const known = listedBefore.get(operations);
  if (known !== undefined) return known;
  const allWays = new Map<string, Ways>();
  const reachTexts = new Map<CommandClass["reach"], string>([[undefined, ""]]);
  const all = operations.map((operation): ListedOperation => {
    const { command, aliases, tier: own, raised, reach } = operation;
    const reachText = reachTexts.get(reach) ?? JSON.stringify(reach);
    reachTexts.set(reach, reachText);
    const key = `${own} ${raised?.join() ?? "any"} ${reachText}`;
    const ways = allWays.get(key) ?? {
      tiers: tiersFrom(own)
        .filter((tier) => tier === own || !isTier(tier) || raised?.includes(tier) !== false)
        .map((tier) => ({ tier, isOwn: tier === own })),
      reach,
      reachText,
    };
    allWays.set(key, ways);
    let names: readonly string[] | undefined;
    return {
      operation,
      get names() {
        names ??= [command, ...aliases].map((name) => name.toLowerCase());
        return names;
      },
      ways,
    };
  });
  listedBefore.set(operations, all);
  return all;
}

/** Gathers the members of each class; the first of the best kind stands for it. */
class ClassList {
  readonly #found = new Map<string, Open>();
  readonly #kindOf = new Map<string, string>();
  /** The lists that the next operation of these ways and this vector belongs to. */
  readonly #membersOf = new Map<Ways, Map<string, readonly string[][]>>();
  readonly #patternsOf: (names: readonly string[]) => readonly string[];

  constructor(patternsOf: (names: readonly string[]) => readonly string[]) {
    this.#patternsOf = patternsOf;
  }

  get all(): readonly CommandClass[] {
    return [...this.#found.values()].map((open, id) => new FoundClass(open, id, this.#kindOf));
  }

  addOperation(
    { operation: { command, aliases, kindOf, shown = command }, ways }: ListedOperation,
    vector: string,
  ): void {
    if (kindOf !== undefined) this.#kindOf.set(shown, kindOf);
    const bySameVector = this.#membersOf.get(ways) ?? new Map<string, readonly string[][]>();
    this.#membersOf.set(ways, bySameVector);
    let members = bySameVector.get(vector);
    if (members === undefined) {
      const names = [command, ...aliases];
      const { tiers, reach, reachText } = ways;
      members = tiers.map(({ tier, isOwn }) => {
        const entry = this.#entryOf(`${tier} ${vector} ${reachText}`, tier, names, isOwn ? 0 : 2, reach);
        return isOwn ? entry.operations : entry.raised;
      });
      bySameVector.set(vector, members);
    }
    for (const list of members) list.push(shown);
  }

  addOpen(kind: string, { names, vector, patterns }: Union, tiers: readonly TierOrUnknown[]): void {
    for (const tier of tiers) {
      const entry = this.#entryOf(`${tier} ${vector.join()} `, tier, names, 1, undefined);
      entry.kinds.add(kind);
      if (entry.rank === 1) entry.patterns = [...new Set([...entry.patterns, ...patterns])];
    }
  }

  #entryOf(
    key: string,
    tier: TierOrUnknown,
    names: readonly string[],
    rank: number,
    reach: CommandClass["reach"],
  ): Open {
    const known = this.#found.get(key);
    if (known !== undefined && known.rank <= rank) return known;
    const fresh: Open = {
      ...(known ?? { operations: [], raised: [], kinds: new Set() }),
      tier,
      names,
      rank,
      patterns: this.#patternsOf(names),
      ...(reach === undefined ? {} : { reach }),
    };
    this.#found.set(key, fresh);
    return fresh;
  }
}

/** A class as callers see it: few ask for the names of its operations, of which there can be thousands. */
class FoundClass implements CommandClass {
  readonly id: number;
  readonly tier: TierOrUnknown;
  readonly names: readonly string[];
  readonly kinds: readonly string[];
  readonly patterns: readonly string[];
  readonly reach?: NonNullable<CommandClass["reach"]>;
  readonly #open: Open;
  readonly #kindOf: ReadonlyMap<string, string>;
  #operations: readonly string[] | undefined;
  #raised: readonly string[] | undefined;

  constructor(open: Open, id: number, kindOf: ReadonlyMap<string, string>) {
    this.id = id;
    this.tier = open.tier;
    this.names = open.names;
    this.kinds = [...open.kinds];
    this.patterns = open.patterns;
    if (open.reach !== undefined) this.reach = open.reach;
    this.#open = open;
    this.#kindOf = kindOf;
  }

  get operations(): readonly string[] {
    this.#operations ??= this.#withoutKinds(this.#open.operations);
    return this.#operations;
  }

  get raised(): readonly string[] {
    this.#raised ??= this.#withoutKinds(this.#open.raised);
    return this.#raised;
  }

  /** An operation tells its kinds, too. */
  #withoutKinds(operations: readonly string[]): readonly string[] {
    const all = new Set(operations);
    return this.#kindOf.size === 0
      ? [...all]
      : [...all].filter((name) => !all.has(this.#kindOf.get(name) ?? ""));
  }
}

interface Open extends Omit<CommandClass, "id" | "operations" | "raised" | "kinds" | "patterns"> {
  /** A name may be in them twice. */
  readonly operations: string[];
  readonly raised: string[];
  readonly kinds: Set<string>;
  patterns: readonly string[];
  /** Whether a published operation of the tier stands for the class (0), another name (1), or one that was raised (2). */
  readonly rank: number;
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
