// The findings of a comparison in the words of somebody who has not read the file: where a change
// holds, and what else changes beside the published operations.

import { AGENT_LABEL, NO_AGENT } from "../../model/agent-label.ts";
import { TIERS, type Tier } from "../../model/tier.ts";
import type { ScopeReach } from "../../protocols/known-operation.ts";
import { type CommandClass, NAMELESS } from "./command-classes.ts";
import type { ScopeCell } from "./scope-cells.ts";

/** Where a change holds: some of the cells of one label. `in namespace staging-*, or in every namespace at once`. */
export function describePlace(label: string, some: readonly ScopeCell[], all: readonly ScopeCell[]): string {
  const isNamed = ({ reach }: ScopeCell) => reach === "named";
  const has = (reach: ScopeReach) => some.some((cell) => cell.reach === reach);
  const named = some.filter(isNamed);
  const left = all.filter((cell) => isNamed(cell) && !some.includes(cell));
  const at = label === AGENT_LABEL ? "by" : label === "host" ? "on" : label === "user" ? "as" : "in";
  const clauses = [
    ...(named.length === 0 ? [] : [namedPlace(at, label, named, left)]),
    ...(has("none") ? [`where no ${label} is meant`] : []),
    ...(has("unnamed") ? [`where the request does not say which ${label} it means`] : []),
    ...(has("spanned") ? [`${at} every ${label} at once`] : []),
  ];
  return clauses.length === 0 ? `where a request means one ${label} and others too` : clauses.join(", or ");
}

function namedPlace(
  at: string,
  label: string,
  named: readonly ScopeCell[],
  left: readonly ScopeCell[],
): string {
  if (label === AGENT_LABEL) return runsOf(named, left);
  if (left.length === 0) return `${at} any ${label}`;
  if (named.some(({ matched }) => matched.length === 0)) return `${at} every ${label} except ${list(left)}`;
  return `${at} ${label} ${list(named)}`;
}

/** Runs by their names; `-` is what asks outside of any. */
function runsOf(named: readonly ScopeCell[], left: readonly ScopeCell[]): string {
  if (left.length === 0) return "by any agent";
  const isOutside = ({ name }: ScopeCell) => name === NO_AGENT;
  const [runs, others] = [named, left].map((cells) => cells.filter((cell) => !isOutside(cell)));
  const clauses: string[] = [];
  if (runs !== undefined && runs.length > 0 && others !== undefined)
    clauses.push(
      others.length === 0
        ? "in any run"
        : runs.some(({ matched }) => matched.length === 0)
          ? `in every run not called ${list(others)}`
          : `in runs called ${list(runs)}`,
    );
  if (named.some(isOutside)) clauses.push("outside of a run");
  return clauses.join(" and ");
}

/** Names and patterns; where two overlap, the overlap alone only if neither of them is there. */
function list(cells: readonly ScopeCell[]): string {
  const single = cells.flatMap(({ matched: [first, second] }) =>
    first !== undefined && second === undefined ? [first] : [],
  );
  const overlaps = cells.flatMap(({ matched }) =>
    matched.length < 2 || matched.some((text) => single.includes(text))
      ? []
      : [`${matched[0]} that also matches ${matched.slice(1).join(" and ")}`],
  );
  const texts = [...new Set([...single, ...overlaps])];
  return texts.length > 4
    ? `${texts.slice(0, 3).join(", ")} and ${texts.length - 3} more`
    : texts.join(" or ").replace(/ or (?=.* or )/g, ", ");
}

/** Everything of the classes but the published operations with their own tier, each kind a clause. */
export function describeRest(classes: readonly CommandClass[]): readonly string[] {
  const isAlone = classes.every(
    ({ operations, kinds }) => operations.length === 0 && kinds.every(isNameless),
  );
  const isRaised = classes.every(({ operations, kinds }) => operations.length + kinds.length === 0);
  const tiersOf = new Map<string, Set<Tier>>();
  const clauses = classes.flatMap(({ kinds, patterns, raised, tier }) => {
    if (tier === "unknown") return [describeUnknown(patterns)];
    // A sentence about an operation itself holds for what a body makes of it, too.
    if (isRaised) return [describeRaised(raised, tier)];
    const told = isAlone ? kinds : kinds.filter((kind) => !isNameless(kind));
    if (told.length === 0) return [];
    const what = describeKinds(told, patterns);
    tiersOf.set(what, (tiersOf.get(what) ?? new Set()).add(tier));
    return [];
  });
  const kinds = [...tiersOf].map(([what, tiers]) => `${what}, of ${describeTiers(tiers)}`);
  return [...new Set([...kinds, ...clauses])];
}

function describeTiers(found: ReadonlySet<Tier>): string {
  const tiers = TIERS.filter((tier) => found.has(tier));
  if (tiers.length === TIERS.length) return "any tier";
  return `tier ${[tiers.slice(0, -1).join(", "), ...tiers.slice(-1)].filter((text) => text !== "").join(" or ")}`;
}

/** Rare, and like the others: told where nothing else is. */
function isNameless(kind: string): boolean {
  return kind === NAMELESS;
}

function describeUnknown(patterns: readonly string[]): string {
  const what = "requests that cannot be classified";
  return patterns.length === 0 ? what : `${what} and ${verbOf(patterns)}`;
}

function describeKinds(kinds: readonly string[], patterns: readonly string[]): string {
  return patterns.length === 0
    ? kinds.map((kind) => (kind === "operations" ? "other operations" : kind)).join(" and ")
    : `${kinds.join(" and ")} ${verbOf(patterns)}`;
}

function describeRaised(commands: readonly string[], tier: Tier): string {
  const shown = commands.slice(0, 4).join(", ");
  const what = commands.length > 4 ? `${commands.length} operations, among them ${shown},` : shown;
  return `${what} where a body or a header makes them ${tier}`;
}

function verbOf(patterns: readonly string[]): string {
  return `that ${quoted(patterns)} ${patterns.length === 1 ? "matches" : "match"}`;
}

function quoted(texts: readonly string[]): string {
  return texts.map((text) => `'${text}'`).join(" and ");
}
