// Scopes in promises and in sentences: a promise may say the kind of its scope, and one that no
// request can be in proves nothing; a comparison tells runs, overlaps and the gravest first.

import { describe, expect, test } from "bun:test";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { diffPolicies } from "../../../src/policy/compare/diff.ts";
import { diffLines } from "../../../src/policy/compare/diff-lines.ts";
import { checkNever } from "../../../src/policy/compare/never.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { coverageOf } from "../../../src/policy/test/run.ts";

const LIMIT = 110_000;

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

const AWS = policyOf(`aws:
  inspect: ["*.example.com"]
  default: deny
  buckets:
    - names: ["logs-*"]
      rules: { allow: { commands: ["s3:PutObject"] } }
  accounts:
    - names: ["111111111111"]
      rules: { allow: { commands: ["ec2 terminate-instances"] } }
`);

describe("the scope of a promise", () => {
  const rows: readonly (readonly [command: string, scope: string, answer: "holds" | "broken" | "unknown"])[] =
    [
      ["ec2 terminate-instances", "account=111111111111", "broken"],
      ["ec2 terminate-instances", "accounts=2*", "holds"],
      ["ec2 terminate-instances", "bucket=logs-x", "unknown"],
      ["ec2 terminate-instances", "namespace=x", "unknown"],
      ["s3:PutObject", "bucket=logs-*", "broken"],
      ["s3:PutObject", "logs-*", "broken"],
      ["s3:PutObject", "bucket=other", "holds"],
    ];
  for (const [command, scope, answer] of rows)
    test(
      `${command} in ${scope}: ${answer}`,
      () => {
        const { broken, unknown } = checkNever(AWS, { command, scope, protocol: undefined }, knownNames);
        expect(broken.length > 0 ? "broken" : unknown.length > 0 ? "unknown" : "holds").toBe(answer);
        for (const { classification } of broken)
          expect(classification.labels.account ?? "1").not.toContain("logs");
      },
      LIMIT,
    );
});

const kubectl = (body: string) =>
  policyOf(`kubectl:\n  inspect: [k.example.com]\n  groups: { read: { tiers: [observe] } }\n${body}`);
const linesOf = (before: Policy, after: Policy) => diffLines(diffPolicies(before, after, knownNames));

describe("the sentences of a comparison", () => {
  test(
    "say runs and what is outside of any",
    () => {
      const before = kubectl("  rules: { allow: { groups: [read] } }\n");
      const after = kubectl(
        '  agents:\n    - names: ["ci-*"]\n      rules: { allow: { groups: [read], commands: [deployments patch] } }\n    - names: ["-"]\n      rules: { deny: { groups: [read] } }\n  rules: { allow: { groups: [read] } }\n',
      );
      const lines = linesOf(before, after);
      expect(lines[0]).toBe(
        "kubectl: newly allowed without asking: 1 operation: deployments patch, in runs called ci-*",
      );
      expect(lines[1]).toEndWith(", outside of a run");
      expect(lines.join("\n")).not.toContain("one agent and others");
    },
    LIMIT,
  );

  test(
    "name an overlap by its two patterns",
    () => {
      const both = (commands: string) =>
        kubectl(
          `  namespaces:\n    - names: ["dev-*"]\n      rules: { allow: { groups: [read] } }\n    - names: ["*-eu"]\n      rules: { deny: { groups: [read] } }\n  rules: { allow: { groups: [read], ${commands} } }\n`,
        );
      const before = both("commands: []");
      const after = policyOf(
        before.text.replace(
          '- names: ["dev-*"]\n      rules: { allow: { groups: [read] } }',
          '- names: ["dev-*-eu"]\n      rules: { deny: { groups: [read] } }\n    - names: ["dev-*"]\n      rules: { allow: { groups: [read] } }',
        ),
      );
      const text = linesOf(before, after).join("\n");
      expect(text).toContain("that also matches");
      expect(text).not.toContain("what is both");
    },
    LIMIT,
  );

  test(
    "tell what widens first, each once, and the tiers of one kind together",
    () => {
      const before = policyOf(
        "mcp:\n  default: escalate\naws:\n  inspect: [a.example.com]\n  default: allow\n",
      );
      const after = policyOf(
        "mcp:\n  default: allow\naws:\n  inspect: [a.example.com]\n  default: deny\ngeneric:\n  inspect: [new.example.com]\n",
      );
      const lines = linesOf(before, after);
      expect(lines[0]).toBe("mcp: newly allowed without asking: other operations, of any tier");
      expect(lines[1]).toContain("'new.example.com' is newly looked into");
      expect(lines[2]).toStartWith("aws: newly denied");
    },
    LIMIT,
  );

  test(
    "name the gravest operations",
    () => {
      const before = policyOf("aws:\n  inspect: [a.example.com]\n  default: escalate\n");
      const after = policyOf("aws:\n  inspect: [a.example.com]\n  default: allow\n");
      const [change] = diffPolicies(before, after, knownNames).changes;
      const first = knownNames("aws").operations.find(({ command }) => command === change?.operations[0]);
      expect(first?.tier).toBe("break-glass");
      expect(new Set(change?.operations).size).toBe(change?.operations.length ?? -1);
    },
    LIMIT,
  );
});

test(
  "a server of MCP that is newly believed counts as wider, as no enumeration covers it",
  () => {
    const before = policyOf("mcp:\n  default: escalate\n");
    const after = policyOf("mcp:\n  default: escalate\n  trust_annotations: [memory]\n");
    const diff = diffPolicies(before, after, knownNames);
    expect(diff.isWider).toBe(true);
    expect(diff.unknown.join()).toContain("'memory' is newly believed");
    expect(diffPolicies(after, before, knownNames).isWider).toBe(false);
  },
  LIMIT,
);

test("coverage lists no default that the file does not write", () => {
  const policy = policyOf("aws:\n  inspect: [a.example.com]\n  rules: { deny: { commands: [s3 rm] } }\n");
  expect(coverageOf(policy, []).map(({ path }) => path)).toEqual(["aws.rules.deny.commands[0]"]);
});
