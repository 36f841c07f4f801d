// `iddio policy test`: runs policy.test.yaml against a policy, without a daemon. Exit code 0 when
// every case passes, 1 when one fails, 2 when the files cannot be used.

import { type Command, JSON_FLAG } from "../../cli/kit/command.ts";
import type { Output } from "../../cli/kit/output.ts";
import { UserError } from "../../model/user-error.ts";
import type { RuleCoverage, TestResult } from "../../policy/test/run.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { POLICY_FLAG, readPolicy, readTextFile } from "./read-policy.ts";

/** Runs the cases; with `--watch` again whenever one of the files changes. */
export const policyTestCommand: Command = {
  name: "policy test",
  summary: "Run the test cases of a policy",
  flags: [
    POLICY_FLAG,
    {
      name: "tests",
      value: "file",
      completes: "file",
      summary: "The cases; policy.test.yaml beside the policy unless given",
    },
    { name: "coverage", summary: "List the rules that no case reaches" },
    { name: "junit", value: "file", completes: "file", summary: "Write a JUnit report" },
    { name: "watch", summary: "Run again whenever a file changes" },
    JSON_FLAG,
  ],
  details: [
    "A case says what is given and what is wanted:",
    "",
    "  - note: agents may not read secrets",
    "    given: { argv: kubectl get secret db -n payments }",
    "    want: { action: escalate, tier: sensitive }",
    "",
    "Given is an argv, a request ('GET https://host/path', or method, url, headers and body) or an ask (protocol, tier,",
    "command, labels). Wanted is an action, and if you like a tier and the path of the deciding rule.",
  ],
  examples: ["iddio policy test --policy policy.yaml --tests policy.test.yaml --coverage"],
  async run({ flags, output, paths, interrupted }) {
    const policyPath = flags.text("policy") ?? paths.policy;
    const testsPath = flags.text("tests") ?? policyPath.replace(/(\.ya?ml)?$/, ".test.yaml");
    const options = {
      isJson: flags.has("json"),
      hasCoverage: flags.has("coverage"),
      junit: flags.text("junit"),
      isWatching: flags.has("watch"),
    };
    const runOnce = () => runTests(policyPath, testsPath, options, output);
    if (!flags.has("watch")) return (await runOnce()) ? 0 : 1;
    await watchFiles([policyPath, testsPath], interrupted(), async () => {
      await runOnce().catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        if (options.isJson) output.jsonLine({ problem: error.message });
        else output.note(`${error.message}; waiting for the next change`);
      });
    });
    return 0;
  },
};

interface TestOptions {
  readonly isJson: boolean;
  readonly hasCoverage: boolean;
  readonly junit: string | undefined;
  /** Then each run is one line of JSON. */
  readonly isWatching: boolean;
}

async function runTests(
  policyPath: string,
  testsPath: string,
  { isJson, hasCoverage, junit, isWatching }: TestOptions,
  output: Output,
): Promise<boolean> {
  const policy = await readPolicy(policyPath);
  const text = await readTextFile(testsPath, "test file");
  const { parsePolicyTests } = await import("../../policy/test/cases.ts");
  const parsed = parsePolicyTests(text);
  if ("problems" in parsed) {
    const { problemLines } = await import("./problems.ts");
    if (!isJson || !isWatching)
      for (const line of problemLines(testsPath, parsed.problems)) output.note(line);
    throw new UserError(`'${testsPath}' has problems`, {
      hint: "see: iddio policy test --help",
      exitCode: 2,
    });
  }
  if (parsed.tests.length === 0)
    throw new UserError(`'${testsPath}' has no cases`, {
      hint: "see: iddio policy test --help",
      exitCode: 2,
    });
  const { coverageOf, runPolicyTests } = await import("../../policy/test/run.ts");
  const results = runPolicyTests(policy, parsed.tests);
  const coverage = coverageOf(policy, results);
  const failed = results.filter(({ failures }) => failures.length > 0);
  if (junit !== undefined) {
    const { renderJunit } = await import("../../policy/test/junit.ts");
    await writeReport(junit, renderJunit(testsPath, results), [policyPath, testsPath]);
  }
  const print = (report: unknown) => (isWatching ? output.jsonLine(report) : output.json(report));
  if (isJson)
    print({
      passed: results.length - failed.length,
      failed: failed.length,
      cases: results.map(({ test, failures, classification, verdict }) => ({
        note: test.note,
        line: test.at.line,
        failures,
        ...(failures.length > 0 && verdict !== undefined ? { because: verdict.reason } : {}),
        action: verdict?.action ?? "splice",
        tier: classification?.tier,
        rule: verdict?.rule,
      })),
      ...(hasCoverage ? { uncovered: coverage.filter(({ isReached }) => !isReached) } : {}),
    });
  else printResults(output, testsPath, results, failed, hasCoverage ? coverage : undefined);
  return failed.length === 0;
}

/** Throws rather than write over an input of the report. */
async function writeReport(path: string, text: string, inputs: readonly string[]): Promise<void> {
  const { resolve } = await import("node:path");
  const { writeFile } = await import("node:fs/promises");
  if (inputs.some((each) => resolve(each) === resolve(path)))
    throw new UserError(`the report would be written over '${path}'`, {
      hint: "name another file",
      exitCode: 2,
    });
  await writeFile(path, text).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`the report cannot be written: ${reason}`, { hint: "name another file" });
  });
}

function printResults(
  output: Output,
  path: string,
  results: readonly TestResult[],
  failed: readonly TestResult[],
  coverage: readonly RuleCoverage[] | undefined,
): void {
  for (const { test, failures, verdict } of failed) {
    output.line(`FAILED ${path}:${test.at.line}: ${escapeForTerminal(test.note)}`);
    for (const failure of failures) output.line(`  ${escapeForTerminal(failure)}`);
    if (verdict !== undefined)
      output.line(`  because ${escapeForTerminal(verdict.reason)} (policy line ${verdict.line})`);
  }
  output.line(`${results.length - failed.length} passed, ${failed.length} failed`);
  if (coverage === undefined) return;
  const missed = coverage.filter(({ isReached }) => !isReached);
  output.line(`${coverage.length - missed.length} of ${coverage.length} rules reached`);
  for (const { path: rule, line } of missed) output.line(`  not reached: ${rule} (line ${line})`);
}

/** Runs now and after every change of one of the files, until aborted. Watches folders: editors save by renaming. */
async function watchFiles(
  files: readonly string[],
  signal: AbortSignal,
  run: () => Promise<void>,
): Promise<void> {
  const { watch } = await import("node:fs");
  const { basename, dirname } = await import("node:path");
  let isDue = true;
  let wake = (): void => undefined;
  const watchers = files.map((file) =>
    watch(dirname(file), (_event, name) => {
      if (name !== null && name !== basename(file)) return;
      isDue = true;
      wake();
    }),
  );
  signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      if (isDue) {
        isDue = false;
        await run();
      } else
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (isDue || signal.aborted) resolve();
        });
    }
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}
