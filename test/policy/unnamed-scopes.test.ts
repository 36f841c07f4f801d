// The laws of requests that act in a scope which they do not name, over random policies; the rules one by one are in
// cases/unnamed.yaml.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ACTIONS, type Action } from "../../src/model/action.ts";
import type { Classification } from "../../src/model/classification.ts";
import { TIERS } from "../../src/model/tier.ts";
import { decide } from "../../src/policy/decide.ts";
import { DEFAULT_POLICY } from "../../src/policy/default-policy.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { classificationOf, policyOf } from "../support/policy-cases.ts";

const ASKED = process.env.FUZZ_RUNS;
const RUNS = ASKED === undefined ? { numRuns: 300, seed: 1 } : { numRuns: Number(ASKED) };

const COMMANDS = ["issues create", "issues delete", "repos update"];
const PATTERNS = [...COMMANDS, "issues *", "*"];
const REPOS = ["acme/web", "acme/infra", "other/web"];
const PLACES = [
  ...REPOS.map((repo) => ({ repo, org: repo.split("/")[0] ?? "" })),
  { repo: "new/one", org: "new" },
];

const branch = fc
  .record({
    groups: fc.subarray([...TIERS]),
    commands: fc.subarray(PATTERNS, { maxLength: 2 }),
  })
  .filter(({ groups, commands }) => groups.length + commands.length > 0);

const rules = fc
  .dictionary(fc.constantFrom(...ACTIONS), branch, { minKeys: 1, maxKeys: 3 })
  .map((branches) => ({ ...branches }));

const entryOf = (names: readonly string[]) =>
  fc.record({ names: fc.subarray([...names], { minLength: 1, maxLength: 2 }), rules });

const block = fc.record(
  {
    default: fc.constantFrom(...ACTIONS),
    repos: fc.array(entryOf([...REPOS, "acme/*", "*"]), { minLength: 1, maxLength: 4 }),
    orgs: fc.array(entryOf(["acme", "other", "o*"]), { minLength: 1, maxLength: 3 }),
    rules,
  },
  { requiredKeys: [] },
);

type Block = Partial<Record<string, unknown>>;

const groups = Object.fromEntries(TIERS.map((tier) => [tier, { tiers: [tier] }]));
const policyWith = (given: Block) =>
  policyOf(JSON.stringify({ github: { inspect: ["h"], groups, ...given } }));

const request = fc.record({
  tier: fc.constantFrom(...TIERS, "unknown" as const),
  command: fc.constantFrom(...COMMANDS, ""),
  aliases: fc.subarray(COMMANDS, { maxLength: 1 }),
});

const places = fc.record({
  labels: fc.constantFrom({}, { org: "acme" }, ...PLACES),
  unnamedScopes: fc.subarray(["repo", "org", "enterprise"]),
});

const strictness = (action: Action): number => ACTIONS.indexOf(action);

function actionOf(policy: Policy, row: Partial<Classification>): number {
  return strictness(decide(policy, classificationOf({ protocol: "github", ...row })).action);
}

describe("a request that does not name its scope", () => {
  test("is never treated better than the same request in any scope", () => {
    fc.assert(
      fc.property(block, request, fc.constantFrom(...PLACES), (given, row, place) => {
        const policy = policyWith(given);
        const both = actionOf(policy, { ...row, unnamedScopes: ["repo", "org"] });
        expect(both).toBeGreaterThanOrEqual(actionOf(policy, { ...row, labels: place }));
        const inOrg = actionOf(policy, { ...row, labels: { org: place.org }, unnamedScopes: ["repo"] });
        expect(inOrg).toBeGreaterThanOrEqual(actionOf(policy, { ...row, labels: place }));
        expect(both).toBeGreaterThanOrEqual(actionOf(policy, row));
      }),
      RUNS,
    );
  });

  test("is treated no worse than in the worst of the scopes that entries name, or in none", () => {
    const list = fc.array(entryOf(REPOS), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(block, list, request, ({ orgs: _, ...given }, repos, row) => {
        const one = policyWith({ ...given, repos });
        const worst = [...REPOS, "new/one"].map((repo) => actionOf(one, { ...row, labels: { repo } }));
        expect(actionOf(one, { ...row, unnamedScopes: ["repo"] })).toBe(Math.max(...worst));
      }),
      RUNS,
    );
  });

  test("is what it was where the policy has no such list", () => {
    fc.assert(
      fc.property(
        block,
        request,
        places,
        ({ repos: _, orgs: __, ...given }, row, { labels, unnamedScopes }) => {
          const bare = classificationOf({ protocol: "github", ...row, labels });
          const policy = policyWith(given);
          expect(decide(policy, { ...bare, unnamedScopes })).toEqual(decide(policy, bare));
        },
      ),
      RUNS,
    );
  });
});

test("an entry that denies everything makes no request laxer, wherever it is put", () => {
  const denial = { rules: { deny: { groups: [...TIERS], commands: ["*"] } } };
  const names = fc.subarray([...REPOS, "acme/*"], { minLength: 1, maxLength: 2 });
  fc.assert(
    fc.property(block, names, fc.nat(4), request, places, (given, denied, at, row, place) => {
      const repos = (given.repos ?? []) as readonly unknown[];
      const more = policyWith({ ...given, repos: repos.toSpliced(at, 0, { names: denied, ...denial }) });
      const whole = { ...row, ...place };
      expect(actionOf(more, whole)).toBeGreaterThanOrEqual(actionOf(policyWith(given), whole));
    }),
    RUNS,
  );
});

describe("the reason", () => {
  const policy = policyWith({
    default: "escalate",
    repos: [{ names: ["acme/infra"], rules: { deny: { groups: ["modify"] } } }],
    orgs: [{ names: ["acme"], rules: { escalate: { groups: ["modify", "observe"] } } }],
    rules: { allow: { groups: ["modify", "observe"] } },
  });
  const reasonOf = (row: Partial<Classification>): string =>
    decide(policy, classificationOf({ protocol: "github", command: "x", ...row })).reason;

  test("says which list decided and why", () => {
    expect(reasonOf({ tier: "modify", unnamedScopes: ["repo"] })).toBe(
      'tier modify (group "modify") is denied; the request acts in a repo that it does not name, so the strictest entry of repos counts',
    );
    expect(reasonOf({ tier: "observe", unnamedScopes: ["org"] })).toEndWith(
      "; the request acts in an org that it does not name, so the strictest entry of orgs counts",
    );
  });

  test("says nothing of it where the answer would be the same", () => {
    expect(reasonOf({ tier: "sensitive", unnamedScopes: ["repo"] })).toBe(
      "no rule matches, and the default is escalate",
    );
  });
});

test("the default policy treats every request alike, named or not", () => {
  const policy = policyOf(DEFAULT_POLICY);
  const labels = ["namespace", "project", "region", "zone", "organization", "app", "org"];
  for (const protocol of policy.blocks.keys())
    for (const tier of [...TIERS, "unknown" as const]) {
      const plain = classificationOf({ protocol, tier, command: "x" });
      expect(decide(policy, { ...plain, unnamedScopes: labels })).toEqual(decide(policy, plain));
    }
});
