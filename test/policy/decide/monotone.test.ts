// A block that becomes stricter never decides more laxly: adding a deny, or a stricter default.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { ACTIONS } from "../../../src/model/action.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { fuzzRuns } from "../../support/fuzz-runs.ts";
import {
  type BlockObject,
  blockArbitrary,
  classificationArbitrary,
} from "../../support/policy/policy-arbitraries.ts";
import { compiledFrom } from "../../support/policy/policy-trees.ts";

function isAtLeastAsStrict(lax: BlockObject, strict: BlockObject): void {
  const [before, after] = [lax, strict].map((block) => compiledFrom({ gcloud: block }));
  if (before === undefined || after === undefined || "problems" in before || "problems" in after) return;
  fc.assert(
    fc.property(classificationArbitrary, (classification) => {
      const [was, is] = [before, after].map(({ policy }) => decide(policy, classification).action);
      expect(ACTIONS.indexOf(is ?? "allow")).toBeGreaterThanOrEqual(ACTIONS.indexOf(was ?? "deny"));
    }),
    { numRuns: 30 },
  );
}

test("a stricter default never makes a decision laxer, also not about a batch", () => {
  const action = fc.constantFrom(...ACTIONS);
  fc.assert(
    fc.property(blockArbitrary, action, action, (block, one, other) => {
      const [lax, strict] = [one, other].sort((a, b) => ACTIONS.indexOf(a) - ACTIONS.indexOf(b));
      if (lax !== undefined && strict !== undefined)
        isAtLeastAsStrict({ ...block, default: lax }, { ...block, default: strict });
    }),
    { numRuns: fuzzRuns(100) },
  );
}, 120_000);
