// The control methods that look at policies and logs: lint, diff, explain, replay, suggest. The
// same functions as the commands use; they change nothing, and run in slices between requests.

import { createHash } from "node:crypto";
import type { ControlHandlers } from "../../api/handlers.ts";
import type { Entry } from "../../model/entry.ts";
import { UserError } from "../../model/user-error.ts";
import { knownNames } from "../../policy/compare/catalogue.ts";
import { type DecisionChange, diffSteps, type PolicyDiff } from "../../policy/compare/diff.ts";
import { diffLines } from "../../policy/compare/diff-lines.ts";
import type { Steps } from "../../policy/compare/steps.ts";
import { judge } from "../../policy/decide/judge.ts";
import { routeOf } from "../../policy/decide/route.ts";
import { explain } from "../../policy/explain/explain.ts";
import { describeWay } from "../../policy/explain/way-to-allow.ts";
import { countHit, HIT_DAYS, lintSteps } from "../../policy/lint/lint.ts";
import { type PolicyProblem, parsePolicy } from "../../policy/parse/parse.ts";
import type { Policy } from "../../policy/policy.ts";
import { Replay } from "../../policy/replay/replay.ts";
import { Observations } from "../../policy/suggest/observations.ts";
import { suggestSteps } from "../../policy/suggest/suggest.ts";
import { rowsFromEnd } from "../../state/journal/read.ts";
import type { StatePaths } from "../../state/paths.ts";
import type { PolicyStore } from "../../state/policy-store.ts";
import { BUILD_VERSION } from "../../version.ts";
import { parseAuthority } from "../../wire/http1/connect-request.ts";
import { inSlices } from "./in-slices.ts";
import { replayIsWider, replayLines } from "./replay-report.ts";
import { dayOf, ruleJson, suggestionDiff, suggestionLines } from "./suggest-report.ts";

type Methods = "policy_lint" | "policy_diff" | "policy_explain" | "policy_replay" | "policy_suggest";

const DAY_MS = 24 * 60 * 60 * 1000;
const WEEK_MS = 7 * DAY_MS;
/** Rotated copies of a log that are read, too. */
const ROTATED = 100;

/** Everything that a text decides differently from a policy, in slices. */
export function diffInSlices(before: Policy, after: Policy): Promise<PolicyDiff> {
  return inSlices(() => diffSteps(before, after, knownNames));
}

/** Handlers of the policy tools. */
export function policyToolHandlers(policy: PolicyStore, paths: StatePaths): Pick<ControlHandlers, Methods> {
  return {
    policy_lint: async ({ text, only_problems: isShort, hits: wantsHits }) => {
      const result = text === undefined ? { policy: policy.current, warnings: [] } : parsePolicy(text);
      if (!("policy" in result)) return { problems: result.problems.map(problemJson), findings: [] };
      const problems = result.warnings.map(problemJson);
      if (isShort === true) return { problems, findings: [] };
      const hits = wantsHits === true ? new Map<string, number>() : undefined;
      if (hits !== undefined) await readRows(paths.audit, HIT_DAYS * DAY_MS, (row) => countHit(hits, row));
      const findings = await inSlices(() => lintSteps(result.policy, knownNames, hits));
      return { problems, findings: [...findings] };
    },

    policy_diff: async ({ text }) => {
      const diff = await diffInSlices(policy.local, parsed(text));
      return {
        wider: diff.isWider,
        lines: [...diffLines(diff)],
        changes: diff.changes.map(changeJson),
        routes: [...diff.routes],
        unknown: [...diff.unknown],
      };
    },

    policy_explain: ({ method, host, path }) => {
      const authority = parseAuthority(host, 443);
      if (authority === undefined)
        throw new UserError(`'${host}' is not a host`, { hint: "type host or host:port", exitCode: 2 });
      const route = routeOf(policy.current, authority);
      if (route === undefined)
        return {
          decision: "splice",
          reason: "no inspect entry covers this host: its connections pass through unread",
          steps: [],
        };
      const request = { ...authority, method, target: path, headers: [], body: { kind: "none" } } as const;
      const { classification } = judge(policy.current, [route.protocol], request);
      const { verdict, steps, toAllow } = explain(policy.current, classification, false);
      const { protocol, tier, command, labels, reason } = classification;
      const way = describeWay(toAllow);
      return {
        decision: verdict.action,
        reason: verdict.reason,
        rule: verdict.rule,
        line: verdict.line,
        classification: { protocol, tier, command, labels, reason, entry: route.entry },
        steps: steps.map(({ isWinner, ...step }) => ({ ...step, wins: isWinner })),
        ...(way === undefined ? {} : { to_allow: way }),
      };
    },

    policy_replay: async ({ text, from, since_ms: sinceMs = WEEK_MS, rows }) => {
      const replay = new Replay(policy.local, parsed(text), BUILD_VERSION);
      const path = from === "observe" ? paths.observe : paths.audit;
      const isCut = await readRows(path, sinceMs, (row) => replay.add(row), rows);
      const report = replay.report();
      const { newlyInspected, changes, reclassified, ...counts } = report;
      return {
        ...counts,
        wider: replayIsWider(report),
        is_cut: isCut,
        lines: [...replayLines(report)],
        newly_inspected: newlyInspected,
        changes: changes.map((one) => ({ ...one, examples: [...one.examples] })),
        reclassified: [...reclassified],
      };
    },

    policy_suggest: async ({ from, since_ms: sinceMs = WEEK_MS }) => {
      const { current } = policy;
      const seen = new Observations(current);
      await readRows(from === "observe" ? paths.observe : paths.audit, sinceMs, (row) => seen.add(row));
      const suggestion = await inSlices(() => suggestSteps(current, seen.all, knownNames, dayOf));
      return {
        rows: seen.rows,
        rules: suggestion.rules.map(ruleJson),
        lines: [...suggestionLines(suggestion)],
        diff: [...suggestionDiff(current.text, suggestion)],
        text: suggestion.text,
        base_sha256: createHash("sha256").update(current.text).digest("hex"),
      };
    },
  };
}

/** The refusal of a text that is no policy, with its first problem. */
export function doesNotLoad(problems: readonly PolicyProblem[]): UserError {
  const [first] = problems.filter(({ severity }) => severity === "error");
  const place = first === undefined ? "" : `: line ${first.line}: ${first.message}`;
  return new UserError(`this policy does not load${place}`, {
    hint: "iddio policy validate --policy <file>",
    code: "does-not-load",
  });
}

function parsed(text: string): Policy {
  const result = parsePolicy(text);
  if ("policy" in result) return result.policy;
  throw doesNotLoad(result.problems);
}

function problemJson({ message, hint, line, column, severity }: PolicyProblem) {
  return { message, line, column, severity, ...(hint === undefined ? {} : { hint }) };
}

function changeJson({ operations, others, scopes, place: _, ...rest }: DecisionChange) {
  return {
    ...rest,
    operations: [...operations],
    others: [...others],
    scopes: scopes.map(({ label, cells }) => ({ label, cells: [...cells] })),
  };
}

/** Reads the latest rows first; true when there were more than `most`. */
async function readRows(
  path: string,
  sinceMs: number,
  take: (row: Entry) => void,
  most = Number.POSITIVE_INFINITY,
): Promise<boolean> {
  let read = 0;
  let isCut = false;
  const found: Entry[] = [];
  const flush = () => inSlices(() => takeEach(found.splice(0), take));
  for await (const row of rowsFromEnd(path, { sinceMs: Date.now() - sinceMs, rotated: ROTATED })) {
    if (read >= most) {
      isCut = true;
      break;
    }
    read += 1;
    found.push(row);
    if (found.length >= 2_000) await flush();
  }
  await flush();
  return isCut;
}

function* takeEach(rows: readonly Entry[], take: (row: Entry) => void): Steps<void> {
  for (const row of rows) {
    take(row);
    yield;
  }
}
