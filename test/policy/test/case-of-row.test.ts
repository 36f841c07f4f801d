// A row of the audit log becomes a case that the policy which wrote the row passes.

import { expect, test } from "bun:test";
import type { Entry, EntryFields } from "../../../src/model/entry.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";
import { caseOfRow } from "../../../src/policy/test/case-of-row.ts";
import { parsePolicyTests } from "../../../src/policy/test/cases.ts";
import { runPolicyTests } from "../../../src/policy/test/run.ts";

const POLICY =
  "kubectl:\n  inspect: [k.example.com]\n  groups: { read: { tiers: [observe] } }\n  rules:\n    allow: { groups: [read] }\n";

function row(fields: EntryFields): Entry {
  return {
    timestamp_ms: 1,
    op: "mitm",
    hash: "abc",
    fields: { host: "k.example.com", port: 443, protocol: "kubectl", ...fields },
  };
}

const rows: readonly (readonly [what: string, fields: EntryFields, given: string])[] = [
  [
    "a read",
    {
      method: "GET",
      path: "/api/v1/pods?limit=5",
      tier: "observe",
      command: "pods list",
      spanned_scopes: ["namespace"],
      decision: "allow",
    },
    "request",
  ],
  [
    "what a person allowed",
    {
      method: "DELETE",
      path: "/api/v1/namespaces/dev/pods/a",
      tier: "sensitive",
      command: "pods delete",
      labels: { namespace: "dev" },
      decision: "allow",
      approval_id: "a1",
    },
    "request",
  ],
  [
    "what has other names, and scopes that it does not name",
    {
      method: "POST",
      path: "/",
      tier: "observe",
      command: "a b",
      aliases: ["a:B"],
      unnamed_scopes: ["namespace"],
      spanned_scopes: ["agent"],
      decision: "allow",
    },
    "ask",
  ],
  [
    "what carries several operations",
    {
      tier: "modify",
      command: "batch",
      parts: [
        { tier: "observe", command: "pods get", labels: { namespace: "dev" } },
        { tier: "modify", command: "pods create", labels: {}, aliases: ["x"] },
      ],
      decision: "escalate",
    },
    "ask",
  ],
  [
    "a row of the observe log",
    { tier: "sensitive", command: "pods delete", would_be_decision: "escalate" },
    "ask",
  ],
  [
    "what only the body told",
    {
      method: "POST",
      path: "/api/v1/namespaces/dev/pods",
      tier: "break-glass",
      command: "pods create",
      labels: { namespace: "dev" },
      decision: "escalate",
    },
    "ask",
  ],
];

for (const [what, fields, given] of rows)
  test(`${what} becomes a case that passes`, () => {
    const text = caseOfRow(row(fields)) ?? "";
    expect(text).toContain(`{ ${given}: `);
    const [policy, tests] = [parsePolicy(POLICY), parsePolicyTests(text)];
    if (!("policy" in policy) || !("tests" in tests)) throw new Error(text);
    expect(runPolicyTests(policy.policy, tests.tests).map(({ failures }) => failures)).toEqual([[]]);
  });

test("a row about no request is no case", () => {
  expect(
    caseOfRow({ timestamp_ms: 1, op: "control", hash: "x", fields: { command: "policy edit" } }),
  ).toBeUndefined();
});
