// Renders a replay in sentences for a person: the command line and the console say the same. The
// widest change comes first, and rows that could not be decided exactly are counted.

import { HEADS } from "../../policy/compare/diff-lines.ts";
import {
  isWiderReplay,
  type Reclassified,
  type ReplayChange,
  type ReplayReport,
} from "../../policy/replay/replay.ts";

/** Whether the candidate would have let through more. */
export function replayIsWider({ changes }: ReplayReport): boolean {
  return changes.some(isWiderReplay);
}

/** Widest first. Texts come from the log and are not escaped. */
export function replayLines(report: ReplayReport): readonly string[] {
  const { changes, decided, exact, reclassified, answered, skipped, newlyInspected } = report;
  if (isEmptyReplay(report)) return [NOTHING_TO_REPLAY];
  const differ = changes.reduce((sum, { count }) => sum + count, 0);
  return [
    ...changes.map(describeChange),
    ...reclassified.map(describeReclassified),
    `${countOf(decided, "request")} decided again, ${differ} ${differ === 1 ? "differs" : "differ"}`,
    ...(exact < decided
      ? [`${decided - exact} by rows of an older iddio, which lack aliases and scopes that are not named`]
      : []),
    ...(answered > 0
      ? [`${answered} had been answered by a person or a grant, which no policy can say`]
      : []),
    ...(skipped > 0 ? [`${skipped} could not be decided again`] : []),
    ...(newlyInspected > 0
      ? [`${countOf(newlyInspected, "connection")} that passed unread would be looked into`]
      : []),
  ];
}

/** Nothing was compared, which says nothing about the candidate. */
export const NOTHING_TO_REPLAY = "the log has no request of that time to decide again";

/** Whether a replay compared nothing. */
export function isEmptyReplay({ decided, skipped, newlyInspected }: ReplayReport): boolean {
  return decided + skipped + newlyInspected === 0;
}

function describeChange({ protocol, command, from, to, count, labels, examples }: ReplayChange): string {
  const place = Object.entries(labels).map(([label, name]) => `${label} ${name}`);
  const where = place.length === 0 ? "" : ` in ${place.join(", ")}`;
  const example = examples[0] === undefined ? "" : ` (for example request ${examples[0]})`;
  const what =
    to === "splice" ? "no longer looked into" : (HEADS[`${from} ${to}`] ?? `${from} becomes ${to}`);
  return `${what}: ${count} × ${protocol} ${command}${where}${example}`;
}

function describeReclassified({ protocol, was, is, from, to, count }: Reclassified): string {
  const effect = from === to ? `, ${from} as before` : `, ${to} instead of ${from} by the policy in force`;
  return `taken for something else by this version: ${count} × ${protocol} '${was.command}' (${was.tier}) is '${is.command}' (${is.tier})${effect}`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
