// The narrowest rule that would have allowed a request, or why no rule does. Refusals, questions to
// a person and `policy explain` say it. The named rules do allow the request: where that cannot be
// promised, it names none.

import { scopeName } from "../../model/agent-label.ts";
import type { Classification } from "../../model/classification.ts";
import { isTier } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import { decide, decideByTable, decideWhole, withoutAgents } from "../decide/decide.ts";
import { type CommandSelector, globsFor, type Rule } from "../decide/rule-table.ts";
import type { Policy, ProtocolBlock, RuleTable, ScopeList } from "../policy.ts";

/** A command to list under one `rules.allow`. */
export interface NarrowRule {
  /** `kubectl.namespaces[0].rules.allow`. */
  readonly path: string;
  readonly command: string;
}

/** The rules to add to a policy so that it allows a request, or the reason why no rule can. */
export type WayToAllow =
  /** All of these together; usually one. */
  | { readonly kind: "rule"; readonly rules: readonly NarrowRule[] }
  | { readonly kind: "none"; readonly why: string };

const UNKNOWN = "no rule allows what cannot be classified; a person may allow it once";

/** The way to allow a request that is not allowed; undefined when it is. `mayWiden` is as for `decide`. */
export function wayToAllow(
  policy: Policy,
  classification: Classification,
  mayWiden = true,
): WayToAllow | undefined {
  if (decide(policy, classification, mayWiden).action === "allow") return undefined;
  const block = policy.blocks.get(classification.protocol);
  if (block === undefined)
    return none(
      isTier(classification.tier)
        ? `to allow it by a rule, the policy needs a '${classification.protocol}' block`
        : UNKNOWN,
    );
  const way = wayOfAll(block, classification);
  // If `agents:` allows the request only to a run with presence, the rest of the block must allow it to
  // everyone else.
  if (mayWiden || way?.kind === "none") return way;
  return together([way, wayOfAll(withoutAgents(block), classification)]);
}

/** The clause that a refusal ends with; undefined when there is nothing to add. */
export function describeWay(way: WayToAllow | undefined): string | undefined {
  if (way === undefined) return undefined;
  if (way.kind === "none") return way.why;
  const pathsByCommand = new Map<string, string[]>();
  for (const { command, path } of way.rules)
    pathsByCommand.set(command, [...(pathsByCommand.get(command) ?? []), `${path}.commands`]);
  const lists = [...pathsByCommand].map(
    ([command, paths]) => `list '${command}' in ${paths.join(" and in ")}`,
  );
  return `to allow exactly this, ${lists.join(", and ")}`;
}

/** Whether a rule selects a request by its command or tier. Only a deny can match an unclassified request. */
export function selects(rule: Rule, classification: Classification): boolean {
  const hasTier = isTier(classification.tier);
  const isMeant = (command: CommandSelector) => {
    const globs = globsFor(rule.action, command);
    return namesOf(classification).some((name) => globs.some((glob) => glob.test(name)));
  };
  if (rule.commands.some(isMeant)) return hasTier || rule.action === "deny";
  return isTier(classification.tier) && rule.tiers.includes(classification.tier);
}

/** The names by which rules know a request, in lower case. */
export function namesOf({ command, aliases }: Classification): string[] {
  return [command, ...aliases].filter((name) => name !== "").map((name) => name.toLowerCase());
}

function none(why: string): WayToAllow {
  return { kind: "none", why };
}

function together(ways: readonly (WayToAllow | undefined)[]): WayToAllow | undefined {
  const rules = new Map<string, NarrowRule>();
  for (const way of ways) {
    if (way?.kind === "none") return way;
    for (const rule of way?.rules ?? []) rules.set(`${rule.path} ${rule.command}`, rule);
  }
  return rules.size === 0 ? undefined : { kind: "rule", rules: [...rules.values()] };
}

/** Of a request with parts: every rule that a part needs. */
function wayOfAll(block: ProtocolBlock, classification: Classification): WayToAllow | undefined {
  const { parts = [] } = classification;
  if (parts.length === 0) return wayOfOne(block, classification);
  if (!isTier(classification.tier)) return none(UNKNOWN);
  const whole = decideWhole(block, classification);
  if (whole !== undefined && whole.action !== "allow")
    return none(`the request as a whole stays as it is: ${whole.reason} (line ${whole.line}, ${whole.rule})`);
  if (parts.length > MOST_PARTS)
    return none(`the request carries ${parts.length} operations, and each needs a rule`);
  return together(parts.map((part) => wayOfAll(block, part)));
}

/** A clause about more would be no help. */
const MOST_PARTS = 10;

function wayOfOne(block: ProtocolBlock, classification: Classification): WayToAllow | undefined {
  if (!isTier(classification.tier)) return none(UNKNOWN);
  const tables = decidingTables(block, classification);
  const denied = denyOf(tables, classification);
  if (denied !== undefined) return denied;
  const inTheWay = tables.filter(({ action }) => action !== "allow");
  const beyond = reachesFurther(block, classification);
  if (beyond !== undefined) return none(beyond);
  if (inTheWay.length === 0) return undefined;
  if (classification.command === "") return none("the request has no command that a rule could name");
  const stricter = inTheWay
    .flatMap(({ table }) => table?.rules ?? [])
    .find(
      (rule) =>
        rule.action === "escalate" &&
        rule.commands.length > 0 &&
        selects({ ...rule, tiers: [] }, classification),
    );
  if (stricter !== undefined)
    return none(
      `line ${stricter.line} (${stricter.path}) asks about this command, and no allow overrides that`,
    );
  const { command } = classification;
  return { kind: "rule", rules: inTheWay.map(({ path }) => ({ path: `${path}.rules.allow`, command })) };
}

function denyOf(tables: readonly DecidingTable[], classification: Classification): WayToAllow | undefined {
  const denied = tables
    .flatMap(({ table }) => table?.rules ?? [])
    .find((rule) => rule.action === "deny" && selects(rule, classification));
  return denied && none(`no allow overrides the deny in line ${denied.line}`);
}

/** One rules block that has a say about a request. */
export interface DecidingTable {
  /** The block's or the entry's. */
  readonly path: string;
  readonly table: RuleTable | undefined;
  readonly action: Verdict["action"];
  /** Set for an entry of a scope list: the list, and where in it the entry stands. */
  readonly entry?: { readonly list: ScopeList; readonly index: number };
}

/** The rules blocks that have a say: the matching entry of each scope list, or else the flat rules. */
export function decidingTables(
  block: ProtocolBlock,
  classification: Classification,
): readonly DecidingTable[] {
  const found: DecidingTable[] = [];
  const actionOf = (table: RuleTable | undefined) => decideByTable(block, table, classification).action;
  for (const list of block.scopes) {
    const name = scopeName(classification.labels, list.label)?.toLowerCase();
    if (name === undefined) continue;
    const index = list.written.findIndex(({ globs }) => globs.some((glob) => glob.test(name)));
    const entry = list.written[index];
    if (entry !== undefined)
      found.push({
        path: entry.path,
        table: entry.table,
        action: actionOf(entry.table),
        entry: { list, index },
      });
  }
  if (found.length > 0) return found;
  return [{ path: block.protocol, table: block.rules, action: actionOf(block.rules) }];
}

const ALLOWED: Verdict = { action: "allow", rule: "", line: 0, reason: "" };

/** Why scopes that the request does not name stand in the way; undefined when they do not. */
function reachesFurther(block: ProtocolBlock, classification: Classification): string | undefined {
  const { unnamedScopes, spannedScopes, labels } = classification;
  for (const { label, unnamed, isExhaustive } of block.scopes) {
    const isSpanned = spannedScopes?.includes(label) === true;
    if (!isSpanned && unnamedScopes?.includes(label) !== true) continue;
    const byEntries = isSpanned
      ? unnamed.inEvery(classification, ALLOWED)
      : unnamed.inSome(classification, ALLOWED);
    const isFlatInTheWay =
      labels[label] !== undefined &&
      !isExhaustive &&
      decideByTable(block, block.rules, classification).action !== "allow";
    if (byEntries.action === "allow" && !isFlatInTheWay) continue;
    return isSpanned
      ? `the request acts in every ${label}, so every entry of the list would have to allow it`
      : `the request does not name its ${label}, so every entry of the list would have to allow it`;
  }
  return undefined;
}
