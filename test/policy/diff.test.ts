// Comparing two policies: exact where it says anything, in both directions, and wider wherever it
// cannot tell.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { diffPolicies, isWidening } from "../../src/policy/compare/diff.ts";
import { checkNever } from "../../src/policy/compare/never.ts";
import { decide } from "../../src/policy/decide/decide.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { blockArbitrary, classificationArbitrary, policyText } from "../support/policy-arbitraries.ts";

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
  return parsed.policy;
}

const CATALOGUE = [
  { command: "a.b", aliases: [], tier: "observe" as const },
  { command: "a.c", aliases: ["b.c"], tier: "modify" as const },
];
const diff = (before: Policy, after: Policy) => diffPolicies(before, after, () => CATALOGUE);

const policies = blockArbitrary
  .map((block) => parsePolicy(policyText(block)))
  .filter((parsed) => "policy" in parsed)
  .map((parsed) => ("policy" in parsed ? parsed.policy : policyOf("")));

describe("over random policies", () => {
  test("a policy does not differ from itself", () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const found = diff(policy, policyOf(policy.text));
        expect([found.changes, found.routes]).toEqual([[], []]);
      }),
      { numRuns: fuzzRuns(20) },
    );
  }, 120_000);

  test("no request differs where nothing is reported, and none is let through where nothing is wider", () => {
    let differing = 0;
    fc.assert(
      fc.property(
        policies,
        policies,
        fc.array(classificationArbitrary, { minLength: 30, maxLength: 60 }),
        (one, two, asked) => {
          const found = diff(one, two);
          for (const classification of asked) {
            const change = {
              from: decide(one, classification).action,
              to: decide(two, classification).action,
            };
            if (change.from === change.to) continue;
            differing += 1;
            expect(found.changes.length + found.unknown.length).toBeGreaterThan(0);
            if (isWidening(change)) expect(found.isWider).toBe(true);
          }
        },
      ),
      { numRuns: fuzzRuns(60) },
    );
    expect(differing).toBeGreaterThan(100);
  }, 120_000);
});

const BLOCK = (rules: string, inspect = '["*.example.com"]', scopes = "") => `
gcloud:
  inspect: ${inspect}
  default: escalate
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify] }
${scopes}
  rules:
${rules}
`;
const READS = "    allow: { groups: [read] }";

describe("what is reported", () => {
  const rows: [what: string, before: string, after: string, expected: Record<string, unknown>][] = [
    [
      "nothing for a comment",
      BLOCK(READS),
      `# hello\n${BLOCK(READS)}`,
      { changes: [], routes: [], isWider: false },
    ],
    [
      "a tier that is newly allowed",
      BLOCK(READS),
      BLOCK("    allow: { groups: [read, write] }"),
      {
        isWider: true,
        changes: [
          {
            protocol: "gcloud",
            from: "escalate",
            to: "allow",
            operations: ["a.c"],
            others: ["operations that no rule names, of tier modify"],
            scopes: [],
          },
        ],
      },
    ],
    [
      "a command that is newly denied, as no wider",
      BLOCK(READS),
      BLOCK(`${READS}\n    deny: { commands: [a.b] }`),
      { isWider: false },
    ],
    [
      "an entry for some projects, only there",
      BLOCK(
        READS,
        '["*.example.com"]',
        '  projects: [{ names: ["dev-*"], rules: { allow: { groups: [read] } } }]',
      ),
      BLOCK(
        READS,
        '["*.example.com"]',
        '  projects: [{ names: ["dev-*"], rules: { allow: { groups: [read, write] } } }]',
      ),
      { isWider: true },
    ],
    [
      "a host that is no longer looked into",
      BLOCK(READS, '["*.example.com", "a.test"]'),
      BLOCK(READS),
      {
        isWider: true,
        routes: [{ entry: "a.test", from: "gcloud", to: "splice", effect: "wider" }],
      },
    ],
    [
      "a host that is newly looked into, as no wider",
      BLOCK(READS),
      BLOCK(READS, '["*.example.com", "a.test"]'),
      {
        isWider: false,
        routes: [{ entry: "a.test", from: "splice", to: "gcloud", effect: "narrower" }],
      },
    ],
    [
      "an entry that a wider one replaces, as nothing",
      BLOCK(READS, '["a.example.com"]'),
      BLOCK(READS),
      {
        changes: [],
        isWider: false,
      },
    ],
  ];
  for (const [what, before, after, expected] of rows)
    test(what, () => expect(diff(policyOf(before), policyOf(after))).toMatchObject(expected));

  test("the scopes of a change are named", () => {
    const list = (groups: string) =>
      `  projects: [{ names: ["dev-*"], rules: { allow: { groups: [${groups}] } } }]`;
    const [one, two] = [list("read"), list("read, write")].map((text) => policyOf(BLOCK(READS, "[]", text)));
    if (one === undefined || two === undefined) throw new Error("two policies were made");
    const scopes = diff(one, two).changes.flatMap((change) => change.scopes.flatMap(({ cells }) => cells));
    expect(scopes).toContain("project dev-*");
    expect(scopes).not.toContain("any other project");
  });

  test("policies of a hundred commands are compared, and what they promise is proven", () => {
    const commands = Array.from({ length: 100 }, (_, index) => `w${index}.run`);
    const one = policyOf(
      BLOCK(`    allow: { commands: [${commands.join(", ")}] }\n    deny: { commands: [a.c] }`),
    );
    const two = policyOf(
      BLOCK(`    allow: { commands: [${commands.slice(1).join(", ")}] }\n    deny: { commands: [a.c] }`),
    );
    expect(diff(one, one)).toMatchObject({ changes: [], unknown: [], isWider: false });
    expect(diff(one, two)).toMatchObject({ unknown: [], isWider: false });
    expect(diff(two, one)).toMatchObject({ unknown: [], isWider: true });
    const never = (command: string) =>
      checkNever(one, { command, scope: undefined, protocol: undefined }, () => [
        ...CATALOGUE,
        ...commands.map((each) => ({ command: each, aliases: [], tier: "modify" as const })),
      ]);
    expect(never("a.c")).toMatchObject({ broken: [], unknown: [] });
    expect(never("w7.run").broken.length).toBeGreaterThan(0);
  }, 120_000);

  test("patterns that overlap in too many ways count as wider", () => {
    const commands = Array.from(
      { length: 14 },
      (_, index) => `"*${"abcdefghijklmn"[index]}???????????*"`,
    ).join(", ");
    const policy = policyOf(BLOCK(`    allow: { commands: [${commands}] }`));
    expect(diff(policy, policy)).toMatchObject({ isWider: true, changes: [] });
  });
});
