// Several JUnit reports as one, whose outermost element has the sums: what CI counts.

const OUTERMOST = /<testsuites\b([^>]*)>([\s\S]*)<\/testsuites>/;
const SUMS = ["tests", "assertions", "failures", "skipped"] as const;

/** One report and what it sums up. */
export interface JoinedReport {
  readonly xml: string;
  readonly tests: number;
  readonly failures: number;
}

/** Joins reports of Bun's runner; `seconds` is how long all of them took together. */
export function joinReports(reports: readonly string[], seconds: number): JoinedReport {
  const sums = { tests: 0, assertions: 0, failures: 0, skipped: 0 };
  let inside = "";
  for (const report of reports) {
    const [, attributes = "", content = ""] = OUTERMOST.exec(report) ?? [];
    inside += content;
    for (const name of SUMS)
      sums[name] += Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
  }
  const attributes = SUMS.map((name) => ` ${name}="${sums[name]}"`).join("");
  const head = `<testsuites name="bun test"${attributes} time="${seconds.toFixed(3)}">`;
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n${head}${inside}</testsuites>\n`;
  return { xml, tests: sums.tests, failures: sums.failures };
}
