// Everything that two policies decide differently, by enumeration: the known operations of each
// protocol, and for all others every combination of patterns that a command can match, times the
// cells that the scope lists' globs cut out. A part that cannot be enumerated counts as wider,
// because a reviewer must look at it.

import { ACTIONS, type Action } from "../../model/action.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import type { KnownOperation } from "../../protocols/known-operation.ts";
import { decide } from "../decide/decide.ts";
import type { Policy, ProtocolBlock } from "../policy.ts";
import type { CommandClass } from "./command-classes.ts";
import { diffInspect, type RouteChange } from "./diff-inspect.ts";
import { type CommandCatalogue, enumerate, type ScopeCells } from "./enumeration.ts";
import type { ScopeCell } from "./scope-cells.ts";
import { atOnce, type Steps } from "./steps.ts";

/** Operations whose decision changes from one action to another, in the same scopes. */
export interface DecisionChange {
  readonly protocol: Protocol;
  readonly from: Action;
  readonly to: Action;
  /** Known operations, in the catalogue's order. */
  readonly operations: readonly string[];
  /** Patterns and tiers of operations that no catalogue has; each a clause. */
  readonly others: readonly string[];
  /** Where: one list of clauses for each label that matters; empty means everywhere. */
  readonly scopes: readonly { readonly label: string; readonly cells: readonly string[] }[];
}

/** The differences between two policies. */
export interface PolicyDiff {
  /** Widest first. */
  readonly changes: readonly DecisionChange[];
  readonly routes: readonly RouteChange[];
  /** Clauses that name the parts that were not enumerated, and so count as wider. */
  readonly unknown: readonly string[];
  readonly isWider: boolean;
}

/** Compares two policies. */
export function diffPolicies(before: Policy, after: Policy, catalogue: CommandCatalogue): PolicyDiff {
  return atOnce(diffSteps(before, after, catalogue));
}

/** Compares two policies in steps of a few milliseconds. */
export function* diffSteps(before: Policy, after: Policy, catalogue: CommandCatalogue): Steps<PolicyDiff> {
  const changes: DecisionChange[] = [];
  const unknown: string[] = [];
  for (const protocol of PROTOCOLS) {
    const blocks = [before.blocks.get(protocol), after.blocks.get(protocol)].filter(
      (block) => block !== undefined,
    );
    if (blocks.length === 0) continue;
    const found = yield* diffProtocol(protocol, before, after, blocks, catalogue(protocol));
    if ("unknown" in found) unknown.push(found.unknown);
    else changes.push(...found.changes);
  }
  const was = new Set(before.blocks.get("mcp")?.mcp?.trusted);
  for (const server of after.blocks.get("mcp")?.mcp?.trusted ?? [])
    if (!was.has(server))
      unknown.push(`mcp: the tools of '${server}' that it says only read become observe, whichever they are`);
  const routes = diffInspect(before, after);
  const isWider =
    unknown.length > 0 || changes.some(isWidening) || routes.some((route) => route.effect !== "narrower");
  return { changes: changes.sort(widestFirst), routes, unknown, isWider };
}

/** Whether a change lets through more than before. */
export function isWidening({ from, to }: { readonly from: Action; readonly to: Action }): boolean {
  return ACTIONS.indexOf(to) < ACTIONS.indexOf(from);
}

function widestFirst(a: DecisionChange, b: DecisionChange): number {
  const step = (change: DecisionChange) => ACTIONS.indexOf(change.to) - ACTIONS.indexOf(change.from);
  const size = (change: DecisionChange) => change.operations.length + change.others.length;
  return step(a) - step(b) || size(b) - size(a);
}

function* diffProtocol(
  protocol: Protocol,
  before: Policy,
  after: Policy,
  blocks: readonly ProtocolBlock[],
  operations: readonly KnownOperation[],
): Steps<{ readonly changes: readonly DecisionChange[] } | { readonly unknown: string }> {
  yield;
  const all = enumerate(protocol, blocks, operations);
  if ("unknown" in all) return all;
  const found = new Map<string, Found>();
  for (const cell of all.cells()) {
    yield;
    for (const commands of all.classes) {
      const classification = all.classificationOf(commands, cell);
      const [from, to] = [decide(before, classification).action, decide(after, classification).action];
      if (from === to) continue;
      const key = `${from} ${to} ${cell.map(({ text }) => text).join("\\0")}`;
      const entry = found.get(key) ?? { from, to, cell, classes: [] };
      found.set(key, entry);
      entry.classes.push(commands);
    }
  }
  return { changes: merge(protocol, [...found.values()], all.scopes) };
}

interface Found {
  readonly from: Action;
  readonly to: Action;
  readonly cell: readonly ScopeCell[];
  readonly classes: CommandClass[];
}

/** Puts together the cells in which the same operations change in the same way. */
function merge(protocol: Protocol, found: readonly Found[], scopes: readonly ScopeCells[]): DecisionChange[] {
  const groups = new Map<string, Found[]>();
  for (const each of found) {
    const key = `${each.from} ${each.to} ${each.classes.map(({ id }) => id).join(",")}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((group) =>
    isProduct(group, scopes.length)
      ? [changeOf(protocol, group, scopes)]
      : group.map((each) => changeOf(protocol, [each], scopes)),
  );
}

/** Whether the cells are all combinations of some of each label's cells; only then may the labels be listed apart. */
function isProduct(group: readonly Found[], labels: number): boolean {
  let combinations = 1;
  for (let index = 0; index < labels; index++)
    combinations *= new Set(group.map(({ cell }) => cell[index]?.text)).size;
  return combinations === group.length;
}

function changeOf(
  protocol: Protocol,
  group: readonly Found[],
  scopes: readonly ScopeCells[],
): DecisionChange {
  const [first] = group;
  if (first === undefined) throw new Error("a group of changes is never empty");
  return {
    protocol,
    from: first.from,
    to: first.to,
    operations: first.classes.flatMap(({ operations }) => operations),
    others: first.classes.flatMap((each) => (each.operations.length > 0 ? [] : [describeOthers(each)])),
    scopes: scopes.flatMap(({ label, cells }, index) => {
      const texts = [...new Set(group.map(({ cell }) => cell[index]?.text ?? ""))];
      return texts.length === cells.length ? [] : [{ label, cells: texts }];
    }),
  };
}

function describeOthers({ patterns, tier }: CommandClass): string {
  const which =
    patterns.length === 0 ? "operations that no rule names" : `operations matching ${patterns.join(" and ")}`;
  return `${which}, ${tierText(tier)}`;
}

function tierText(tier: TierOrUnknown): string {
  return tier === "unknown" ? "that cannot be classified" : `of tier ${tier}`;
}
