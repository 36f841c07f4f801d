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
    ["for a resource that no catalogue has", HEAD + RULES, "widgets.example.com delete", undefined, false],
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
