// How the suite is run: no file is left out or run twice, what begins before the build starts no program, and the
// report that CI counts has the sums of both halves.

import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT, sourceFiles } from "../support/source-files.ts";
import { suiteHalves } from "../support/suite/halves.ts";
import { joinReports } from "../support/suite/junit-report.ts";

const { computing, programs } = suiteHalves();

test("every test file is in one half", () => {
  const named = [...new Bun.Glob("test/**/*.test.{ts,tsx}").scanSync({ cwd: PROJECT_ROOT })];
  expect([...computing, ...programs].sort()).toEqual(named.map((path) => `./${path}`).sort());
});

test("who starts a program, or imports what does, does not begin before the build", () => {
  for (const path of [
    "./test/cli/transcripts.test.ts",
    "./test/clients/kubectl.test.ts",
    "./test/features/console/pages.test.ts",
    "./test/release/packages.test.ts",
    "./test/server/isolation.test.ts",
  ]) {
    expect(existsSync(join(PROJECT_ROOT, path)), path).toBe(true);
    expect(programs).toContain(path);
  }
  expect(computing).toContain("./test/repo/suite.test.ts");
});

const LIMITS = [/^setDefaultTimeout\((?:fuzzRuns\()?([\d_]+)/gm, /^ *\}, ([\d_]+)\);$/gm];

test("no test has a limit of its own that a loaded machine misses", () => {
  const short = sourceFiles("test").flatMap(({ path, text }) =>
    LIMITS.flatMap((limit) => [...text.matchAll(limit)])
      .filter(([, ms = ""]) => Number(ms.replaceAll("_", "")) < 100_000)
      .map(([line]) => `${path}: ${line.trim()}`),
  );
  expect(short).toEqual([]);
});

const REPORT = (attributes: string, suite: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="bun test" ${attributes} time="9.1">\n  ${suite}\n</testsuites>\n`;

test("two reports are one with their sums", () => {
  const one = REPORT(
    'tests="7" assertions="40" failures="1" skipped="2"',
    '<testsuite name="a" tests="7"></testsuite>',
  );
  const two = REPORT(
    'tests="5" assertions="2" failures="0" skipped="0"',
    '<testsuite name="b" tests="5"></testsuite>',
  );
  const { xml, tests, failures } = joinReports([one, two], 12.5);
  expect([tests, failures]).toEqual([12, 1]);
  expect(xml).toContain(
    '<testsuites name="bun test" tests="12" assertions="42" failures="1" skipped="2" time="12.500">',
  );
  expect(xml.match(/<testsuite name="[ab]"/g)).toHaveLength(2);
  expect(xml.match(/<testsuites/g)).toHaveLength(1);
});

test("a half that left no report counts nothing", () => {
  expect(joinReports([""], 1)).toMatchObject({ tests: 0, failures: 0 });
});
