// The comparator of policies: what it calls narrower is so for every request, and plain tightenings
// are found.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { ACTIONS } from "../../../src/model/action.ts";
import { isNarrowerPolicy, isNarrowerTree } from "../../../src/policy/compare/narrower.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { DEFAULT_POLICY } from "../../../src/policy/default-policy.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import {
  type BlockObject,
  blockArbitrary,
  classificationArbitrary,
} from "../../support/policy/policy-arbitraries.ts";
import { compiledFrom, treeOf } from "../../support/policy/policy-trees.ts";

const BASE = `github:
  inspect: []
  default: escalate
  rules:
    allow: { commands: ["x y"] }
gcloud:
  inspect: ["*.googleapis.com"]
  default: escalate # here
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify] }
  projects:
    - names: ["dev-*"]
      rules:
        allow: { groups: [read, write] }
  rules:
    allow: { groups: [read], commands: ["a b"] }
    escalate: { groups: [write] }
`;

const EDITS: readonly {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly isNarrower: boolean;
}[] = [
  { name: "a comment", from: "gcloud:", to: "# why\ngcloud:", isNarrower: true },
  {
    name: "another layout",
    from: "{ tiers: [observe] }",
    to: "\n      tiers:\n        - observe",
    isNarrower: true,
  },
  { name: "a stricter default", from: "default: escalate", to: "default: deny", isNarrower: true },
  {
    name: "a stricter default beside scope lists",
    from: "default: escalate # here",
    to: "default: deny",
    isNarrower: true,
  },
  { name: "a laxer default", from: "default: escalate", to: "default: allow", isNarrower: false },
  { name: "no default, which is escalate", from: "  default: escalate\n", to: "", isNarrower: true },
  {
    name: "a group that is denied now",
    from: "escalate: { groups: [write] }",
    to: "deny: { groups: [write] }",
    isNarrower: true,
  },
  {
    name: "a group that is allowed now",
    from: 'allow: { groups: [read], commands: ["a b"] }\n    escalate: { groups: [write] }',
    to: 'allow: { groups: [read, write], commands: ["a b"] }',
    isNarrower: false,
  },
  { name: "an allow less", from: ', commands: ["a b"]', to: "", isNarrower: false },
  {
    name: "a deny more",
    from: "    escalate: { groups",
    to: "    deny: { commands: [x] }\n    escalate: { groups",
    isNarrower: true,
  },
  { name: "an allow more", from: '["a b"]', to: '["a b", c]', isNarrower: false },
  { name: "a wider group", from: "tiers: [observe]", to: "tiers: [observe, modify]", isNarrower: false },
  {
    name: "a scope entry less",
    from: '  projects:\n    - names: ["dev-*"]\n      rules:\n        allow: { groups: [read, write] }\n',
    to: "",
    isNarrower: false,
  },
  { name: "a scope's other names", from: "dev-*", to: "dev*", isNarrower: false },
  {
    name: "a scope's stricter rules",
    from: "        allow: { groups: [read, write] }",
    to: "        escalate: { groups: [read, write] }",
    isNarrower: true,
  },
  { name: "a host less", from: '["*.googleapis.com"]', to: "[]", isNarrower: false },
  {
    name: "a host more",
    from: '["*.googleapis.com"]',
    to: '["*.googleapis.com", "a.example"]',
    isNarrower: false,
  },
  { name: "a block more", from: "gcloud:", to: "aws:\n  default: deny\ngcloud:", isNarrower: false },
];

for (const { name, from, to, isNarrower } of EDITS)
  test(`${name} is ${isNarrower ? "narrower" : "wider"}`, () => {
    const edited = BASE.replace(from, to);
    expect(edited).not.toBe(BASE);
    expect(parsePolicy(edited)).toHaveProperty("policy");
    expect(isNarrowerPolicy(BASE, edited)).toBe(isNarrower);
  });

test("taking a tightening back is wider", () => {
  expect(isNarrowerPolicy(BASE.replace("default: escalate", "default: deny"), BASE)).toBe(false);
});

test("the default policy is as narrow as itself, and what does not parse is not narrower", () => {
  expect(isNarrowerPolicy(DEFAULT_POLICY, DEFAULT_POLICY)).toBe(true);
  expect(isNarrowerPolicy(DEFAULT_POLICY, "[")).toBe(false);
});

/** Raises actions and adds denies at random: edits that a person makes to be stricter. */
function tightened(block: BlockObject, picks: readonly number[]): BlockObject {
  const copy = structuredClone(block);
  const raise = (rules: BlockObject["rules"], pick: number) => {
    if (rules === undefined) return;
    const [from, to] = [ACTIONS[pick % 2], ACTIONS[(pick % 2) + 1]];
    if (from === undefined || to === undefined || rules[from] === undefined || rules[to] !== undefined)
      return;
    rules[to] = rules[from];
    delete rules[from];
  };
  raise(copy.rules, picks[0] ?? 0);
  for (const [index, entry] of [...(copy.projects ?? []), ...(copy.zones ?? [])].entries())
    raise(entry.rules, picks[index + 1] ?? 0);
  if ((picks[1] ?? 0) % 2 === 1) copy.default = "deny";
  if ((picks[2] ?? 0) % 2 === 1 && copy.rules !== undefined && copy.rules.deny === undefined)
    copy.rules.deny = { commands: ["a.*"] };
  return copy;
}

test("law: whatever is called narrower decides every request at least as strictly", () => {
  let proven = 0;
  fc.assert(
    fc.property(
      blockArbitrary,
      blockArbitrary,
      fc.array(fc.nat(9), { minLength: 8, maxLength: 8 }),
      fc.boolean(),
      fc.array(classificationArbitrary, { minLength: 1, maxLength: 8 }),
      (one, other, picks, isRelated, requests) => {
        const [before, after] = [{ gcloud: one }, { gcloud: isRelated ? tightened(one, picks) : other }];
        const [old, fresh] = [compiledFrom(before), compiledFrom(after)];
        if (!("policy" in old) || !("policy" in fresh)) return;
        if (!isNarrowerTree(treeOf(before), treeOf(after))) return;
        if (old.policy.text !== fresh.policy.text) proven += 1;
        for (const request of requests) {
          const [was, is] = [decide(old.policy, request).action, decide(fresh.policy, request).action];
          expect(ACTIONS.indexOf(is)).toBeGreaterThanOrEqual(ACTIONS.indexOf(was));
        }
      },
    ),
    { numRuns: 600 },
  );
  expect(proven).toBeGreaterThan(30);
}, 120_000);
