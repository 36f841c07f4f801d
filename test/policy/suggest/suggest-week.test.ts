// A week of an audit log, made from real clients' requests: what is suggested from it is what a
// reviewer would accept. The reviewer here reads the rows alone and knows nothing of how
// suggestions are made.

import { expect, test } from "bun:test";
import { syntheticWeek } from "../../../bench/synthetic-week.ts";
import type { Entry } from "../../../src/model/entry.ts";
import type { Protocol } from "../../../src/model/protocol.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { DEFAULT_POLICY } from "../../../src/policy/default-policy.ts";
import { addInspectEntry } from "../../../src/policy/edit/edit.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { recordedRequest } from "../../../src/policy/replay/row-facts.ts";
import type { SuggestedRule } from "../../../src/policy/suggest/candidates.ts";
import { Observations } from "../../../src/policy/suggest/observations.ts";
import { suggest } from "../../../src/policy/suggest/suggest.ts";

const ROWS = 10_000;

/** Nobody would let an agent do one of these unasked because it was allowed a few times. */
const DANGEROUS =
  /delete|destroy|remove|terminate|purge|drop|iampolicy|bucket-policy|grant|permission|secret|password|token|credential|access-?key|exec|attach|portforward|port-forward|role|binding|collaborator|visibility|impersonate/i;

const catalogue = knownNames;

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
  return parsed.policy;
}

const BLOCKS: readonly (readonly [protocol: Protocol, host: string])[] = [
  ["aws", "*.amazonaws.com"],
  ["github", "api.github.com"],
  ["cloudflare", "api.cloudflare.com"],
];

/** The default policy with the blocks that it seeds as comments. */
const POLICY = policyOf(
  BLOCKS.reduce((text, [protocol, host]) => {
    const edited = addInspectEntry(text, protocol, host);
    return edited.kind === "changed" ? edited.text : text;
  }, DEFAULT_POLICY),
);

/** A reviewer's objection to a rule, from the rows. */
function review(rule: SuggestedRule, rows: readonly Entry[]): string | undefined {
  const { protocol, command, scope } = rule;
  const same = rows.filter(({ fields }) => fields.protocol === protocol && fields.command === command);
  const inScope =
    scope === undefined
      ? same
      : same.filter(({ fields }) => scope.seen.includes(fields.labels?.[scope.label] ?? ""));
  const approved = inScope.filter(
    ({ fields }) => fields.outcome === "approved" && (fields.status ?? 0) < 400,
  );
  if (approved.length < 2) return `was allowed ${approved.length} times`;
  if (inScope.some(({ fields }) => fields.outcome === "denied")) return "was denied by a person";
  if (same.some(({ fields }) => fields.tier !== "modify" && fields.tier !== "observe"))
    return "is sensitive, break-glass or unknown at times";
  if (DANGEROUS.test(command)) return "is dangerous by its name";
  if (scope === undefined && protocol !== "kubectl") return "is for every scope";
  if (scope?.name.includes("*") === true) return "is for scopes that nobody saw";
  if (rule.count !== approved.length) return `says ${rule.count} times and was allowed ${approved.length}`;
  return undefined;
}

test("a week's suggestions are what a reviewer would accept, and none of what must not be learnt", () => {
  const rows = [...syntheticWeek(POLICY, ROWS, "v26.1129.0600")];
  const seen = new Observations(POLICY);
  for (const row of rows) seen.add(row);
  const { rules, text } = suggest(POLICY, seen.all, catalogue, (ms) => new Date(ms).toISOString());
  const learnt = rules.filter(({ heldBack }) => heldBack === undefined);
  expect(learnt.length).toBeGreaterThan(10);
  for (const rule of learnt)
    expect([rule.protocol, rule.command, rule.scope?.name, review(rule, rows)]).toEqual([
      rule.protocol,
      rule.command,
      rule.scope?.name,
      undefined,
    ]);

  // Of all requests of the week, the text newly allows those that the list names.
  const after = policyOf(text);
  let newly = 0;
  for (const { fields } of rows) {
    const recorded = recordedRequest(fields);
    if (recorded === undefined) continue;
    const { classification } = recorded;
    const [was, is] = [decide(POLICY, classification).action, decide(after, classification).action];
    if (was === is) continue;
    newly += 1;
    const { protocol, command, tier, labels } = classification;
    expect([was, is, tier]).toEqual(["escalate", "allow", "modify"]);
    const isListed = learnt.some(
      (rule) =>
        rule.protocol === protocol &&
        rule.command === command &&
        (rule.scope === undefined || rule.scope.seen.includes(labels[rule.scope.label] ?? "")),
    );
    expect([protocol, command, labels, isListed]).toEqual([protocol, command, labels, true]);
  }
  expect(newly).toBeGreaterThan(learnt.length);

  // A command that was allowed often and is as harmless as the others is either learnt or says what to do
  // first.
  for (const { count, heldBack = "", command } of rules)
    if (count >= 20 && heldBack !== "")
      expect([command, heldBack]).toEqual([
        command,
        expect.stringMatching(
          /never learnt|denied|deny \S+ first|names no scope|the policy needs a|is a method|another tier|take the others/,
        ),
      ]);
}, 240_000);
