// Random policies and classifications for the laws. Small alphabets on purpose: rules that never
// meet a request prove nothing.

import fc from "fast-check";
import { ACTIONS, type Action } from "../../../src/model/action.ts";
import type { Classification } from "../../../src/model/classification.ts";
import { TIERS, type TierOrUnknown } from "../../../src/model/tier.ts";

/** One `rules:` block as an object. */
export type RulesObject = Partial<Record<Action, { groups?: string[]; commands?: string[] }>>;

/** One protocol's block as an object, to be written as JSON, which is YAML. */
export interface BlockObject {
  default?: Action;
  groups: Record<string, { tiers?: string[]; commands?: string[] }>;
  projects?: { names: string[]; rules: RulesObject }[];
  zones?: { names: string[]; rules: RulesObject }[];
  rules?: RulesObject;
}

const GROUPS = ["g1", "g2", "g3"];
const command = fc.constantFrom("a.b", "a.c", "b.c", "a.*", "*", "*.c", "A.B", "?.b", "{a,b}.c");
const some = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(one, { minLength: 1, maxLength: 3 });

const group = fc.oneof(
  fc.record({ tiers: some(fc.constantFrom<string>(...TIERS)) }),
  fc.record({ commands: some(command) }),
  fc.record({ tiers: some(fc.constantFrom<string>(...TIERS)), commands: some(command) }),
);
const branch = fc.oneof(
  fc.record({ groups: some(fc.constantFrom(...GROUPS)) }),
  fc.record({ commands: some(command) }),
  fc.record({ groups: some(fc.constantFrom(...GROUPS)), commands: some(command) }),
);
const rules: fc.Arbitrary<RulesObject> = fc
  .dictionary(fc.constantFrom<string>(...ACTIONS), branch, { minKeys: 1, maxKeys: 3, noNullPrototype: true })
  .map((found) => found as RulesObject);
const scope = some(fc.record({ names: some(fc.constantFrom("p1", "p2", "p*", "*", "P1")), rules }));

/** A gcloud block: it has several scope lists. */
export const blockArbitrary: fc.Arbitrary<BlockObject> = fc.record(
  {
    groups: fc.record({ g1: group, g2: group, g3: group }),
    default: fc.constantFrom(...ACTIONS),
    projects: scope,
    zones: scope,
    rules,
  },
  { requiredKeys: ["groups"], noNullPrototype: true },
) as fc.Arbitrary<BlockObject>;

const tier = fc.constantFrom<TierOrUnknown>(...TIERS, "unknown");
const name = fc.constantFrom("a.b", "a.c", "b.c", "A.C", "", "x");
const labels = fc.record(
  { project: fc.constantFrom("p1", "P2", "q"), zone: fc.constantFrom("p1", "z") },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<Record<string, string>>;

const unnamed = fc.subarray(["project", "zone"], { minLength: 1 });

/** A gcloud classification without parts. */
export const plainClassification: fc.Arbitrary<Classification> = fc.record(
  {
    protocol: fc.constant("gcloud" as const),
    tier,
    command: name,
    aliases: fc.array(name, { maxLength: 2 }),
    labels,
    unnamedScopes: unnamed,
    spannedScopes: unnamed,
    reason: fc.constant("a test"),
  },
  { requiredKeys: ["protocol", "tier", "command", "aliases", "labels", "reason"], noNullPrototype: true },
) as fc.Arbitrary<Classification>;

/** A gcloud classification, sometimes with parts. */
export const classificationArbitrary: fc.Arbitrary<Classification> = fc.oneof(
  plainClassification,
  fc
    .tuple(plainClassification, fc.array(plainClassification, { maxLength: 3 }))
    .map(([whole, parts]) => ({ ...whole, parts })),
);

/** The text of a policy with this gcloud block. */
export function policyText(block: BlockObject): string {
  return JSON.stringify({ gcloud: block });
}
