import { describe, expect, test } from "bun:test";
import type { Judgement } from "../../../src/model/verdict.ts";
import { judge } from "../../../src/policy/decide/judge.ts";
import { DEFAULT_POLICY } from "../../../src/policy/default-policy.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import {
  classificationOf,
  classifierOf,
  judgeLine,
  type PolicyCase,
  policyOf,
  readPolicyCases,
} from "../../support/policy/policy-cases.ts";

const ANY_REQUEST = {
  method: "GET",
  host: "h",
  port: 443,
  target: "/",
  headers: [],
  body: { kind: "none" },
} as const;

function judgementOf(policy: Policy, row: PolicyCase): Judgement | undefined {
  if (row.request !== undefined) return judgeLine(policy, row.request);
  const classification = classificationOf(row.classified ?? {});
  return judge(policy, [classification.protocol], ANY_REQUEST, () => classifierOf(classification));
}

for (const [name, file] of readPolicyCases())
  describe(`${name}: ${file.note}`, () => {
    const policy = policyOf(file.policy === "default" ? DEFAULT_POLICY : file.policy);
    file.cases.forEach((row, index) => {
      const title = row.note ?? row.request ?? JSON.stringify(row.classified);
      test(`${index}. ${title}: ${row.want}`, () => {
        const verdict = judgementOf(policy, row)?.verdict;
        expect(verdict?.action ?? "splice").toBe(row.want);
        if (row.rule !== undefined) expect(verdict?.rule).toBe(row.rule);
        if (row.line !== undefined) expect(verdict?.line).toBe(row.line);
        if (verdict !== undefined) expect(verdict.reason).not.toBe("");
      });
    });
  });
