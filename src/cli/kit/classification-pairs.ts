// A classification as name and value lines, for `classify` and `decide` alike.

import type { ClassifyReport } from "../../api/reports.ts";

/** The lines; empty ones are left out. `reasonName` names the line of the classifier's reason. */
export function classificationPairs(
  report: ClassifyReport,
  reasonName: string,
): readonly (readonly [string, string | undefined])[] {
  const labels = Object.entries(report.labels).map(([name, value]) => `${name}=${value}`);
  return [
    ["protocol", report.protocol],
    ["tier", report.tier],
    ["command", report.command === "" ? undefined : report.command],
    ["labels", labels.length === 0 ? undefined : labels.join(" ")],
    ["inspect", report.entry],
    [reasonName, report.reason],
  ];
}
