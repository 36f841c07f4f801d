// Runs policy tests: every case through the classifiers and the policy that the proxy uses, without
// a daemon. Coverage names the rules that no case reached.

import type { Action } from "../../model/action.ts";
import type { Classification } from "../../model/classification.ts";
import type { HttpRequest } from "../../model/request.ts";
import type { Verdict } from "../../model/verdict.ts";
import { classifierFor, classifierForProgram } from "../../protocols/registry.ts";
import { decide } from "../decide/decide.ts";
import { judge } from "../decide/judge.ts";
import { routeOf } from "../decide/route.ts";
import type { Policy } from "../policy.ts";
import type { Given, PolicyTest } from "./cases.ts";

/** How one case came out. */
export interface TestResult {
  readonly test: PolicyTest;
  /** Empty when the case passed; else one clause for each thing that differs. */
  readonly failures: readonly string[];
  readonly classification: Classification | undefined;
  readonly verdict: Verdict | undefined;
}

/** A rule and whether a case reached it. */
export interface RuleCoverage {
  readonly path: string;
  readonly line: number;
  readonly isReached: boolean;
}

/** Runs every case. */
export function runPolicyTests(policy: Policy, tests: readonly PolicyTest[]): readonly TestResult[] {
  return tests.map((test) => {
    const { action, classification, verdict } = judgeGiven(policy, test.given);
    const failures: string[] = [];
    const { want } = test;
    if (action !== want.action) failures.push(`wanted ${want.action}, got ${action}`);
    if (want.tier !== undefined && classification?.tier !== want.tier)
      failures.push(`wanted tier ${want.tier}, got ${classification?.tier ?? "none"}`);
    if (want.rule !== undefined && !isWithin(verdict?.rule ?? "", want.rule))
      failures.push(`wanted rule ${want.rule}, got ${verdict?.rule || "none"}`);
    return { test, failures, classification, verdict };
  });
}

/** The policy's answer to a case's input; there is no classification where the host is not inspected. */
export function judgeGiven(
  policy: Policy,
  given: Given,
): {
  readonly action: Action | "splice";
  readonly classification: Classification | undefined;
  readonly verdict: Verdict | undefined;
} {
  if (given.kind === "request") {
    const route = routeOf(policy, given);
    if (route === undefined) return { action: "splice", classification: undefined, verdict: undefined };
    const { classification, verdict } = judge(policy, [route.protocol], requestOf(given));
    return { action: verdict.action, classification, verdict };
  }
  const classification = given.kind === "argv" ? classifyArgv(given.argv) : given.ask;
  const verdict = decide(policy, classification);
  return { action: verdict.action, classification, verdict };
}

/** Every rule of the policy, defaults included, in file order. */
export function coverageOf(policy: Policy, results: readonly TestResult[]): readonly RuleCoverage[] {
  const reached = new Set(results.map(({ verdict }) => verdict?.rule));
  const all = new Map<string, number>();
  for (const { scopes, rules, fallback } of policy.blocks.values()) {
    const tables = [
      ...scopes.flatMap(({ written }) => written.map(({ table }) => table)),
      ...(rules === undefined ? [] : [rules]),
    ];
    for (const rule of tables.flatMap((table) => table.rules)) all.set(rule.path, rule.line);
    // A default that the file does not write has no line.
    if (fallback.line > 0) all.set(fallback.rule, fallback.line);
  }
  return [...all]
    .map(([path, line]) => ({ path, line, isReached: reached.has(path) }))
    .sort((a, b) => a.line - b.line);
}

function classifyArgv(argv: readonly string[]): Classification {
  const classifier = classifierForProgram(argv[0] ?? "") ?? classifierFor("generic");
  return classifier.classifyArgv(argv);
}

function requestOf({
  method,
  host,
  port,
  target,
  headers,
  body,
}: Extract<Given, { kind: "request" }>): HttpRequest {
  return {
    method,
    host,
    port,
    target,
    headers,
    body: body === undefined ? { kind: "none" } : { kind: "whole", bytes: new TextEncoder().encode(body) },
  };
}

/** Whether a rule is the wanted one, or stands below it. */
function isWithin(rule: string, wanted: string): boolean {
  return rule === wanted || (rule.startsWith(wanted) && /^[.[]/.test(rule.slice(wanted.length)));
}
