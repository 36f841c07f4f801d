// Why a request got its verdict: every rule that was looked at, in the order of the decision, with what kept it from
// applying, and the narrowest rule that would have allowed the request. Reads the same compiled policy as decide.

import { scopeName } from "../../model/agent-label.ts";
import type { Classification } from "../../model/classification.ts";
import { isTier } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import { decide, decideByTable } from "../decide/decide.ts";
import type { Rule } from "../decide/rule-table.ts";
import type { Policy, ProtocolBlock, RuleTable } from "../policy.ts";

/** One thing that was looked at. */
export interface ExplainedStep {
  /** Path in the file, `kubectl.rules.allow.groups[0]`. */
  readonly path: string;
  /** 1-based; 0 where nothing is written. */
  readonly line: number;
  /** `applies`: it selects this request. `passed-over`: it does not; `why` says what differs. */
  readonly result: "applies" | "passed-over";
  /** One lower-case clause. */
  readonly why: string;
  /** Whether its verdict is the one that counts. */
  readonly isWinner: boolean;
}

/** What would allow the request. */
export type WayToAllow =
  /** A command under each of these `rules.allow` blocks; usually one. */
  | { readonly kind: "rule"; readonly paths: readonly string[]; readonly command: string }
  | { readonly kind: "none"; readonly why: string };

/** A verdict with its reasons. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly steps: readonly ExplainedStep[];
  /** Undefined when the request is allowed as it is. */
  readonly toAllow?: WayToAllow;
}

/** Explains the verdict on a classified request. Of a request with parts, the part that decides is explained. */
export function explain(policy: Policy, classification: Classification): Explanation {
  const verdict = decide(policy, classification);
  const block = policy.blocks.get(classification.protocol);
  if (block === undefined) {
    const why = `the policy has no '${classification.protocol}' block`;
    return { verdict, steps: [], toAllow: { kind: "none", why: `${why}; add one first` } };
  }
  const decisive = decisivePart(policy, classification, verdict);
  const steps = stepsOf(block, decisive).map((step) => ({
    ...step,
    isWinner: step.result === "applies" && step.path === verdict.rule,
  }));
  if (verdict.action === "allow") return { verdict, steps };
  return { verdict, steps, toAllow: wayToAllow(block, classification, verdict) };
}

/** The clause that a refusal or a person's question ends with; undefined when there is nothing to add. */
export function describeWay(way: WayToAllow | undefined): string | undefined {
  if (way === undefined) return undefined;
  if (way.kind === "none") return way.why;
  return `to allow exactly this, list '${way.command}' in ${way.paths.map((path) => `${path}.commands`).join(" and in ")}`;
}

function decisivePart(policy: Policy, classification: Classification, verdict: Verdict): Classification {
  for (const part of classification.parts ?? []) {
    const found = decide(policy, part);
    if (found.rule === verdict.rule && found.action === verdict.action)
      return decisivePart(policy, part, verdict);
  }
  return classification;
}

type BareStep = Omit<ExplainedStep, "isWinner">;

function stepsOf(block: ProtocolBlock, classification: Classification): BareStep[] {
  const steps: BareStep[] = [];
  let isScoped = false;
  for (const { keyword, label, written } of block.scopes) {
    const name = scopeName(classification.labels, label);
    if (name === undefined) {
      const reach = reachOf(label, classification);
      steps.push(passed(`${block.protocol}.${keyword}`, written[0]?.line ?? 0, reach));
      if (reach.startsWith("the request acts"))
        for (const { table } of written) steps.push(...tableSteps(table, classification));
      continue;
    }
    for (const entry of written) {
      if (!entry.globs.some((glob) => glob.test(name.toLowerCase()))) {
        steps.push(passed(entry.path, entry.line, `${label} '${name}' is none of ${entry.names.join(", ")}`));
        continue;
      }
      isScoped = true;
      steps.push({
        path: entry.path,
        line: entry.line,
        result: "applies",
        why: `${label} '${name}' matches ${entry.names.join(", ")}`,
      });
      steps.push(...tableSteps(entry.table, classification));
      break;
    }
  }
  if (isScoped) {
    if (block.rules !== undefined)
      steps.push(
        passed(
          `${block.protocol}.rules`,
          block.rules.rules[0]?.line ?? 0,
          "an entry of a scope list decides",
        ),
      );
  } else steps.push(...tableSteps(block.rules, classification));
  steps.push({
    path: block.fallback.rule,
    line: block.fallback.line,
    result: "applies",
    why: block.fallback.reason,
  });
  return steps;
}

function reachOf(label: string, { unnamedScopes, spannedScopes }: Classification): string {
  if (spannedScopes?.includes(label))
    return `the request acts in every ${label}, so every entry is looked at`;
  if (unnamedScopes?.includes(label))
    return `the request acts in a ${label} that it does not name, so every entry is looked at`;
  return `the request has no ${label}`;
}

function tableSteps(table: RuleTable | undefined, classification: Classification): BareStep[] {
  return (table?.rules ?? []).map((rule) => {
    const why = mismatch(rule, classification);
    if (why !== undefined) return passed(rule.path, rule.line, why);
    return {
      path: rule.path,
      line: rule.line,
      result: "applies",
      why: `it selects ${selectedBy(rule, classification)}`,
    };
  });
}

function passed(path: string, line: number, why: string): BareStep {
  return { path, line, result: "passed-over", why };
}

function namesOf({ command, aliases }: Classification): string[] {
  return [command, ...aliases].filter((name) => name !== "").map((name) => name.toLowerCase());
}

function selectedBy(rule: Rule, classification: Classification): string {
  const names = namesOf(classification);
  const command = rule.commands.find(({ globs }) =>
    globs.some((glob) => names.some((name) => glob.test(name))),
  );
  return command === undefined ? `tier ${classification.tier}` : `command '${command.text}'`;
}

/** What keeps a rule from selecting the request; undefined when it does select it. */
function mismatch(rule: Rule, classification: Classification): string | undefined {
  const names = namesOf(classification);
  if (rule.commands.some(({ globs }) => globs.some((glob) => names.some((name) => glob.test(name)))))
    return isTier(classification.tier) || rule.action === "deny"
      ? undefined
      : "no rule but a deny applies to what cannot be classified";
  if (isTier(classification.tier) && rule.tiers.includes(classification.tier)) return undefined;
  const group = rule.group === undefined ? "" : `group '${rule.group}': `;
  const wanted = [
    ...(rule.tiers.length === 0 ? [] : [`tier ${rule.tiers.join(" or ")}`]),
    ...(rule.commands.length === 0 ? [] : [`command ${shorten(rule.commands.map(({ text }) => text))}`]),
  ];
  return `${group}it wants ${wanted.join(" or ")}; this is ${classification.tier}${classification.command === "" ? "" : `, '${classification.command}'`}`;
}

function shorten(texts: readonly string[]): string {
  const shown = texts.slice(0, 6).map((text) => `'${text}'`);
  return texts.length > 6 ? `${shown.join(", ")} and ${texts.length - 6} more` : shown.join(", ");
}

function wayToAllow(block: ProtocolBlock, classification: Classification, verdict: Verdict): WayToAllow {
  if (classification.parts !== undefined && classification.parts.length > 0)
    return {
      kind: "none",
      why: "the request carries several operations; a rule for each would have to allow it",
    };
  if (!isTier(classification.tier))
    return { kind: "none", why: "no rule allows what cannot be classified; a person may allow it once" };
  if (classification.command === "")
    return { kind: "none", why: "the request has no command that a rule could name" };
  const tables = decidingTables(block, classification);
  const denied = tables
    .flatMap(({ table }) => table?.rules ?? [])
    .find((rule) => rule.action === "deny" && mismatch(rule, classification) === undefined);
  if (denied !== undefined)
    return { kind: "none", why: `nothing overrides the deny in line ${denied.line} (${denied.path})` };
  const stricter = tables
    .flatMap(({ table }) => table?.rules ?? [])
    .find(
      (rule) =>
        rule.action === "escalate" &&
        rule.commands.length > 0 &&
        mismatch(rule, classification) === undefined,
    );
  if (stricter !== undefined)
    return {
      kind: "none",
      why: `line ${stricter.line} (${stricter.path}) asks about this command; no allow overrides it`,
    };
  const paths = tables.filter(({ action }) => action !== "allow").map(({ path }) => `${path}.rules.allow`);
  if (verdict.isInDoubt === true || paths.length === 0)
    return {
      kind: "none",
      why: "the request does not name its scope, so every entry of the list would have to allow it",
    };
  return { kind: "rule", paths, command: classification.command };
}

interface DecidingTable {
  readonly path: string;
  readonly table: RuleTable | undefined;
  readonly action: Verdict["action"];
}

/** The rules blocks that have a say: the matching entry of each scope list, or else the flat rules. */
function decidingTables(block: ProtocolBlock, classification: Classification): readonly DecidingTable[] {
  const found: DecidingTable[] = [];
  const actionOf = (table: RuleTable | undefined) => decideByTable(block, table, classification).action;
  for (const { label, written } of block.scopes) {
    const name = scopeName(classification.labels, label)?.toLowerCase();
    const entry =
      name === undefined ? undefined : written.find(({ globs }) => globs.some((glob) => glob.test(name)));
    if (entry !== undefined)
      found.push({ path: entry.path, table: entry.table, action: actionOf(entry.table) });
  }
  if (found.length > 0) return found;
  return [{ path: block.protocol, table: block.rules, action: actionOf(block.rules) }];
}
