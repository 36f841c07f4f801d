// Finds oddities of a policy that loads: rules that never decide, scope entries that nothing
// reaches, allows for one scope of operations that a deny forbids elsewhere, commands that can
// never match, rules that nobody met lately. Asks the same tables as decide, over the same classes
// of operations as the comparison of policies.

import type { Entry } from "../../model/entry.ts";
import { isTier } from "../../model/tier.ts";
import type { NameCatalogue } from "../compare/catalogue.ts";
import { type CommandClass, commandClasses } from "../compare/command-classes.ts";
import { classificationOf } from "../compare/enumeration.ts";
import { scopeCells } from "../compare/scope-cells.ts";
import { atOnce, type Steps } from "../compare/steps.ts";
import { decideByTable } from "../decide/decide.ts";
import { globsFor, type Rule } from "../decide/rule-table.ts";
import type { PolicyProblem } from "../parse/problems.ts";
import type { Policy, ProtocolBlock, RuleTable } from "../policy.ts";
import { alongProblems, unmatchedCommands } from "./known-commands.ts";

/**
 * The kinds of findings; `only-hooks` is a command line that no request is called, `takes-along` an allow of one command
 * that other commands' requests pass by, too.
 */
type FindingKind =
  | "never-matches"
  | "shadowed"
  | "unreachable"
  | "wider-than-deny"
  | "only-hooks"
  | "takes-along"
  | "no-hits";

/** Findings that may be meant as they are, and are told because a reader could miss them. */
const REMARKS: ReadonlySet<FindingKind> = new Set([
  "wider-than-deny",
  "only-hooks",
  "takes-along",
  "no-hits",
]);

/** Whether a finding may be meant as it is. */
export function isRemark({ kind }: LintFinding): boolean {
  return REMARKS.has(kind);
}

/** One finding, a lower-case clause. */
export interface LintFinding {
  readonly kind: FindingKind;
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly message: string;
  readonly hint?: string;
}

/** How often each rule decided lately, by its path; undefined where nobody knows. */
export type RuleHits = ReadonlyMap<string, number>;

/** Days of the audit log in which a rule must have decided something. */
export const HIT_DAYS = 30;

/** Counts the rule that decided a row's request. */
export function countHit(hits: Map<string, number>, { fields: { rule } }: Entry): void {
  if (rule !== undefined) hits.set(rule, (hits.get(rule) ?? 0) + 1);
}

/** Every finding in file order. */
export function lintPolicy(
  policy: Policy,
  catalogue: NameCatalogue,
  hits?: RuleHits,
): readonly LintFinding[] {
  return atOnce(lintSteps(policy, catalogue, hits));
}

/** The findings, in steps. */
export function* lintSteps(
  policy: Policy,
  catalogue: NameCatalogue,
  hits?: RuleHits,
): Steps<readonly LintFinding[]> {
  const found: LintFinding[] = [
    ...unmatchedCommands(policy).map((problem) =>
      findingOf(problem.severity === "error" ? "never-matches" : "only-hooks", problem),
    ),
    ...alongProblems(policy).map((problem) => findingOf("takes-along", problem)),
  ];
  for (const block of policy.blocks.values()) {
    yield;
    const classes = commandClasses([block], catalogue(block.protocol), { by: "patterns" });
    yield;
    found.push(...unreachableEntries(block));
    if (classes === undefined) continue;
    for (const { table } of tablesOf(block)) {
      yield;
      found.push(...shadowedRules(block, table, classes));
    }
    found.push(...allowsOverDenies(block, classes));
    if (hits !== undefined) found.push(...withoutHits(block, hits));
  }
  const broken = new Set(found.filter(({ kind }) => kind === "never-matches").map(({ path }) => path));
  return found
    .filter(({ kind, path }) => kind === "never-matches" || !broken.has(path))
    .sort((a, b) => a.line - b.line);
}

function findingOf(kind: FindingKind, { path, line, message, hint }: PolicyProblem): LintFinding {
  return { kind, path, line, message, ...(hint === undefined ? {} : { hint }) };
}

interface NamedTable {
  readonly table: RuleTable;
  /** The names of the scope entry; undefined for the flat rules. */
  readonly names: readonly string[] | undefined;
  readonly label: string;
}

function tablesOf({ scopes, rules }: ProtocolBlock): readonly NamedTable[] {
  return [
    ...scopes.flatMap(({ label, written }) => written.map(({ table, names }) => ({ table, names, label }))),
    ...(rules === undefined ? [] : [{ table: rules, names: undefined, label: "" }]),
  ];
}

function matches({ action, commands, tiers }: Rule, { names, tier }: CommandClass): boolean {
  return (
    (isTier(tier) && tiers.includes(tier)) ||
    commands.some((command) => {
      const globs = globsFor(action, command);
      return names.some((name) => globs.some((glob) => glob.test(name.toLowerCase())));
    })
  );
}

/** Rules that select something and never decide it, because others in the same block always do. */
function shadowedRules(
  block: ProtocolBlock,
  table: RuleTable,
  classes: readonly CommandClass[],
): readonly LintFinding[] {
  const deciding = new Set<string>();
  const winners = new Map<string, number>();
  for (const each of classes) {
    const classification = classificationOf(block.protocol, each, []);
    const { rule } = decideByTable(block, table, classification);
    deciding.add(rule);
    const line = table.rules.find(({ path }) => path === rule)?.line;
    if (line !== undefined)
      for (const one of table.rules)
        if (one.path !== rule && !winners.has(one.path) && matches(one, each)) winners.set(one.path, line);
  }
  return table.rules
    .filter(({ path, tiers, commands }) => !deciding.has(path) && tiers.length + commands.length > 0)
    .map(({ path, line, action }) => {
      const winner = winners.get(path);
      const why =
        winner === undefined
          ? "nothing is called so"
          : `the rule in line ${winner} decides everything that it selects`;
      return { kind: "shadowed", path, line, message: `this ${action} never decides anything: ${why}` };
    });
}

/** Entries of a scope list whose names earlier entries take. */
function unreachableEntries(block: ProtocolBlock): readonly LintFinding[] {
  const cells = scopeCells([block]);
  if (cells === undefined) return [];
  return block.scopes.flatMap(({ label, keyword, written }) => {
    const reached = new Set<string>();
    for (const { name } of cells.find((one) => one.label === label)?.cells ?? []) {
      if (name === undefined) continue;
      const first = written.find(({ globs }) => globs.some((glob) => glob.test(name)));
      if (first !== undefined) reached.add(first.path);
    }
    return written
      .filter(({ path }) => !reached.has(path))
      .map(
        ({ path, line, names }): LintFinding => ({
          kind: "unreachable",
          path,
          line,
          message: `this entry of ${keyword} is never reached: entries above it take every ${label} that it names (${names.join(", ")})`,
        }),
      );
  });
}

/** Finds entries of a scope list that allow an operation which the rules of the block deny everywhere else. */
function allowsOverDenies(block: ProtocolBlock, classes: readonly CommandClass[]): readonly LintFinding[] {
  const flat = block.rules;
  if (flat === undefined) return [];
  return tablesOf(block).flatMap(({ table, names, label }) => {
    if (names === undefined) return [];
    const overridden = new Map<string, { allow: Rule | undefined; operations: string[]; denyLine: number }>();
    for (const each of classes) {
      const classification = classificationOf(block.protocol, each, []);
      const [inside, outside] = [
        decideByTable(block, table, classification),
        decideByTable(block, flat, classification),
      ];
      if (inside.action !== "allow" || outside.action !== "deny") continue;
      // Of a vendor's operations those count that exist; the other classes are combinations of names.
      if (each.operations.length === 0 && classes.some(({ operations }) => operations.length > 0)) continue;
      const entry = overridden.get(inside.rule) ?? {
        allow: table.rules.find(({ path }) => path === inside.rule),
        operations: [],
        denyLine: outside.line,
      };
      overridden.set(inside.rule, entry);
      entry.operations.push(...each.operations);
    }
    return [...overridden].map(([path, { allow, operations, denyLine }]): LintFinding => {
      const what =
        operations.length === 0
          ? "what"
          : `${operations.length === 1 ? "1 operation" : `${operations.length} operations`} (${operations.slice(0, 3).join(", ")}${operations.length > 3 ? ", …" : ""}) that`;
      return {
        kind: "wider-than-deny",
        path,
        line: allow?.line ?? 0,
        message: `allows ${what} the deny in line ${denyLine} forbids, in ${label} ${names.join(", ")}`,
        hint: "the first entry that matches decides alone; repeat the deny there if it is meant for all",
      };
    });
  });
}

function withoutHits(block: ProtocolBlock, hits: RuleHits): readonly LintFinding[] {
  return tablesOf(block)
    .flatMap(({ table }) => table.rules)
    .filter(({ path }) => (hits.get(path) ?? 0) === 0)
    .map(({ path, line, action, group, commands }) => ({
      kind: "no-hits",
      path,
      line,
      message: `this ${action} of ${group === undefined ? `'${commands[0]?.text}'` : `group '${group}'`} has not decided any request in the last ${HIT_DAYS} days`,
    }));
}
