// Everything that two policies decide differently, by enumeration: the known operations of each
// protocol, and for all others every name that a request can have and the policies can tell apart,
// times the cells that the scope lists' globs cut out. What cannot be enumerated counts as wider,
// because a reviewer must look at it.

import { ACTIONS, type Action } from "../../model/action.ts";
import type { Classification } from "../../model/classification.ts";
import { PROTOCOLS, type Protocol } from "../../model/protocol.ts";
import { isTier, TIERS } from "../../model/tier.ts";
import type { KnownNames } from "../../protocols/known-operation.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { decide } from "../decide/decide.ts";
import type { Policy, ProtocolBlock } from "../policy.ts";
import type { NameCatalogue } from "./catalogue.ts";
import type { CommandClass } from "./command-classes.ts";
import { diffInspect, type RouteChange } from "./diff-inspect.ts";
import { enumerate, type ScopeCells } from "./enumeration.ts";
import { type CellProduct, productsOf } from "./products.ts";
import type { ScopeCell } from "./scope-cells.ts";
import { atOnce, type Steps } from "./steps.ts";
import { describePlace, describeRest } from "./words.ts";

/** Operations whose decision changes from one action to another, in the same scopes. */
export interface DecisionChange {
  readonly protocol: Protocol;
  readonly from: Action;
  readonly to: Action;
  /** Known operations, those of the strictest tier first. */
  readonly operations: readonly string[];
  /** Operations that no catalogue has, and those that only a request's body or a header brings here; each a clause. */
  readonly others: readonly string[];
  /** Where: one list of clauses for each label that matters; empty means everywhere. */
  readonly scopes: readonly { readonly label: string; readonly cells: readonly string[] }[];
  /** Where, in words for a person; "" for everywhere. */
  readonly place: string;
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
export function diffPolicies(before: Policy, after: Policy, catalogue: NameCatalogue): PolicyDiff {
  return atOnce(diffSteps(before, after, catalogue));
}

/** Compares two policies in steps of a few milliseconds. */
export function* diffSteps(before: Policy, after: Policy, catalogue: NameCatalogue): Steps<PolicyDiff> {
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
      unknown.push(`mcp: the server '${server}' is newly believed when it says that a tool only reads`);
  const inspect = diffInspect(before, after);
  if (inspect.unknown !== undefined) unknown.push(inspect.unknown);
  const { routes } = inspect;
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
  return step(a) - step(b) || ACTIONS.indexOf(a.to) - ACTIONS.indexOf(b.to) || size(b) - size(a);
}

/** One class of commands that changes, and everything that it changes in. */
interface Found {
  readonly from: Action;
  readonly to: Action;
  readonly commands: CommandClass;
  readonly cells: (readonly ScopeCell[])[];
}

function* diffProtocol(
  protocol: Protocol,
  before: Policy,
  after: Policy,
  blocks: readonly ProtocolBlock[],
  names: KnownNames,
): Steps<{ readonly changes: readonly DecisionChange[] } | { readonly unknown: string }> {
  yield;
  // Connections of a protocol without a block pass unread, which the routes tell; hooks ask about its command lines.
  const isNew =
    blocks.length === 1 &&
    protocol !== "mcp" &&
    [before, after].every(({ central }) => central === undefined);
  if (isNew && classifierFor(protocol).programs.length === 0) return { changes: [] };
  const all = enumerate(protocol, blocks, names);
  if ("unknown" in all) return all;
  const found = new Map<string, Found>();
  for (const cell of all.cells()) {
    yield;
    for (const commands of all.classes) {
      const classification = all.classificationOf(commands, cell);
      if (classification === undefined) continue;
      const [from, to] = isNew
        ? [actionOf(before, classification), actionOf(after, classification)]
        : [decide(before, classification).action, decide(after, classification).action];
      if (from === to) continue;
      const key = `${from} ${to} ${commands.id}`;
      const entry = found.get(key) ?? { from, to, commands, cells: [] };
      found.set(key, entry);
      entry.cells.push(cell);
    }
  }
  const changes = changesOf(protocol, [...found.values()], all.scopes);
  if (!isNew) return { changes };
  const where = before.blocks.has(protocol)
    ? "connections pass unread now"
    : "connections passed unread before";
  return {
    changes: changes.map((change) => ({
      ...change,
      place: [change.place, `on command lines in hooks alone (${where})`]
        .filter((text) => text !== "")
        .join(", "),
    })),
  };
}

/** The action on a command line in a hook, which does not ask about reads of a protocol without a block. */
function actionOf(policy: Policy, classification: Classification): Action {
  const isNamed = policy.blocks.has(classification.protocol);
  return !isNamed && classification.tier === "observe" ? "allow" : decide(policy, classification).action;
}

/** Puts together the classes that change in the same way in the same scopes. */
function changesOf(
  protocol: Protocol,
  found: readonly Found[],
  scopes: readonly ScopeCells[],
): DecisionChange[] {
  const groups = new Map<string, { readonly first: Found; readonly classes: CommandClass[] }>();
  for (const each of found) {
    const where = each.cells.map((cell) => cell.map(({ text }) => text).join("\0")).join("\u0001");
    const { reach } = each.commands;
    const key = `${each.from} ${each.to} ${reach === undefined ? "" : JSON.stringify(reach)} ${where}`;
    const group = groups.get(key) ?? { first: each, classes: [] };
    groups.set(key, group);
    group.classes.push(each.commands);
  }
  const rank = new Map<string, number>();
  for (const { commands } of found)
    for (const operation of commands.operations)
      rank.set(operation, Math.max(rank.get(operation) ?? -1, rankOf(commands.tier)));
  // Requests before command lines, and the gravest first: a sentence names the first few.
  const gravest = (a: string, b: string) =>
    Number(a.endsWith(LINE)) - Number(b.endsWith(LINE)) || (rank.get(b) ?? 0) - (rank.get(a) ?? 0);
  return together(
    [...groups.values()].flatMap(({ first, classes }) =>
      productsOf(first.cells).map((product) => changeOf(protocol, first, classes, product, scopes)),
    ),
  ).map((change) => ({ ...change, operations: [...new Set(change.operations)].sort(gravest) }));
}

/** The end of a command line's name. */
const LINE = " (command line)";

function rankOf(tier: CommandClass["tier"]): number {
  return isTier(tier) ? TIERS.indexOf(tier) : TIERS.length;
}

/** One change of those that hold in the same scopes; what is in no namespace and what is in any may both be everywhere. */
function together(changes: readonly DecisionChange[]): DecisionChange[] {
  const found = new Map<string, DecisionChange>();
  for (const change of changes) {
    const { from, to, scopes } = change;
    const key = JSON.stringify([from, to, scopes]);
    const same = found.get(key);
    found.set(
      key,
      same === undefined
        ? change
        : {
            ...same,
            operations: [...same.operations, ...change.operations],
            others: [...new Set([...same.others, ...change.others])],
          },
    );
  }
  return [...found.values()];
}

function changeOf(
  protocol: Protocol,
  { from, to, commands: { reach } }: Found,
  classes: readonly CommandClass[],
  product: CellProduct,
  scopes: readonly ScopeCells[],
): DecisionChange {
  const places = scopes.flatMap(({ label, cells }, index) => {
    const possible = reach?.[label];
    const all = cells.filter(
      (cell) => possible === undefined || (cell.reach !== undefined && possible.includes(cell.reach)),
    );
    const some = product[index] ?? [];
    return some.length === all.length ? [] : [{ label, some, all }];
  });
  return {
    protocol,
    from,
    to,
    operations: classes.flatMap(({ operations }) => operations),
    others: describeRest(classes),
    scopes: places.map(({ label, some }) => ({ label, cells: some.map(({ text }) => text) })),
    place: places.map(({ label, some, all }) => describePlace(label, some, all)).join(", and "),
  };
}
