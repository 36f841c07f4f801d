// Comparing two policies: exact where it says anything, in both directions, and wider wherever it
// cannot tell.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Protocol } from "../../../src/model/protocol.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { diffPolicies, isWidening } from "../../../src/policy/compare/diff.ts";
import { diffInspect } from "../../../src/policy/compare/diff-inspect.ts";
import { diffLines } from "../../../src/policy/compare/diff-lines.ts";
import { checkNever } from "../../../src/policy/compare/never.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { routeOf } from "../../../src/policy/decide/route.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { fuzzRuns, fuzzSeed } from "../../support/fuzz-runs.ts";
import { blockArbitrary, classificationArbitrary } from "../../support/policy/policy-arbitraries.ts";
import { compiledFrom, policyFrom } from "../../support/policy/policy-trees.ts";

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
  return parsed.policy;
}

const CATALOGUE = [
  { command: "a.b", aliases: [], tier: "observe" as const },
  { command: "a.c", aliases: ["b.c"], tier: "modify" as const },
];
/** Where any name may be carried, several by one request. */
const NAMES = { operations: CATALOGUE, open: "any" } as const;
const diff = (before: Policy, after: Policy) => diffPolicies(before, after, () => NAMES);

const policies = blockArbitrary
  .map((block) => compiledFrom({ gcloud: block }))
  .filter((parsed) => "policy" in parsed)
  .map((parsed) => ("policy" in parsed ? parsed.policy : policyOf("")));

describe("over random policies", () => {
  test("a policy does not differ from itself", () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const found = diff(policy, policyOf(policy.text));
        expect([found.changes, found.routes]).toEqual([[], []]);
      }),
      { numRuns: fuzzRuns(10) },
    );
  }, 120_000);

  test("no request differs where nothing is reported, and none is let through where nothing is wider", () => {
    let differing = 0;
    // The same policies each time: of some pairs a comparison takes twenty seconds.
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
      { numRuns: fuzzRuns(30), seed: fuzzSeed(1) },
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

describe("a block that only one of the policies has", () => {
  const OPEN = policyOf("kubectl:\n  inspect: [k.test]\n  default: allow\n");
  const NONE = policyOf("github:\n  inspect: [g.test]\n");
  const BOTH = policyOf(`${NONE.text}${OPEN.text}`);
  const GENERIC = policyOf(`${NONE.text}generic:\n  inspect: [a.test]\n  default: allow\n`);

  test("is about connections that passed unread, so only hooks let through more", () => {
    const lines = diffLines(diffPolicies(NONE, BOTH, knownNames));
    expect(lines).toContain("inspect: 'k.test' is newly looked into, by kubectl");
    for (const line of lines.filter((each) => each.includes("newly allowed")))
      expect(line).toContain("on command lines in hooks alone (connections passed unread before)");
    expect(diffPolicies(NONE, GENERIC, knownNames)).toMatchObject({ changes: [], isWider: false });
  });

  test("and its connections pass unread when it is deleted", () => {
    const lines = diffLines(diffPolicies(BOTH, NONE, knownNames));
    expect(lines.join()).toContain("'k.test' is no longer looked into");
    for (const line of lines.filter((each) => each.includes("newly asked about")))
      expect(line).toContain("on command lines in hooks alone (connections pass unread now)");
    expect(diffLines(diffPolicies(GENERIC, NONE, knownNames))).toEqual([
      "inspect: 'a.test' is no longer looked into (generic before): these connections pass unread",
      "the new policy lets through more",
    ]);
  });
});

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
            others: ["other operations, of tier modify"],
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
      checkNever(one, { command, scope: undefined, protocol: undefined }, () => ({
        operations: [
          ...CATALOGUE,
          ...commands.map((each) => ({ command: each, aliases: [], tier: "modify" as const })),
        ],
        open: "any",
      }));
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

describe("spellings of one command", () => {
  const rule = (protocol: Protocol, command: string) =>
    policyOf(
      JSON.stringify({
        [protocol]: { inspect: [], default: "allow", rules: { deny: { commands: [command] } } },
      }),
    );
  const rows: readonly (readonly [protocol: Protocol, ...spellings: string[]])[] = [
    ["kubectl", "pods delete", "delete pods", "kubectl delete pod", "delete po", "pod delete"],
    [
      "kubectl",
      "widgets.example.com delete",
      "delete widgets.v1.example.com",
      "kubectl delete widget.example.com",
    ],
    ["aws", "ec2 terminate-instances", "ec2:TerminateInstances", "aws ec2 terminate-instances"],
    ["aws", "s3 rm", "aws s3 rm"],
    ["github", "repo delete", "gh repo delete", "repos/delete"],
    ["gcloud", "compute.instances.delete", "gcloud compute instances delete"],
    ["cloudflare", "wrangler d1 delete", "d1 delete", "d1.database.delete"],
    ["fly", "fly app destroy", "apps destroy", "flyctl apps destroy"],
    ["terraform", "terraform destroy", "destroy"],
    ["helm", "helm del", "uninstall"],
  ];
  for (const [protocol, first = "", ...others] of rows)
    test(`of ${protocol}: ${[first, ...others].join(", ")}`, () => {
      for (const other of others)
        for (const [one, two] of [
          [first, other],
          [other, first],
        ] as const) {
          const found = diffPolicies(rule(protocol, one), rule(protocol, two), knownNames);
          expect(diffLines(found)).toEqual(["no decision differs"]);
        }
    }, 120_000);

  test("a renamed group and a reordered policy change nothing", () => {
    const text = BLOCK(READS);
    const renamed = text.replaceAll("read:", "look:").replaceAll("[read]", "[look]");
    const found = diffPolicies(policyOf(text), policyOf(renamed), knownNames);
    expect(diffLines(found)).toEqual(["no decision differs"]);
  });

  test("a rule that could only matter to a request with two names of two operations changes nothing", () => {
    const kubectl = (rules: object) =>
      policyOf(JSON.stringify({ kubectl: { inspect: [], default: "escalate", rules } }));
    const before = kubectl({ allow: { commands: ["configmaps get"] } });
    const after = kubectl({
      allow: { commands: ["configmaps get"] },
      escalate: { commands: ["secrets get"] },
    });
    expect(diffLines(diffPolicies(before, after, knownNames))).toEqual(["no decision differs"]);
  });
});

describe("which connections are looked into", () => {
  const lines = (before: object, after: object) =>
    diffLines(diffPolicies(policyFrom(before), policyFrom(after), () => NAMES)).filter(
      (line) => line.startsWith("inspect:") || line === "no decision differs",
    );
  const kubectl = (...inspect: string[]) => ({ kubectl: { inspect } });
  const rows: readonly (readonly [what: string, before: object, after: object, ...lines: string[]])[] = [
    [
      "one port is left",
      kubectl("k.test"),
      kubectl("k.test:6443"),
      "inspect: 'k.test' is no longer looked into at every port but 6443 (kubectl before): these connections pass unread",
    ],
    [
      "one port goes",
      kubectl("k.test:6443", "k.test:8443"),
      kubectl("k.test:6443"),
      "inspect: 'k.test:8443' is no longer looked into at port 8443 (kubectl before): these connections pass unread",
    ],
    [
      "every port comes",
      kubectl("k.test:6443"),
      kubectl("k.test"),
      "inspect: 'k.test' is newly looked into at every port but 6443, by kubectl",
    ],
    ["an entry within another", kubectl("*.test"), kubectl("*.test", "a.test"), "no decision differs"],
    ["a host that a suffix takes", kubectl("a.b.test", "*.test"), kubectl("*.test"), "no decision differs"],
    ["another order", kubectl("a.test", "b.test"), kubectl("b.test", "a.test"), "no decision differs"],
    [
      "an address inside a network",
      kubectl("10.0.0.0/8"),
      kubectl("10.0.0.0/9"),
      "inspect: '10.0.0.0/8' is no longer looked into (kubectl before): these connections pass unread",
    ],
    [
      "another protocol",
      { kubectl: { inspect: ["*.test"] }, generic: { inspect: [] } },
      { kubectl: { inspect: ["*.test"] }, generic: { inspect: ["a.test"] } },
      "inspect: 'a.test' is judged by generic, by kubectl before",
    ],
    [
      "an entry that is gone, where another takes over",
      { kubectl: { inspect: ["*.k.test"] }, aws: { inspect: ["*.test"] } },
      { kubectl: { inspect: [] }, aws: { inspect: ["*.test"] } },
      "inspect: '*.k.test' is judged by aws, by kubectl before",
    ],
    [
      "a pattern around a name that stays",
      { kubectl: { inspect: ["a.test"] }, aws: { inspect: ["a*.test"] } },
      { kubectl: { inspect: ["a.test"] }, aws: { inspect: [] } },
      "inspect: 'a*.test' is no longer looked into (aws before): these connections pass unread",
    ],
    [
      "a suffix around the shortest of its names, which stays",
      { kubectl: { inspect: ["a.k.test"] }, aws: { inspect: ["*.k.test"] } },
      { kubectl: { inspect: ["a.k.test"] }, aws: { inspect: [] } },
      "inspect: '*.k.test' is no longer looked into (aws before): these connections pass unread",
    ],
    [
      "a pattern of addresses around one that stays",
      { kubectl: { inspect: ["10.1.2.1"] }, aws: { inspect: ["10.1.2.*"] } },
      { kubectl: { inspect: ["10.1.2.1"] }, aws: { inspect: [] } },
      "inspect: '10.1.2.*' is no longer looked into (aws before): these connections pass unread",
    ],
    [
      "another user of SSH",
      { ssh: { inspect: ["ana@h.test"] } },
      { ssh: { inspect: ["ana@h.test", "bob@h.test"] } },
      "inspect: 'ana@h.test' lets in a user who was refused before",
    ],
  ];
  for (const [what, before, after, ...expected] of rows)
    test(what, () => expect(lines(before, after)).toEqual(expected));

  test("is told exactly where some connection is routed otherwise", () => {
    const entry = fc.constantFrom(
      ...["a.test", "b.test", "*.test", "*.b.test", "a*.test", "?.test", "10.0.0.0/8", "10.1.0.0/16"],
      ...["10.1.2.3", "a.test:8443", "*.test:8443", "10.0.0.0/8:8443", "*.b.test:*"],
    );
    const inspect = fc.array(entry, { maxLength: 4 });
    const hosts = ["a.test", "b.test", "x.b.test", "ab.test", "c.test", "cc.test", "10.1.2.3", "10.1.2.4"];
    const all = [...hosts, "10.2.0.1", "11.0.0.1", "elsewhere.example"];
    fc.assert(
      fc.property(inspect, inspect, inspect, inspect, (one, two, three, four) => {
        const before = policyFrom({ kubectl: { inspect: one }, aws: { inspect: two } });
        const after = policyFrom({ kubectl: { inspect: three }, aws: { inspect: four } });
        const differs = all.some((host) =>
          [443, 8443].some(
            (port) => routeOf(before, { host, port })?.protocol !== routeOf(after, { host, port })?.protocol,
          ),
        );
        expect(diffInspect(before, after).routes.length > 0).toBe(differs);
      }),
      { numRuns: fuzzRuns(300), examples: [[["a.test"], [], ["a.test"], ["a*.test"]]] },
    );
  }, 120_000);
});
