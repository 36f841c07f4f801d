// Suggestions from a log: commands that people allowed often, in the scopes in which they did;
// nothing that was denied, seen once, sensitive or break-glass; and nothing beyond the seen
// requests, which is proven for each suggestion.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { stringify } from "yaml";
import type { Entry, EntryFields } from "../../../src/model/entry.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { DEFAULT_POLICY } from "../../../src/policy/default-policy.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { recordedRequest } from "../../../src/policy/replay/row-facts.ts";
import { Observations } from "../../../src/policy/suggest/observations.ts";
import { nameTokens } from "../../../src/policy/suggest/scope-names.ts";
import { suggest } from "../../../src/policy/suggest/suggest.ts";
import { fuzzRuns } from "../../support/fuzz-runs.ts";
import {
  type BlockObject,
  blockArbitrary,
  plainClassification,
} from "../../support/policy/policy-arbitraries.ts";

const catalogue = knownNames;
const day = (ms: number) => `day ${ms}`;

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(`${parsed.problems[0]?.message}\n${text}`);
  return parsed.policy;
}

const POLICY = `kubectl:
  inspect: [k.example.com]
  default: escalate
  groups:
    read: { tiers: [observe] } # reads
    admin: { tiers: [break-glass] }
  # our namespaces
  namespaces:
    # the old ones
    - names: ["staging-*"]
      rules:
        allow: { groups: [read] }
        deny: { groups: [admin] }
  rules:
    allow:
      groups: [read]
    deny:
      groups: [admin]
`;

let number = 0;
function approved(command: string, namespace: string | undefined, fields: EntryFields = {}): Entry {
  number += 1;
  const [resource = "", verb = ""] = command.split(" ");
  const path = `/api/v1/${namespace === undefined ? "" : `namespaces/${namespace}/`}${resource}/a`;
  const method = verb === "delete" ? "DELETE" : verb === "get" ? "GET" : "PUT";
  return {
    timestamp_ms: number,
    op: "mitm",
    hash: `h${number}`,
    fields: {
      request_id: `r${number}`,
      host: "k.example.com",
      port: 443,
      method,
      path,
      protocol: "kubectl",
      tier: "modify",
      command,
      labels: namespace === undefined ? {} : { namespace },
      classifier: "v1",
      decision: "allow",
      outcome: "approved",
      status: 200,
      ...fields,
    },
  };
}

function suggested(rows: readonly Entry[], text = POLICY) {
  const policy = policyOf(text);
  const observations = new Observations(policy);
  for (const row of rows) observations.add(row);
  return suggest(policy, observations.all, catalogue, day);
}

const times = (count: number, ...given: Parameters<typeof approved>) =>
  Array.from({ length: count }, () => approved(...given));

describe("what is learnt", () => {
  test("a command that people allowed twice, in its namespace, with a copy of the rules that hold there now", () => {
    number = 0;
    const { rules, text } = suggested(times(2, "configmaps update", "dev"));
    expect(rules).toMatchObject([
      {
        command: "configmaps update",
        count: 2,
        scope: { label: "namespace", name: "dev" },
        heldBack: undefined,
      },
    ]);
    expect(text).toBe(
      POLICY.replace(
        "  rules:\n    allow:\n      groups",
        `    - names: [dev]
      rules:
        allow:
          groups: [read]
          commands:
            - configmaps update # seen 2 times, day 1 to day 2
        deny:
          groups: [admin]
  rules:
    allow:
      groups`,
      ),
    );
  });

  test("in a namespace of a wider entry, before it, with its rules and below the remark above it", () => {
    const { text } = suggested(times(3, "services update", "staging-eu"));
    const [entry, old] = [text.indexOf("names: [staging-eu]"), text.indexOf('names: ["staging-*"]')];
    expect(entry).toBeGreaterThan(0);
    expect(entry).toBeLessThan(old);
    expect(text.indexOf("# the old ones")).toBeGreaterThan(entry);
  });

  test("into an entry that is for exactly these names", () => {
    const policy = POLICY.replace('["staging-*"]', "[dev]");
    const { text } = suggested(times(2, "services update", "dev"), policy);
    expect(text).toBe(
      policy.replace(
        "allow: { groups: [read] }\n        deny",
        "allow: { groups: [read], commands: [services update] }\n        deny",
      ),
    );
  });

  test("for names with a generated suffix by one pattern, from three on", () => {
    const pods = (count: number) =>
      Array.from({ length: count }, (_, index) => approved("services update", `preview-${1041 + index}`));
    expect(suggested(pods(2)).rules.map(({ heldBack }) => heldBack)).toEqual([
      "it was seen once",
      "it was seen once",
    ]);
    const { rules, text } = suggested(pods(3));
    expect(rules).toMatchObject([{ count: 3, scope: { name: "preview-[0-9][0-9][0-9][0-9]" } }]);
    expect(text).toContain('- names: ["preview-[0-9][0-9][0-9][0-9]"]');
  });

  test("what is in no namespace, by the rules of the block", () => {
    const { text } = suggested(times(2, "nodes update", undefined));
    expect(text).toContain("      groups: [read]\n      commands:\n        - nodes update # seen 2 times");
  });

  test("what ran in observe mode and would have been asked about", () => {
    const ran = { would_be_decision: "escalate" };
    expect(suggested(times(2, "services update", "dev", ran)).rules[0]?.heldBack).toBeUndefined();
  });

  test("into the default policy, of which every other line stays", () => {
    const { text } = suggested(
      times(2, "services update", "dev", { host: "c.eks.amazonaws.com" }),
      DEFAULT_POLICY,
    );
    const added = text.split("\n").filter((line) => !DEFAULT_POLICY.split("\n").includes(line));
    expect(text.split("\n").length).toBeGreaterThan(DEFAULT_POLICY.split("\n").length);
    expect(DEFAULT_POLICY.split("\n").filter((line) => !text.split("\n").includes(line))).toEqual([]);
    expect(added.join("\n")).toContain("services update");
  });
});

describe("what is told and not learnt", () => {
  const rows: readonly (readonly [what: string, rows: readonly Entry[], why: string, policy?: string])[] = [
    ["break-glass", times(9, "pods/exec create", "dev", { tier: "break-glass" }), "never learnt"],
    [
      "break-glass that is only asked about",
      times(9, "pods/exec create", "dev", { tier: "break-glass" }),
      "break-glass is never learnt",
      POLICY.replaceAll("deny:", "escalate:"),
    ],
    ["sensitive requests", times(9, "secrets get", "dev", { tier: "sensitive" }), "sensitive"],
    ["what was seen once", times(1, "services update", "dev"), "it was seen once"],
    [
      "what a person denied, too",
      [
        ...times(9, "services update", "dev"),
        approved("services update", "dev", { outcome: "denied", decision: "deny" }),
      ],
      "denied it",
    ],
    [
      "a pattern that covers a name in which it was denied",
      [
        ...["1041", "1042", "1043"].map((one) => approved("services update", `preview-${one}`)),
        approved("services update", "preview-1044", { outcome: "denied", decision: "deny" }),
      ],
      "denied it",
    ],
    [
      "what was seen with another tier",
      [...times(4, "services update", "dev"), ...times(1, "services update", "dev", { tier: "break-glass" })],
      "another tier",
    ],
    ["what a body can make sensitive", times(4, "pods update", "dev"), "deny sensitive first"],
    [
      "what could be break-glass, where that is not denied",
      times(4, "services update", "dev"),
      "deny break-glass first",
      POLICY.replaceAll("deny:", "escalate:"),
    ],
    ["what no rule allows", times(4, "x", "dev", { tier: "unknown" }), "cannot be classified"],
    [
      "what acts in every namespace",
      times(4, "services update", undefined, { spanned_scopes: ["namespace"] }),
      "every entry of the list",
    ],
  ];
  for (const [what, entries, why, policy = POLICY] of rows)
    test(what, () => {
      const { rules, text } = suggested(entries, policy);
      expect(text).toBe(policy);
      expect(rules.length).toBeGreaterThan(0);
      expect(rules.some(({ heldBack }) => heldBack?.includes(why))).toBe(true);
    });

  for (const [what, fields] of [
    ["nobody answered", { outcome: "timed_out", decision: "escalate" }],
    ["the policy refused", { outcome: "refused", decision: "deny" }],
    ["the upstream refused", { status: 403 }],
    ["failed", { outcome: "failed" }],
    ["the policy allows already", { tier: "observe", outcome: "allowed" }],
  ] as const)
    test(`nothing is said of what ${what}`, () =>
      expect(suggested(times(5, "services update", "dev", fields))).toEqual({ rules: [], text: POLICY }));

  test("methods of hosts that nobody knows", () => {
    const policy = "generic:\n  inspect: [a.example.com]\n";
    const post = {
      protocol: "generic",
      command: "POST",
      method: "POST",
      host: "a.example.com",
      labels: {},
    } as const;
    const { rules, text } = suggested(times(5, "x", "dev", post), policy);
    expect(text).toBe(policy);
    expect(rules[0]?.heldBack).toContain("'POST' is a method");
  });

  test("an AWS operation in no account, region or bucket", () => {
    const aws = {
      protocol: "aws",
      command: "ec2 start-instances",
      host: "ec2.amazonaws.com",
      labels: {},
    } as const;
    const policy = 'aws:\n  inspect: ["*.amazonaws.com"]\n';
    expect(suggested(times(5, "x", "dev", aws), policy).rules[0]?.heldBack).toContain("names no scope");
  });
});

test("a rule of AWS is for the region, and for the bucket of S3", () => {
  const policy =
    'aws:\n  inspect: ["*.amazonaws.com"]\n  groups: { admin: { tiers: [break-glass] } }\n  rules: { deny: { groups: [admin] } }\n';
  const row = (command: string, labels: Readonly<Record<string, string>>) => ({
    protocol: "aws" as const,
    command,
    host: "x.amazonaws.com",
    labels,
  });
  const ec2 = times(2, "x", "dev", row("ec2 start-instances", { service: "ec2", region: "eu-west-1" }));
  const inBucket = { service: "s3", region: "eu-west-1", bucket: "acme" };
  const s3 = times(2, "x", "dev", row("s3api put-object", inBucket));
  expect(suggested(ec2, policy).text).toMatch(
    /regions:\n +- names: \[eu-west-1\]\n(?:.*\n)*? +- ec2 start-instances # seen 2 times/,
  );
  expect(suggested(s3, policy).text).toMatch(
    /buckets:\n +- names: \[acme\]\n(?:.*\n)*? +- s3api put-object # seen 2 times/,
  );
  // The entry of the region is about the bucket, too: what would do nothing is not suggested.
  const both = suggested([...ec2, ...s3], policy);
  expect(both.rules.map(({ command, heldBack }) => [command, heldBack])).toEqual([
    ["ec2 start-instances", undefined],
    ["s3api put-object", "an entry of another list, which counts too, would still ask about it"],
  ]);
  expect(both.text).toBe(suggested(ec2, policy).text);
}, 120_000);

test("suggesting again after the suggestion was taken suggests nothing", () => {
  const rows = [...times(2, "services update", "dev"), ...times(2, "services update", "staging-eu")];
  const { text } = suggested(rows);
  expect(text).not.toBe(POLICY);
  expect(suggested(rows, text)).toEqual({ rules: [], text });
});

describe("names", () => {
  for (const [names, tokens] of [
    [
      ["dev", "test", "prod"],
      ["dev", "test", "prod"],
    ],
    [
      ["pr-101", "pr-102", "pr-103", "main"],
      ["pr-[0-9][0-9][0-9]", "main"],
    ],
    [
      ["pr-101", "pr-102"],
      ["pr-101", "pr-102"],
    ],
    [
      ["pr-1", "pr-2", "pr-3"],
      ["pr-1", "pr-2", "pr-3"],
    ],
    [
      ["prod-east1", "prod-west1", "prod-north"],
      ["prod-east1", "prod-west1", "prod-north"],
    ],
    [["b-1a2b3c", "b-9f8e7d", "b-0c1d2e"], [`b-${"[0-9a-f]".repeat(6)}`]],
    [
      ["a*-101", "a*-102", "a*-103"],
      ["a*-101", "a*-102", "a*-103"],
    ],
  ] as const)
    test(names.join(", "), () => expect(nameTokens(names).map(({ text }) => text)).toEqual([...tokens]));
});

test("over random policies and logs: what was allowed stays allowed, and all that is new was learnt", () => {
  let learnt = 0;
  fc.assert(
    fc.property(
      blockArbitrary,
      fc.array(
        fc.tuple(
          plainClassification,
          fc.constantFrom("approved", "approved", "approved", "approved", "denied", "timed_out"),
        ),
        {
          maxLength: 12,
        },
      ),
      fc.array(plainClassification, { minLength: 20, maxLength: 40 }),
      (block, seen, asked) => {
        const [g1, g2, g3] = [["observe"], ["modify"], ["sensitive"]].map((tiers) => ({ tiers }));
        const groups = { g1, g2, g3, never: { tiers: ["break-glass", "sensitive"] } };
        const guarded = (rules = {}) => ({ ...rules, deny: { groups: ["never"] } });
        const entries = (list: BlockObject["projects"]) =>
          list && { list: list.map(({ names, rules }) => ({ names, rules: guarded(rules) })) };
        const [projects, zones] = [entries(block.projects)?.list, entries(block.zones)?.list];
        const all = { ...block, groups, rules: guarded(block.rules), projects, zones };
        const parsed = parsePolicy(stringify({ gcloud: all }));
        if ("problems" in parsed) return;
        const { policy } = parsed;
        const observations = new Observations(policy);
        for (const [classification, outcome] of seen)
          for (let twice = 0; twice < 2; twice++) {
            const { protocol, command, aliases, labels } = classification;
            const tier = classification.tier === "observe" ? "observe" : "modify";
            const sent = { host: "x.googleapis.com", method: "GET", path: "/" };
            const fields = {
              ...sent,
              protocol,
              tier,
              command,
              aliases,
              labels,
              outcome,
            } as EntryFields;
            expect(recordedRequest(fields)).toBeDefined();
            observations.add({
              timestamp_ms: 1,
              op: outcome === "approved" ? "mitm" : "block",
              hash: "0",
              fields,
            });
          }
        const { rules, text } = suggest(
          policy,
          observations.all,
          () => ({ operations: [], open: "any" }),
          day,
        );
        const after = policyOf(text);
        const names = rules.flatMap(({ heldBack, command }) =>
          heldBack === undefined ? [command.toLowerCase()] : [],
        );
        learnt += names.length;
        for (const one of asked) {
          const [was, is] = [decide(policy, one).action, decide(after, one).action];
          if (was === is) continue;
          expect(is).toBe("allow");
          expect(one.tier).not.toBe("break-glass");
          expect([one.command, ...one.aliases].some((name) => names.includes(name.toLowerCase()))).toBe(true);
        }
      },
    ),
    { numRuns: fuzzRuns(150) },
  );
  expect(learnt).toBeGreaterThan(20);
}, 120_000);
