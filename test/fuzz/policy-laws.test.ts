import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ACTIONS } from "../../src/model/action.ts";
import { TIERS } from "../../src/model/tier.ts";
import type { Verdict } from "../../src/model/verdict.ts";
import { decide } from "../../src/policy/decide/decide.ts";
import { judge } from "../../src/policy/decide/judge.ts";
import { fuzzRuns, fuzzSeed } from "../support/fuzz-runs.ts";
import {
  type BlockObject,
  blockArbitrary,
  classificationArbitrary,
  plainClassification,
  type RulesObject,
} from "../support/policy/policy-arbitraries.ts";
import { classifierOf } from "../support/policy/policy-cases.ts";
import { policyFrom } from "../support/policy/policy-trees.ts";

/** CI tries the same cases each time. */
const RUNS = { numRuns: fuzzRuns(60), seed: fuzzSeed(1) };

/** Most of a run is the reading of its policy: each is asked about several requests. */
const several = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 4, maxLength: 4 });

function strictness(verdict: Verdict): number {
  return ACTIONS.indexOf(verdict.action);
}

/** Every rules block of a policy. */
function rulesOf(block: BlockObject): RulesObject[] {
  const scoped = [...(block.projects ?? []), ...(block.zones ?? [])].map((entry) => entry.rules);
  return block.rules === undefined ? scoped : [...scoped, block.rules];
}

describe("laws of the policy", () => {
  test("adding a deny rule never makes any verdict laxer", () => {
    const deny = fc.constantFrom("g1", "g2", "a.b", "*", "a.*");
    fc.assert(
      fc.property(
        blockArbitrary,
        several(classificationArbitrary),
        deny,
        fc.nat(),
        (block, asked, what, pick) => {
          const stricter = structuredClone(block);
          const all = rulesOf(stricter);
          const target = all.length === 0 ? undefined : all[pick % all.length];
          if (target === undefined) stricter.rules = { deny: { commands: ["*"] } };
          else {
            const key = what.startsWith("g") ? "groups" : "commands";
            target.deny = { ...target.deny, [key]: [...(target.deny?.[key] ?? []), what] };
          }
          const [before, after] = [policyFrom({ gcloud: block }), policyFrom({ gcloud: stricter })];
          for (const one of asked)
            expect(strictness(decide(after, one))).toBeGreaterThanOrEqual(strictness(decide(before, one)));
        },
      ),
      RUNS,
    );
  });

  test("removing an allow rule never makes any verdict laxer, unless the default allows", () => {
    fc.assert(
      fc.property(blockArbitrary, several(classificationArbitrary), (block, asked) => {
        fc.pre(block.default !== "allow");
        const stricter = structuredClone(block);
        for (const rules of rulesOf(stricter)) {
          // An empty rules block is an error, so the last branch stays.
          if (Object.keys(rules).length > 1 && rules.escalate === undefined) delete rules.allow;
        }
        const [before, after] = [policyFrom({ gcloud: block }), policyFrom({ gcloud: stricter })];
        for (const one of asked)
          expect(strictness(decide(after, one))).toBeGreaterThanOrEqual(strictness(decide(before, one)));
      }),
      RUNS,
    );
  });

  test("nothing unknown is ever allowed, not as a whole and not as a part", () => {
    fc.assert(
      fc.property(blockArbitrary, several(classificationArbitrary), (block, asked) => {
        const policy = policyFrom({ gcloud: block });
        for (const one of asked) {
          const isUnknown = one.tier === "unknown" || one.parts?.some((part) => part.tier === "unknown");
          if (isUnknown) expect(decide(policy, one).action).not.toBe("allow");
        }
      }),
      RUNS,
    );
  });

  test("a request with parts is as strict as its strictest part at least", () => {
    const parts = fc.array(plainClassification, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(blockArbitrary, several(fc.tuple(plainClassification, parts)), (block, asked) => {
        const policy = policyFrom({ gcloud: block });
        for (const [whole, some] of asked) {
          const strictest = Math.max(...some.map((part) => strictness(decide(policy, part))));
          expect(strictness(decide(policy, { ...whole, parts: some }))).toBeGreaterThanOrEqual(strictest);
        }
      }),
      RUNS,
    );
  });

  test("a denied tier or command is denied whatever else the same rules say", () => {
    fc.assert(
      fc.property(
        blockArbitrary,
        several(plainClassification),
        fc.constantFrom(...TIERS),
        (block, asked, tier) => {
          const denying: BlockObject = {
            groups: { ...block.groups, worst: { tiers: [tier] } },
            rules: { ...block.rules, deny: { groups: ["worst"], commands: ["x.y"] } },
          };
          const policy = policyFrom({ gcloud: denying });
          for (const one of asked) {
            expect(decide(policy, { ...one, tier, labels: {} }).action).toBe("deny");
            expect(decide(policy, { ...one, command: "X.Y", labels: {} }).action).toBe("deny");
          }
        },
      ),
      RUNS,
    );
  });

  test("a verdict names a rule that the file has, with its line, and a reason", () => {
    fc.assert(
      fc.property(blockArbitrary, several(classificationArbitrary), (block, asked) => {
        const policy = policyFrom({ gcloud: block });
        for (const one of asked) {
          const { rule, line, reason } = decide(policy, one);
          expect(reason).not.toBe("");
          expect(rule).toMatch(/^gcloud(?:$|\.default$|\.(?:(?:projects|zones)\[\d\]\.)?rules\.)/);
          expect(line).toBe(rule === "gcloud.default" && block.default === undefined ? 0 : 1);
        }
      }),
      RUNS,
    );
  });

  test("judging by more protocols is never laxer", () => {
    fc.assert(
      fc.property(blockArbitrary, plainClassification, plainClassification, (block, one, other) => {
        const policy = policyFrom({ gcloud: block, aws: { default: "allow" } });
        const lookup = (protocol: string) =>
          classifierOf({ ...(protocol === "aws" ? other : one), protocol } as typeof one);
        const request = {
          method: "GET",
          host: "h",
          port: 1,
          target: "/",
          headers: [],
          body: { kind: "none" },
        } as const;
        const alone = judge(policy, ["gcloud"], request, lookup).verdict;
        const both = judge(policy, ["aws", "gcloud"], request, lookup).verdict;
        expect(strictness(both)).toBeGreaterThanOrEqual(strictness(alone));
      }),
      RUNS,
    );
  });
});
