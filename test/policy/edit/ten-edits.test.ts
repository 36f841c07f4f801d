// Twelve edits of the default policy, and what the comparison says about each: sentences for somebody
// who does not know YAML. The texts are what people read, so they are compared whole, but for the
// list of operations.

import { expect, test } from "bun:test";
import { knownNames } from "../../../src/policy/compare/catalogue.ts";
import { diffPolicies } from "../../../src/policy/compare/diff.ts";
import { diffLines } from "../../../src/policy/compare/diff-lines.ts";
import { DEFAULT_POLICY } from "../../../src/policy/default-policy.ts";
import { parsePolicy } from "../../../src/policy/parse/parse.ts";

function policyOf(text: string) {
  const parsed = parsePolicy(text);
  if ("problems" in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.policy;
}

const RULES = "  rules:\n    allow:\n      groups: [read]\n    escalate:\n      groups: [mutate, delete]";
const [, kubectl = ""] = DEFAULT_POLICY.split("\nkubectl:");
const edit = (from: string, to: string) => {
  expect(DEFAULT_POLICY).toContain(from);
  return DEFAULT_POLICY.replace(from, to);
};
const scoped = (rules: string) =>
  edit(RULES, `  namespaces:\n    - names: ["prod-*"]\n      rules: ${rules}\n${RULES}`);

const rows: readonly (readonly [what: string, text: () => string, lines: readonly RegExp[]])[] = [
  ["a remark", () => edit("# How to read it:", "# How to read this:"), [/^no decision differs$/]],
  [
    "changes are allowed",
    () =>
      edit(
        "groups: [read]\n    escalate:\n      groups: [mutate, delete]",
        "groups: [read, mutate]\n    escalate:\n      groups: [delete]",
      ),
    [
      /^kubectl: newly allowed without asking: \d+ operations, among them .*$/,
      /^the new policy lets through more$/,
    ],
  ],
  [
    "break-glass is asked about",
    () =>
      edit(
        "groups: [mutate, delete]\n    deny:\n      groups: [admin, exec]",
        "groups: [mutate, delete, admin, exec]",
      ),
    [/^kubectl: newly asked about, denied before: \d+ operations, among them .*$/, /lets through more$/],
  ],
  [
    "reads of secrets are denied",
    () =>
      edit(
        "groups: [admin, exec]\n\n# Google",
        "groups: [admin, exec]\n      commands: [secrets get]\n\n# Google",
      ),
    [
      /^kubectl: newly denied, asked about before: 1 operation: secrets get/,
      /^the new policy lets through no more$/,
    ],
  ],
  [
    "production may be read only",
    () => scoped("{ allow: { groups: [read] }, deny: { groups: [mutate, delete, admin, exec] } }"),
    [
      /^kubectl: newly denied, asked about before: \d+ operations.*, in namespace prod-\*, or in every namespace at once$/,
    ],
  ],
  [
    "one command is allowed in production",
    () => scoped("{ allow: { groups: [read], commands: [pods delete] }, deny: { groups: [admin, exec] } }"),
    [/^kubectl: newly allowed without asking: 1 operation: pods delete.*, in namespace prod-\*/],
  ],
  [
    "commands in pods are asked about, which stay denied by their tier",
    () =>
      edit(
        "[mutate, delete]\n    deny:\n      groups: [admin, exec]",
        "[mutate, delete, exec]\n    deny:\n      groups: [admin]",
      ),
    [
      /^kubectl: newly asked about, denied before: requests that cannot be classified and that (?!.*types that)/,
    ],
  ],
  [
    "one command of kubectl is allowed, and no other patch",
    () =>
      edit(
        "allow:\n      groups: [read]",
        "allow:\n      groups: [read]\n      commands: [rollout restart deployment]",
      ),
    [/^kubectl: newly allowed without asking: 1 operation: rollout restart deployments$/],
  ],
  [
    "a host is no longer looked into",
    () => edit('    - "*.gke.goog" # GKE\n', ""),
    [/^inspect: '\*\.gke\.goog' is no longer looked into \(kubectl before\): these connections pass unread$/],
  ],
  [
    "a host is newly looked into",
    () => edit('    - "*.gke.goog" # GKE\n', '    - "*.gke.goog" # GKE\n    - k.example.com\n'),
    [/^inspect: 'k\.example\.com' is newly looked into, by kubectl$/, /lets through no more$/],
  ],
  [
    "whatever no rule matches is denied",
    () =>
      edit(
        "  default: escalate\n\n  groups:\n    read:\n      tiers: [observe]\n    mutate:\n      tiers: [modify]\n    delete:",
        "  default: deny\n\n  groups:\n    read:\n      tiers: [observe]\n    mutate:\n      tiers: [modify]\n    delete:",
      ),
    [/^kubectl: newly denied, asked about before: .*cannot be classified/, /lets through no more$/],
  ],
  [
    "a protocol goes",
    () => DEFAULT_POLICY.replace(`kubectl:${kubectl.split("\n# Google")[0]}`, ""),
    [/^inspect: '\*\.eks\.amazonaws\.com' is no longer looked into/],
  ],
];

for (const [what, text, lines] of rows)
  test(what, () => {
    const found = diffLines(diffPolicies(policyOf(DEFAULT_POLICY), policyOf(text()), knownNames));
    for (const line of lines) expect(found).toContainEqual(expect.stringMatching(line));
    expect(found.every((line) => line.length < 600)).toBe(true);
  }, 120_000);
