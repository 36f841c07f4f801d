// How much a row matters to anyone who watches many of them, once for all formats.

import type { Entry } from "../../../model/entry.ts";
import type { Outcome } from "../../../model/outcome.ts";

/** `high`: a person should look. `medium`: something was refused or opened. `info`: the daily traffic. */
export type Severity = "info" | "low" | "medium" | "high";

const PASSED: ReadonlySet<Outcome> = new Set(["allowed", "approved", "granted", "asked"]);

/** Whether the row's request did not go through. */
export function isRefused({ op, fields }: Entry): boolean {
  if (op === "block") return true;
  const { outcome, decision } = fields;
  if (outcome === undefined) return decision === "deny";
  return !PASSED.has(outcome);
}

/** By outcome first, then by tier. */
export function severityOf(entry: Entry): Severity {
  const { tier } = entry.fields;
  const isGrave = tier === "break-glass" || tier === "unknown";
  if (isRefused(entry)) return isGrave ? "high" : "medium";
  if (isGrave) return "medium";
  if (entry.op === "control" || tier === "sensitive") return "low";
  return "info";
}
