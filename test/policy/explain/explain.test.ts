// Explanations agree with the decision, and what they say would allow a request does allow it.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Classification } from "../../../src/model/classification.ts";
import { isTier } from "../../../src/model/tier.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { explain } from "../../../src/policy/explain/explain.ts";
import { describeWay } from "../../../src/policy/explain/way-to-allow.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { fuzzRuns } from "../../support/fuzz-runs.ts";
import {
  type BlockObject,
  blockArbitrary,
  classificationArbitrary,
  plainClassification,
} from "../../support/policy/policy-arbitraries.ts";
import { compiledFrom } from "../../support/policy/policy-trees.ts";

function policyOf(block: BlockObject): Policy | undefined {
  const parsed = compiledFrom({ gcloud: block });
  return "policy" in parsed ? parsed.policy : undefined;
}

/** The block with a command allowed at a path such as `gcloud.projects[0].rules.allow`. */
function withAllowed(block: BlockObject, path: string, command: string): BlockObject {
  const copy = structuredClone(block);
  const list = /^gcloud\.(projects|zones)\[(\d+)\]/.exec(path);
  const entry = list === null ? undefined : copy[list[1] as "projects" | "zones"]?.[Number(list[2])];
  if (list === null) copy.rules ??= {};
  const rules = list === null ? copy.rules : entry?.rules;
  if (rules === undefined) throw new Error(`no rules at ${path}`);
  rules.allow = { ...rules.allow, commands: [...(rules.allow?.commands ?? []), command] };
  return copy;
}

/** Blocks without rules about commands, most of which stand in the way of a narrower one. */
const byTierOnly = blockArbitrary.map(
  (block): BlockObject => ({
    ...block,
    groups: {
      g1: { tiers: ["observe"] },
      g2: { tiers: ["modify"] },
      g3: { tiers: ["sensitive", "break-glass"] },
    },
  }),
);

const inNamedScopes = plainClassification.map(
  ({ unnamedScopes: _unnamed, spannedScopes: _spanned, ...rest }) => rest,
);

/** Most of a run is the reading of its policy: each is asked about as many requests. */
const several = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 4, maxLength: 4 });

describe("over random policies and requests", () => {
  test("the winner is the rule that decided, and it applies", () => {
    fc.assert(
      fc.property(blockArbitrary, several(classificationArbitrary), (block, asked) => {
        const policy = policyOf(block);
        if (policy === undefined) return;
        for (const classification of asked) {
          const verdict = decide(policy, classification);
          const explained = explain(policy, classification);
          expect(explained.verdict).toEqual(verdict);
          for (const step of explained.steps.filter(({ isWinner }) => isWinner)) {
            expect(step.result).toBe("applies");
            expect(step.path).toBe(verdict.rule);
          }
          if (verdict.action === "allow") expect(explained.toAllow).toBeUndefined();
          else expect(explained.toAllow).toBeDefined();
        }
      }),
      { numRuns: fuzzRuns(250) },
    );
  }, 120_000);

  test("a rule that is said to allow the request does, and only a deny or a stricter command says that none does", () => {
    let tried = 0;
    fc.assert(
      fc.property(
        byTierOnly,
        several(fc.tuple(fc.oneof(inNamedScopes, classificationArbitrary), fc.boolean())),
        (block, asked) => {
          const policy = policyOf(block);
          if (policy === undefined) return;
          for (const [classification, mayWiden] of asked) {
            const { toAllow } = explain(policy, classification, mayWiden);
            if (toAllow?.kind !== "rule") {
              if (toAllow !== undefined) expect(describeWay(toAllow)?.length).toBeGreaterThan(10);
              continue;
            }
            expect(isTier(classification.tier)).toBe(true);
            const wider = toAllow.rules.reduce(
              (one, { path, command }) => withAllowed(one, path, command),
              block,
            );
            const allowed = policyOf(wider);
            if (allowed === undefined) throw new Error("the wider policy does not load");
            expect(decide(allowed, classification, mayWiden).action).toBe("allow");
            tried += 1;
          }
        },
      ),
      { numRuns: fuzzRuns(750) },
    );
    expect(tried).toBeGreaterThan(100);
  }, 120_000);
});

describe("without a block of the protocol", () => {
  const policy = policyOf({ groups: {} });
  const ask = { protocol: "fly", command: "apps destroy", aliases: [], labels: {}, reason: "" } as const;
  const wayOf = (tier: Classification["tier"]) =>
    policy && describeWay(explain(policy, { ...ask, tier }).toAllow);

  test("a rule needs the block first", () => {
    expect(wayOf("sensitive")).toBe("to allow it by a rule, the policy needs a 'fly' block");
  });

  test("no block helps what cannot be classified", () => {
    expect(wayOf("unknown")).toBe("no rule allows what cannot be classified; a person may allow it once");
  });
});
