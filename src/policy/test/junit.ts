// A JUnit report of policy tests, as CI services read it.

import { escapeXml } from "../../text/escape-xml.ts";
import type { TestResult } from "./run.ts";

/** The report as XML. `suite` is the name of the test file. */
export function renderJunit(suite: string, results: readonly TestResult[]): string {
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const totals = `tests="${results.length}" failures="${failed}"`;
  const cases = results.map(({ test, failures, verdict }) => {
    const head = `    <testcase classname="${escapeXml(suite)}" name="${escapeXml(test.note)}" line="${test.at.line}"`;
    if (failures.length === 0) return `${head}/>`;
    const because = verdict === undefined ? "" : `because ${verdict.reason} (policy line ${verdict.line})`;
    const message = escapeXml(failures.join("; "));
    return `${head}>\n      <failure message="${message}">${escapeXml(because)}</failure>\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${totals}>`,
    `  <testsuite name="${escapeXml(suite)}" ${totals}>`,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}
