// The policies of examples/ load without a warning, pass their own tests, and have nothing odd
// about them; the commands of the CI workflow are ones that iddio has.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/registry.ts";
import { lintPolicy } from "../../src/policy/lint/lint.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import { parsePolicyTests } from "../../src/policy/test/cases.ts";
import { runPolicyTests } from "../../src/policy/test/run.ts";
import { classifierFor } from "../../src/protocols/registry.ts";

const EXAMPLES = join(import.meta.dir, "../../examples");
const folders = readdirSync(EXAMPLES).filter((name) => name !== "ci");

for (const name of folders)
  test(`the policy of ${name} keeps what its tests say`, () => {
    const parsed = parsePolicy(readFileSync(join(EXAMPLES, name, "policy.yaml"), "utf8"));
    if ("problems" in parsed) throw new Error(parsed.problems[0]?.message);
    expect(parsed.warnings).toEqual([]);
    const tests = parsePolicyTests(readFileSync(join(EXAMPLES, name, "policy.test.yaml"), "utf8"));
    if ("problems" in tests) throw new Error(tests.problems[0]?.message);
    const failed = runPolicyTests(parsed.policy, tests.tests).filter(({ failures }) => failures.length > 0);
    expect(failed.map(({ test: { note }, failures }) => ({ note, failures }))).toEqual([]);
    const odd = lintPolicy(parsed.policy, (protocol) => classifierFor(protocol).operations?.() ?? []);
    expect(odd.filter(({ kind }) => kind !== "wider-than-deny")).toEqual([]);
  }, 120_000);

test("the CI workflow runs commands that iddio has", () => {
  const text = readFileSync(join(EXAMPLES, "ci", "policy.yml"), "utf8");
  const used = [...text.matchAll(/iddio (policy \w+)/g)].map((match) => match[1]);
  const known = COMMANDS.map(({ name }) => name);
  expect(used.length).toBeGreaterThan(3);
  expect(used.filter((name) => !known.includes(name ?? ""))).toEqual([]);
});
