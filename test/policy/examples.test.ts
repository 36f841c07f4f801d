// The policies of examples/ load without a warning, pass their own tests, and have nothing odd
// about them; the CI workflow beside them passes with each, step by step.

import { expect, test } from "bun:test";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { knownNames } from "../../src/policy/compare/catalogue.ts";
import { isRemark, lintPolicy } from "../../src/policy/lint/lint.ts";
import { parsePolicy } from "../../src/policy/parse/parse.ts";
import { parsePolicyTests } from "../../src/policy/test/cases.ts";
import { runPolicyTests } from "../../src/policy/test/run.ts";
import { builtBinary } from "../support/built-binary.ts";
import { COMPILED_ONCE } from "../support/clients.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

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
    const odd = lintPolicy(parsed.policy, knownNames);
    expect(odd.filter((finding) => !isRemark(finding))).toEqual([]);
  }, 120_000);

for (const name of folders)
  test(`the CI workflow passes on a pull request that changes nothing of ${name}`, async () => {
    await using folder = await temporaryDirectory();
    for (const file of ["policy.yaml", "policy.test.yaml"])
      copyFileSync(join(EXAMPLES, name, file), join(folder.path, file));
    const workflow = readFileSync(join(EXAMPLES, "ci", "policy.yml"), "utf8");
    const steps = [...workflow.matchAll(/^ {6}- run: (.*)$/gm)].map(([, step = ""]) =>
      step.startsWith("git show ") ? "cp policy.yaml main.yaml" : step.replace(/^iddio /, '"$IDDIO" '),
    );
    expect(steps.length).toBeGreaterThan(5);
    const run = Bun.spawnSync(["sh", "-exc", `${steps.join("\n")}`], {
      cwd: folder.path,
      stderr: "pipe",
      env: {
        ...{ PATH: process.env.PATH ?? "", HOME: folder.path, IDDIO_HOME: folder.path, IDDIO: builtBinary() },
        ...COMPILED_ONCE,
      },
    });
    expect(`${run.stdout}${run.stderr}exit ${run.exitCode}`).toEndWith("exit 0");
    expect(readFileSync(join(folder.path, "policy-tests.xml"), "utf8")).toContain('failures="0"');
  }, 120_000);
