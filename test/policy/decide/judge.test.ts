import { describe, expect, test } from "bun:test";
import type { Classification } from "../../../src/model/classification.ts";
import type { Protocol } from "../../../src/model/protocol.ts";
import { type ClassifierLookup, judge, needsBody } from "../../../src/policy/decide/judge.ts";
import type { Classifier } from "../../../src/protocols/classifier.ts";
import { classificationOf, classifierOf, policyOf } from "../../support/policy/policy-cases.ts";

const POLICY = policyOf(
  [
    "kubectl:\n  default: allow\n  groups: { worst: { tiers: [break-glass] } }\n  rules: { deny: { groups: [worst] } }",
    "aws:\n  default: allow",
    "generic:\n  default: escalate",
  ].join("\n"),
);
const REQUEST = {
  method: "GET",
  host: "h",
  port: 443,
  target: "/",
  headers: [],
  body: { kind: "none" },
} as const;

function lookupOf(answers: Partial<Record<Protocol, Partial<Classification> | Error>>): ClassifierLookup {
  return (protocol) => {
    const answer = answers[protocol];
    if (answer === undefined) throw new Error("no classifier");
    return classifierOf(answer instanceof Error ? answer : classificationOf({ protocol, ...answer }));
  };
}

describe("of several protocols the strictest judgement counts", () => {
  const rows: [name: string, answers: Parameters<typeof lookupOf>[0], chosen: Protocol, action: string][] = [
    [
      "allow against escalate",
      { kubectl: { tier: "observe" }, generic: { tier: "observe" } },
      "generic",
      "escalate",
    ],
    [
      "deny against escalate",
      { kubectl: { tier: "break-glass" }, generic: { tier: "observe" } },
      "kubectl",
      "deny",
    ],
    [
      "the stricter tier among equals",
      { kubectl: { tier: "observe" }, aws: { tier: "modify" } },
      "aws",
      "allow",
    ],
    ["the first among equals", { kubectl: { tier: "modify" }, aws: { tier: "modify" } }, "kubectl", "allow"],
    [
      "an unknown one against an allowed one",
      { kubectl: { tier: "observe" }, aws: { tier: "unknown" } },
      "aws",
      "escalate",
    ],
  ];
  for (const [name, answers, chosen, action] of rows)
    test(name, () => {
      const protocols = Object.keys(answers) as Protocol[];
      for (const order of [protocols, protocols.toReversed()]) {
        const { classification, verdict } = judge(POLICY, order, REQUEST, lookupOf(answers));
        expect(verdict.action).toBe(action as typeof verdict.action);
        if (name !== "the first among equals") expect(classification.protocol).toBe(chosen);
      }
      expect(judge(POLICY, protocols, REQUEST, lookupOf(answers)).classification.protocol).toBe(chosen);
    });
});

describe("what goes wrong inside never opens the gate", () => {
  test("a classifier that throws makes the request unknown, and says nothing of what it read", () => {
    const { classification, verdict } = judge(
      POLICY,
      ["kubectl"],
      REQUEST,
      lookupOf({ kubectl: new Error("boom") }),
    );
    expect(classification.tier).toBe("unknown");
    expect(classification.protocol).toBe("kubectl");
    expect(classification.reason).toBe("the kubectl classifier failed with Error");
    expect(verdict.action).toBe("escalate");
  });

  test("a classifier that is missing makes the request unknown", () => {
    expect(judge(POLICY, ["aws"], REQUEST, lookupOf({})).classification.tier).toBe("unknown");
  });

  test("a classifier that throws no error object makes the request unknown", () => {
    const thrower: Classifier = {
      ...classifierOf(new Error("")),
      classify: () => {
        throw null;
      },
    };
    expect(judge(POLICY, ["aws"], REQUEST, () => thrower).verdict.action).toBe("escalate");
  });

  test("a classifier that answers for another protocol cannot move the request to that block", () => {
    const answer = classificationOf({ protocol: "aws", tier: "break-glass" });
    const { classification, verdict } = judge(POLICY, ["kubectl"], REQUEST, () => classifierOf(answer));
    expect([classification.protocol, verdict.action]).toEqual(["kubectl", "deny"]);
  });

  test("no protocol at all is denied", () => {
    const { classification, verdict } = judge(POLICY, [], REQUEST);
    expect([classification.tier, verdict.action]).toEqual(["unknown", "deny"]);
  });

  test("a protocol that the policy has no block for is escalated", () => {
    const { verdict } = judge(POLICY, ["fly"], REQUEST, lookupOf({ fly: { tier: "observe" } }));
    expect(verdict).toEqual({
      action: "escalate",
      rule: "",
      line: 0,
      reason: "the policy has no 'fly' block",
    });
  });
});

describe("the body is needed", () => {
  const needing: Classifier = { ...classifierOf(classificationOf({})), needsBody: () => true };
  const other = classifierOf(classificationOf({}));

  test("when any of the classifiers needs it", () => {
    expect(needsBody(["kubectl", "aws"], REQUEST, (protocol) => (protocol === "aws" ? needing : other))).toBe(
      true,
    );
    expect(needsBody(["kubectl", "aws"], REQUEST, () => other)).toBe(false);
  });

  test("when a classifier cannot say", () => {
    expect(needsBody(["kubectl"], REQUEST, () => classifierOf(new Error("boom")))).toBe(true);
  });
});
