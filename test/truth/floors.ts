// Lifts the floors in floors.json to what is reached now; never lowers one.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CORPORA } from "./corpora.ts";
import type { Score } from "./score.ts";

/** The best counts reached on one corpus. */
export interface Floor {
  readonly within: number;
  readonly unknown: number;
  readonly labelsWrong: number;
  readonly commandsWrong: number;
  /** Rows below their lowest acceptable tier that are still open; absent is none. */
  readonly below?: number;
}

const PATH = join(import.meta.dir, "floors.json");

/** Writes floors.json with the better of the old floor and each score. */
export function raiseFloors(scores: readonly Score[]): void {
  const floors = JSON.parse(readFileSync(PATH, "utf8")) as Record<string, Floor>;
  for (const score of scores) {
    const old = floors[score.corpus];
    floors[score.corpus] = {
      within: Math.max(score.within, old?.within ?? 0),
      unknown: Math.min(score.unknown, old?.unknown ?? score.unknown),
      labelsWrong: Math.min(score.labelsWrong, old?.labelsWrong ?? score.labelsWrong),
      commandsWrong: Math.min(score.commandsWrong, old?.commandsWrong ?? score.commandsWrong),
      ...(old?.below !== undefined && score.below > 0 ? { below: Math.min(score.below, old.below) } : {}),
    };
  }
  const ordered = Object.fromEntries(CORPORA.map((corpus) => [corpus, floors[corpus]]));
  writeFileSync(PATH, `${JSON.stringify(ordered, undefined, 2)}\n`);
}
