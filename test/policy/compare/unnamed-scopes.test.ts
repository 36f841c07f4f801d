// The laws of requests that act in some scopes which they do not name, or in every one, over random
// policies; the rules one by one are in cases/unnamed.yaml.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ACTIONS, type Action } from "../../../src/model/action.ts";
import type { Classification } from "../../../src/model/classification.ts";
import { TIERS } from "../../../src/model/tier.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { DEFAULT_POLICY } from "../../../src/policy/default-policy.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { classificationOf, policyOf } from "../../support/policy/policy-cases.ts";
import { policyFrom } from "../../support/policy/policy-trees.ts";

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
const policyWith = (given: Block) => policyFrom({ github: { inspect: ["h"], groups, ...given } });

const request = fc.record({
  tier: fc.constantFrom(...TIERS, "unknown" as const),
  command: fc.constantFrom(...COMMANDS, ""),
  aliases: fc.subarray(COMMANDS, { maxLength: 1 }),
});

const places = fc.record({
  labels: fc.constantFrom({}, { org: "acme" }, ...PLACES),
  unnamedScopes: fc.subarray(["repo", "org", "enterprise"]),
  spannedScopes: fc.subarray(["repo", "org", "enterprise"], { maxLength: 1 }),
});

/** Of the places below some are in no entry, and each of these names can be reached unless an earlier entry has it. */
const oneList = fc.array(entryOf([...REPOS, "*"]), { minLength: 1, maxLength: 4 });
const ONE_LIST_PLACES = [...REPOS, "new/one"];

const strictness = (action: Action): number => ACTIONS.indexOf(action);
const [ESCALATE, DENY] = [strictness("escalate"), strictness("deny")];

function actionOf(policy: Policy, row: Partial<Classification>): number {
  return strictness(decide(policy, classificationOf({ protocol: "github", ...row })).action);
}

describe("a request that acts in some scope which it does not name", () => {
  test("is asked about at least where the same request in any scope would not be allowed", () => {
    fc.assert(
      fc.property(block, request, fc.constantFrom(...PLACES), (given, row, place) => {
        const policy = policyWith(given);
        const least = Math.min(ESCALATE, actionOf(policy, { ...row, labels: place }));
        const labels = { org: place.org };
        const both = actionOf(policy, { ...row, unnamedScopes: ["repo", "org"] });
        const inOrg = actionOf(policy, { ...row, labels, unnamedScopes: ["repo"] });
        expect(both).toBeGreaterThanOrEqual(least);
        expect(inOrg).toBeGreaterThanOrEqual(least);
        expect(both).toBeGreaterThanOrEqual(actionOf(policy, row));
        expect(inOrg).toBeGreaterThanOrEqual(actionOf(policy, { ...row, labels }));
      }),
      RUNS,
    );
  });

  test("is denied only where it would be without the list or wherever it acts, and allowed only where all allow", () => {
    fc.assert(
      fc.property(block, oneList, request, ({ orgs: _, ...given }, repos, row) => {
        const policy = policyWith({ ...given, repos });
        const without = actionOf(policy, row);
        const places = ONE_LIST_PLACES.map((repo) => actionOf(policy, { ...row, labels: { repo } }));
        const isDenied = without === DENY || Math.min(...places) === DENY;
        const asked = Math.min(ESCALATE, Math.max(without, ...places));
        expect(actionOf(policy, { ...row, unnamedScopes: ["repo"] })).toBe(isDenied ? DENY : asked);
      }),
      RUNS,
    );
  });
});

describe("a request that acts in every scope of a kind", () => {
  test("is never treated better than the same request in any scope", () => {
    fc.assert(
      fc.property(block, request, fc.constantFrom(...PLACES), (given, row, place) => {
        const policy = policyWith(given);
        const inPlace = actionOf(policy, { ...row, labels: place });
        const both = actionOf(policy, { ...row, spannedScopes: ["repo", "org"] });
        const inOrg = actionOf(policy, { ...row, labels: { org: place.org }, spannedScopes: ["repo"] });
        expect(both).toBeGreaterThanOrEqual(inPlace);
        expect(inOrg).toBeGreaterThanOrEqual(inPlace);
        expect(both).toBeGreaterThanOrEqual(actionOf(policy, row));
      }),
      RUNS,
    );
  });

  test("is treated as in the worst of them, or as without the list", () => {
    fc.assert(
      fc.property(block, oneList, request, ({ orgs: _, ...given }, repos, row) => {
        const policy = policyWith({ ...given, repos });
        const places = ONE_LIST_PLACES.map((repo) => actionOf(policy, { ...row, labels: { repo } }));
        const worst = Math.max(actionOf(policy, row), ...places);
        expect(actionOf(policy, { ...row, spannedScopes: ["repo"] })).toBe(worst);
        expect(actionOf(policy, { ...row, spannedScopes: ["repo"], unnamedScopes: ["repo"] })).toBe(worst);
      }),
      RUNS,
    );
  });
});

describe("a request that does not name its scope", () => {
  test("is what it was where the policy has no such list", () => {
    fc.assert(
      fc.property(block, request, places, ({ repos: _, orgs: __, ...given }, row, { labels, ...unnamed }) => {
        const bare = classificationOf({ protocol: "github", ...row, labels });
        const policy = policyWith(given);
        expect(decide(policy, { ...bare, ...unnamed })).toEqual(decide(policy, bare));
      }),
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
    default: "deny",
    repos: [{ names: ["acme/infra"], rules: { deny: { groups: ["modify"] } } }],
    orgs: [
      { names: ["acme"], rules: { escalate: { groups: ["observe"] }, deny: { commands: ["x"] } } },
      {
        names: ["*"],
        rules: { deny: { commands: ["x"] }, allow: { groups: ["modify", "observe", "sensitive"] } },
      },
    ],
    rules: { allow: { groups: ["modify", "observe", "sensitive"] }, escalate: { groups: ["break-glass"] } },
  });
  const verdictOf = (row: Partial<Classification>) =>
    decide(policy, classificationOf({ protocol: "github", command: "z", tier: "modify", ...row }));
  const rows: readonly [what: string, row: Partial<Classification>, action: Action, reason: string][] = [
    [
      "says of a denial by some entry why it is asked about",
      { unnamedScopes: ["repo"] },
      "escalate",
      "tier modify (group 'modify') is denied by an entry of repos, and the request does not name its repo, so a person decides",
    ],
    [
      "says the same of what an entry escalates",
      { tier: "observe", unnamedScopes: ["org"] },
      "escalate",
      "tier observe (group 'observe') is escalated by an entry of orgs, and the request does not name its org, so a person decides",
    ],
    [
      "says that an entry has no rule for it",
      { tier: "sensitive", unnamedScopes: ["repo"] },
      "escalate",
      "in an entry of repos no rule matches, and the default is deny; the request does not name its repo, so a person decides",
    ],
    [
      "says the denial even where it would be asked about anyway",
      { tier: "break-glass", unnamedScopes: ["repo"] },
      "escalate",
      "in an entry of repos no rule matches, and the default is deny; the request does not name its repo, so a person decides",
    ],
    [
      "says that every entry denies",
      { command: "x", unnamedScopes: ["org"] },
      "deny",
      "command 'x' is denied; the request does not name its org, and every entry of orgs denies it",
    ],
    [
      "says that the request acts in every scope",
      { spannedScopes: ["repo"] },
      "deny",
      "tier modify (group 'modify') is denied; the request acts in every repo, so the strictest entry of repos counts",
    ],
    [
      "says nothing of it where a denial stands without the list",
      { command: "x", labels: { org: "acme" }, unnamedScopes: ["repo"], spannedScopes: ["org"] },
      "deny",
      "command 'x' is denied",
    ],
  ];
  for (const [what, row, action, reason] of rows)
    test(what, () => expect(verdictOf(row)).toMatchObject({ action, reason }));
});

test("the default policy treats every request alike, named or not", () => {
  const policy = policyOf(DEFAULT_POLICY);
  const labels = ["namespace", "project", "region", "zone", "organization", "app", "org"];
  for (const protocol of policy.blocks.keys())
    for (const tier of [...TIERS, "unknown" as const]) {
      const plain = classificationOf({ protocol, tier, command: "x" });
      expect(decide(policy, { ...plain, unnamedScopes: labels })).toEqual(decide(policy, plain));
      expect(decide(policy, { ...plain, spannedScopes: labels })).toEqual(decide(policy, plain));
    }
});
