// Scores the classifiers on the classification cases. A row whose tier is below every acceptable
// one is a hole; what is above is annoyance.

import { TIERS, type TierOrUnknown } from "../../src/model/tier.ts";
import { type BatchAnswer, classifyRow } from "../../src/protocols/batch.ts";
import type { Case } from "./corpora.ts";
import { decodeBody } from "./decode-body.ts";
import { DISPUTED } from "./disputed.ts";

/** The errors in the answer to one case; if no claim is true, the answer is right. */
export interface Miss {
  readonly row: Case;
  readonly answer: BatchAnswer;
  readonly isTierWrong: boolean;
  readonly isBelow: boolean;
  readonly areLabelsWrong: boolean;
  readonly isCommandWrong: boolean;
}

/** The score of one corpus. */
export interface Score {
  readonly corpus: string;
  readonly rows: number;
  readonly within: number;
  readonly below: number;
  readonly unknown: number;
  readonly labelsWrong: number;
  readonly commandsWrong: number;
  readonly misses: readonly Miss[];
}

/** Scores one corpus, or those of its rows that `keep` admits. Disputed rows count like all others. */
export function scoreCorpus(corpus: string, cases: readonly Case[]): Score {
  const answers = cases.map((row) => compare(row, classifyRow(row, decodeBody)));
  const count = (claim: (miss: Miss) => boolean) => answers.filter(claim).length;
  return {
    corpus,
    rows: cases.length,
    within: count((one) => !one.isTierWrong),
    below: count((one) => one.isBelow),
    unknown: count((one) => one.answer.tier === "unknown" && !one.row.acceptable_tiers.includes("unknown")),
    labelsWrong: count((one) => one.areLabelsWrong),
    commandsWrong: count((one) => one.isCommandWrong),
    misses: answers.filter((one) => one.isTierWrong || one.areLabelsWrong || one.isCommandWrong),
  };
}

function compare(row: Case, answer: BatchAnswer): Miss {
  const isTierWrong = !row.acceptable_tiers.includes(answer.tier);
  const rank = (tier: TierOrUnknown) => (tier === "unknown" ? TIERS.length : TIERS.indexOf(tier));
  const lowest = Math.min(...row.acceptable_tiers.map(rank));
  return {
    row,
    answer,
    isTierWrong,
    isBelow: rank(answer.tier) < lowest && !DISPUTED.has(row.id),
    areLabelsWrong: row.expected_scope !== undefined && !hasLabels(answer, row.expected_scope),
    isCommandWrong: row.expected_command !== undefined && row.expected_command !== answer.command,
  };
}

/** Every expected label is there with its value; labels beyond those expected do no harm. */
function hasLabels(answer: BatchAnswer, expected: Readonly<Record<string, string>>): boolean {
  return Object.entries(expected).every(([name, value]) => answer.labels[name] === value);
}
