// The classification cases of `test/truth/data/`: which corpora there are, and how one is read.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { TierOrUnknown } from "../../src/model/tier.ts";

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
  "redteam",
  "reports",
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

/** The cases of a corpus, in the order of its file. */
export function readCorpus(corpus: string): readonly Case[] {
  return gunzipSync(readFileSync(join(import.meta.dir, "data", `${corpus}.jsonl.gz`)))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Case);
}
