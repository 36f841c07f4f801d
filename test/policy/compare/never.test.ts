import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Protocol } from "../../../src/model/protocol.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { checkNever } from "../../../src/policy/compare/never.ts";
import { decide } from "../../../src/policy/decide/decide.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import { fuzzRuns, fuzzSeed } from "../../support/fuzz-runs.ts";
import { strangeNames } from "../../support/policy/carried-names.ts";

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
      const result = checkNever(parsed.policy, { command, scope, protocol: undefined }, knownNames);
      expect([result.broken.length === 0 && result.unknown.length === 0, result.decided > 0]).toEqual([
        holds,
        true,
      ]);
      for (const { verdict } of result.broken) expect(verdict.action).toBe("allow");
    });
});

describe("a claim about nothing is not proven", () => {
  const check = (text: string, command: string, protocol?: Protocol) => {
    const parsed = parsePolicy(text);
    if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
    return checkNever(parsed.policy, { command, scope: undefined, protocol }, knownNames);
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

  test("a type that is nearly one of Kubernetes' own is told, with it", () => {
    expect(check(HEAD + RULES, "secretz get").unknown.join()).toContain("did you mean 'secrets get'?");
    expect(check(HEAD + RULES, "secretz.example.com get")).toMatchObject({ unknown: [], remarks: [] });
  });

  test("a claim about command lines alone says so", () => {
    const { broken, remarks } = check("terraform:\n  inspect: []\n  default: deny\n", "terraform destroy");
    expect(broken).toEqual([]);
    expect(remarks.join()).toContain("it acts in hooks alone");
  });

  test("a claim about a scope that no such request is in proves nothing", () => {
    const parsed = parsePolicy(HEAD + DEV + RULES);
    if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
    const claim = { command: "nodes get", scope: "prod-*", protocol: undefined };
    const { decided, unknown } = checkNever(parsed.policy, claim, knownNames);
    expect(decided).toBe(0);
    expect(unknown.join()).toContain("no request called 'nodes get' is in a namespace");

    const blocks = ["gcloud", "fly", "aws"].map((one) => `${one}:\n  inspect: []\n  default: deny\n`);
    const several = parsePolicy(HEAD + RULES + blocks.join(""));
    if ("problems" in several) throw new Error(several.problems[0]?.message);
    const elsewhere = { command: "secrets get", scope: "bucket=logs-*", protocol: undefined };
    expect(checkNever(several.policy, elsewhere, knownNames).unknown).toEqual([
      expect.stringContaining("no request called 'secrets get' is in a bucket"),
    ]);
  });

  test("a scope is only taken for the kinds that its name can be of", () => {
    const places = (policy: string, command: string, scope: string, protocol: Protocol) => {
      const parsed = parsePolicy(policy);
      if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
      const { broken } = checkNever(parsed.policy, { command, scope, protocol }, knownNames);
      expect(broken.length).toBeGreaterThan(0);
      return new Set(
        broken.flatMap(({ classification: { labels } }) =>
          Object.keys(labels).filter((label) => labels[label] === scope),
        ),
      );
    };
    const aws = "aws:\n  inspect: []\n  default: allow\n";
    expect([...places(aws, "ec2 terminate-instances", "222222222222", "aws")]).toEqual(["account"]);
    expect(places(aws, "ec2 terminate-instances", "us-east-1", "aws").has("account")).toBe(false);
    const github = "github:\n  inspect: []\n  default: allow\n";
    expect([...places(github, "repos/delete", "acme/web", "github")]).toEqual(["repo"]);
  });

  test("a bare command of kubectl is the claim about every request of it", () => {
    const open = "kubectl:\n  inspect: []\n  default: allow\n";
    for (const command of ["kubectl delete", "delete", "kubectl get", "kubectl delete *"])
      expect(check(open, command).broken.length).toBeGreaterThan(0);
    const denying = (text: string) => `${open}  rules: { deny: { commands: [${text}] } }\n`;
    expect(check(denying("kubectl delete"), "* delete")).toMatchObject({ broken: [], unknown: [] });
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

describe("a request that is printed can be sent, and the policy allows it", () => {
  const never = (block: object, command: string, scope?: string, protocol: Protocol = "kubectl") => {
    const parsed = parsePolicy(
      JSON.stringify({ [protocol]: { inspect: [], default: "escalate", ...block } }),
    );
    if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
    return { policy: parsed.policy, ...checkNever(parsed.policy, { command, scope, protocol }, knownNames) };
  };

  test("no request has the names of two operations", () => {
    const { broken, decided } = never({ rules: { allow: { commands: ["configmaps get"] } } }, "secrets get");
    expect(broken).toEqual([]);
    expect(decided).toBeGreaterThan(0);
  });

  test("a name is one that requests carry, and a scope is spelled as people name scopes", () => {
    const { broken } = never(
      { namespaces: [{ names: ["staging-*"], rules: { allow: { commands: ["secrets *"] } } }] },
      "secrets get",
    );
    expect(broken.map(({ classification: { command, labels } }) => [command, labels.namespace])).toEqual([
      ["secrets get", "staging-x"],
    ]);
  });

  test("one object is not read in every namespace at once", () => {
    const block = {
      namespaces: [{ names: ["*"], rules: { deny: { commands: ["secrets *"] } } }],
      rules: { allow: { commands: ["secrets *"] } },
    };
    for (const { classification } of never(block, "secrets get").broken) {
      expect(classification.spannedScopes ?? []).toEqual([]);
      expect(classification.unnamedScopes ?? []).toEqual([]);
    }
  });

  test("over random rules and claims", () => {
    const PATTERNS: Readonly<Partial<Record<Protocol, readonly string[]>>> = {
      kubectl: ["secrets *", "* get", "pods/exec", "*", "get configmaps", "s* *", "x* delete", "drain"],
      aws: ["s3:*", "ec2 *", "s3 rm", "*Delete*", "*", "iam:CreateAccessKey"],
      github: ["repos/*", "git push", "mutation *", "*delete*", "gh pr merge", "query *"],
      fly: ["apps.*", "mutation deleteApp", "fly apps destroy", "deleteapp", "*"],
      cloudflare: ["dns.*", "graphql.*", "*.delete"],
      generic: ["GET", "p*", "DELETE"],
    };
    const cases = fc.constantFrom(...(Object.keys(PATTERNS) as Protocol[])).chain((protocol) => {
      const pattern = fc.constantFrom(...(PATTERNS[protocol] ?? []));
      const branch = fc.record({ commands: fc.array(pattern, { minLength: 1, maxLength: 3 }) });
      const rules = fc.dictionary(fc.constantFrom("allow", "escalate", "deny"), branch, { minKeys: 1 });
      return fc.tuple(fc.constant(protocol), rules, pattern);
    });
    let broke = 0;
    fc.assert(
      fc.property(cases, ([protocol, rules, command]) => {
        const { policy, broken } = never({ rules: { ...rules } }, command, undefined, protocol);
        for (const { classification } of broken) {
          broke += 1;
          expect(strangeNames(classification)).toEqual([]);
          expect(classification.command).toBe(classification.command.trim());
          expect(decide(policy, classification).action).toBe("allow");
        }
      }),
      // The same cases each time, in which claims are known to break; the soak tries others.
      { numRuns: fuzzRuns(40), seed: fuzzSeed(1) },
    );
    expect(broke).toBeGreaterThan(5);
  }, 120_000);
});
