// Scores the classifiers on the cases in the folder `shared` beside the project. A row
// whose tier is below every acceptable one is a hole; what is above is annoyance.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { TIERS, type TierOrUnknown } from "../../src/model/tier.ts";
import { type BatchAnswer, classifyRow } from "../../src/protocols/batch.ts";
import { sharedFile } from "../support/shared-data.ts";
import { decodeBody } from "./decode-body.ts";
import { DISPUTED } from "./disputed.ts";

/** The corpora, in print order. */
export const CORPORA = [
  "kubernetes",
  "kubectl-cli",
  "aws",
  "aws-variants",
  "aws-cli",
  "gcloud",
  "gcloud-cli",
  "github-rest",
  "github-graphql",
  "cloudflare",
  "fly",
  "misc-cli",
  "captured",
  "traps",
] as const;

/** A case; more fields than are named here are ignored. */
export interface Case {
  readonly id: string;
  readonly protocol: string;
  readonly argv?: readonly string[];
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string;
  readonly body_b64?: string;
  readonly acceptable_tiers: readonly TierOrUnknown[];
  readonly expected_tier: TierOrUnknown;
  readonly expected_scope?: Readonly<Record<string, string>>;
  readonly expected_command?: string;
  readonly why: string;
}

/** What is wrong with the answer to one case; none of the claims true means that it is right. */
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

/** Reads a corpus; undefined when the cases are not on this machine. */
export function readCorpus(corpus: string): readonly Case[] | undefined {
  const path = sharedFile(`truth/${corpus}.jsonl.gz`);
  if (path === undefined) return undefined;
  return gunzipSync(readFileSync(path))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Case);
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
