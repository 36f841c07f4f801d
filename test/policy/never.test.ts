import { describe, expect, test } from "bun:test";
import type { Protocol } from "../../src/model/protocol.ts";
import { checkNever } from "../../src/policy/compare/never.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import { classifierFor } from "../../src/protocols/registry.ts";

const HEAD = `kubectl:
  inspect: ["*.example.com"]
  groups:
    read: { tiers: [observe] }
    secret: { tiers: [sensitive] }
`;
const RULES = "  rules: { allow: { groups: [read] }, escalate: { groups: [secret] } }\n";
const DEV = '  namespaces: [{ names: ["dev-*"], rules: { allow: { groups: [read, secret] } } }]\n';

describe("a policy never allows a command without asking", () => {
  const rows: [what: string, policy: string, command: string, scope: string | undefined, holds: boolean][] = [
    ["where the tier is asked about", HEAD + RULES, "secrets get", undefined, true],
    ["and reads are another matter", HEAD + RULES, "pods get", undefined, false],
    ["unless an entry allows it", HEAD + DEV + RULES, "secrets get", undefined, false],
    ["in the scopes of no such entry", HEAD + DEV + RULES, "secrets get", "prod-*", true],
    ["which an overlapping name is", HEAD + DEV + RULES, "secrets get", "*-1", false],
    ["for a resource that no catalogue has", HEAD + RULES, "widgets.example.com get", undefined, false],
    ["whose verb says what it does at least", HEAD + RULES, "widgets.example.com delete", undefined, true],
    ["also by its tool", HEAD + RULES, "kubectl delete widgets.example.com", undefined, true],
    ["in kubectl's order of words", HEAD + DEV + RULES, "get secrets", "dev-1", false],
    [
      "when a rule names the command itself",
      `${HEAD}  rules: { allow: { commands: ["secrets *"] } }\n`,
      "secrets get",
      undefined,
      false,
    ],
    [
      "when a deny stands above",
      `${HEAD}  rules: { allow: { groups: [read, secret] }, deny: { commands: ["secrets get"] } }\n`,
      "secrets get",
      undefined,
      true,
    ],
  ];
  for (const [what, text, command, scope, holds] of rows)
    test(what, () => {
      const parsed = parsePolicy(text);
      if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
      const catalogue = (protocol: Protocol) => classifierFor(protocol).operations?.() ?? [];
      const result = checkNever(parsed.policy, { command, scope, protocol: undefined }, catalogue);
      expect([result.broken.length === 0 && result.unknown.length === 0, result.decided > 0]).toEqual([
        holds,
        true,
      ]);
      for (const { verdict } of result.broken) expect(verdict.action).toBe("allow");
    });
});

describe("a claim about nothing is not proven", () => {
  const catalogue = (protocol: Protocol) => classifierFor(protocol).operations?.() ?? [];
  const check = (text: string, command: string, protocol?: Protocol) => {
    const parsed = parsePolicy(text);
    if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
    return checkNever(parsed.policy, { command, scope: undefined, protocol }, catalogue);
  };
  const SSH = 'ssh:\n  inspect: ["host.example.com"]\n';

  test("a misspelt command is told, with the nearest known one", () => {
    const { unknown, decided } = check(HEAD + RULES, "secrets gett");
    expect([decided, unknown]).toEqual([
      0,
      ["'secrets gett' is not an operation of kubectl; did you mean 'secrets get'?"],
    ]);
  });

  test("also where a block takes every name, unless that is the one that is meant", () => {
    expect(check(HEAD + RULES + SSH, "secrets gett").unknown).toContain("if ssh is meant: --protocol ssh");
    expect(check(HEAD + RULES + SSH, "rm", "ssh")).toMatchObject({ broken: [], unknown: [] });
  });

  test("a type that is nearly one of Kubernetes' own is decided, and pointed out", () => {
    const { unknown, remarks, decided } = check(HEAD + RULES, "secretz get");
    expect(unknown).toEqual([]);
    expect(decided).toBeGreaterThan(0);
    expect(remarks.join()).toContain("did you mean 'secrets get'?");
  });

  test("a protocol without a block passes unread", () => {
    const { unknown } = check(HEAD + RULES, "s3:DeleteObject", "aws");
    expect(unknown).toEqual(["the policy has no such block, so these connections pass unread"]);
  });

  test("a tool's spelling is the claim about what the tool sends", () => {
    expect(check(HEAD + RULES, "kubectl get secret")).toMatchObject({ broken: [], unknown: [] });
    expect(check(HEAD + DEV + RULES, "kubectl get secret").broken.length).toBeGreaterThan(0);
  });
});
