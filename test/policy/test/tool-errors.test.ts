// Questions about nothing are told as such: a case about a name that no request has, a promise
// about a slip, a replay of no rows. A clean answer to them would look like a proof.

import { describe, expect, test } from "bun:test";
import { isEmptyReplay, replayLines } from "../../../src/features/policy/replay-report.ts";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { checkNever } from "../../../src/policy/compare/never.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import type { Policy } from "../../../src/policy/policy.ts";
import { Replay } from "../../../src/policy/replay/replay.ts";
import { parsePolicyTests } from "../../../src/policy/test/cases.ts";
import { withArticle } from "../../../src/text/article.ts";

const LIMIT = 300_000;

function policyOf(text: string): Policy {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

describe("the command of an ask in a case is a name that requests have", () => {
  const rows: readonly (readonly [protocol: string, command: string, hint: string | undefined])[] = [
    ["kubectl", "pods delet", "did you mean 'pods delete'?"],
    [
      "kubectl",
      "kubectl delete pod",
      "the requests that it stands for are called, for example, 'pods delete'",
    ],
    ["kubectl", "pods *", "name one that it matches"],
    ["aws", "s3:DeletObject", "did you mean 's3:DeleteObject'?"],
    ["kubectl", "pods delete", undefined],
    ["kubectl", "widgets delete", undefined],
    ["github", "repo delete", undefined],
    ["generic", "PROPFIND", undefined],
    ["mcp", "anything", undefined],
  ];
  for (const [protocol, command, hint] of rows)
    test(
      `${protocol}: ${command}`,
      () => {
        const tests = parsePolicyTests(
          `- given: { ask: { protocol: ${protocol}, tier: sensitive, command: ${JSON.stringify(command)} } }\n  want: { action: deny }\n`,
        );
        expect("problems" in tests ? tests.problems.map((one) => one.hint) : undefined).toEqual(
          hint === undefined ? undefined : [hint],
        );
      },
      LIMIT,
    );
});

test(
  "a promise about a slip holds for no protocol, also where gcloud is one of them",
  () => {
    const policy = policyOf(
      "kubectl:\n  inspect: [k.example.com]\ngcloud:\n  inspect: [g.example.com]\n  default: deny\n",
    );
    const never = (command: string) =>
      checkNever(policy, { command, scope: undefined, protocol: undefined }, knownNames);
    expect(never("secretz get").unknown.join()).toContain("did you mean 'secrets get'?");
    expect(never("secrets get").unknown).toEqual([]);
    expect(never("gcloud compute ssh").unknown).toEqual([]);
  },
  LIMIT,
);

test("a replay of no rows says so", () => {
  const policy = policyOf("kubectl:\n  inspect: [k.example.com]\n");
  const report = new Replay(policy, policy, "v1").report();
  expect(isEmptyReplay(report)).toBe(true);
  expect(replayLines(report)).toEqual(["the log has no request of that time to decide again"]);
});

test("labels have their article", () => {
  expect(["org", "account", "repo", "agent", "user", "zone"].map(withArticle)).toEqual([
    "an org",
    "an account",
    "a repo",
    "an agent",
    "a user",
    "a zone",
  ]);
});
