// Why a request got its verdict: every rule that was looked at, in the order of the decision, with
// what kept it from applying, and the narrowest rule that would have allowed the request. Reads the
// same compiled policy as decide.

import { scopeName } from "../../model/agent-label.ts";
import type { Classification } from "../../model/classification.ts";
import { isTier } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import { withArticle } from "../../text/article.ts";
import { decide } from "../decide/decide.ts";
import type { Rule } from "../decide/rule-table.ts";
import type { Policy, ProtocolBlock, RuleTable } from "../policy.ts";
import { namesOf, selects, type WayToAllow, wayToAllow } from "./way-to-allow.ts";

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

/** A verdict with its reasons. */
export interface Explanation {
  readonly verdict: Verdict;
  readonly steps: readonly ExplainedStep[];
  /** Undefined when the request is allowed as it is. */
  readonly toAllow?: WayToAllow;
}

/**
 * Explains the verdict on a classified request. Of a request with parts, the part that decides is explained. `mayWiden`
 * is as for `decide`.
 */
export function explain(policy: Policy, classification: Classification, mayWiden = true): Explanation {
  const verdict = decide(policy, classification, mayWiden);
  const toAllow = wayToAllow(policy, classification, mayWiden);
  const block = policy.blocks.get(classification.protocol);
  if (block === undefined) return { verdict, steps: [], ...(toAllow === undefined ? {} : { toAllow }) };
  const decisive = decisivePart(policy, classification, verdict);
  const steps = stepsOf(block, decisive, verdict).map((step) => ({
    ...step,
    isWinner: step.result === "applies" && step.path === verdict.rule,
  }));
  return { verdict, steps, ...(toAllow === undefined ? {} : { toAllow }) };
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

function stepsOf(block: ProtocolBlock, classification: Classification, { rule }: Verdict): BareStep[] {
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
        steps.push(
          passed(entry.path, entry.line, `${label} '${name}' is not one of ${entry.names.join(", ")}`),
        );
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
          "not needed: an entry of a scope list above decides",
        ),
      );
  } else steps.push(...tableSteps(block.rules, classification));
  const { fallback } = block;
  steps.push(
    rule === fallback.rule
      ? { path: fallback.rule, line: fallback.line, result: "applies", why: fallback.reason }
      : passed(fallback.rule, fallback.line, "not needed: it is for requests that no rule selects"),
  );
  return steps;
}

function reachOf(label: string, { unnamedScopes, spannedScopes }: Classification): string {
  if (spannedScopes?.includes(label))
    return `the request acts in every ${label}, so every entry is looked at`;
  if (unnamedScopes?.includes(label))
    return `the request acts in ${withArticle(label)} that it does not name, so every entry is looked at`;
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

function selectedBy(rule: Rule, classification: Classification): string {
  const names = namesOf(classification);
  const command = rule.commands.find(({ globs }) =>
    globs.some((glob) => names.some((name) => glob.test(name))),
  );
  return command === undefined ? `tier ${classification.tier}` : `command '${command.text}'`;
}

/** Says why a rule does not select the request; undefined when it does. */
function mismatch(rule: Rule, classification: Classification): string | undefined {
  if (selects(rule, classification)) return undefined;
  if (!isTier(classification.tier) && selects({ ...rule, action: "deny" }, classification))
    return "no rule but a deny applies to what cannot be classified";
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
