// The floor under every corpus: floors.json holds the best counts reached, `npm run truth --
// --raise` lifts them and nothing lowers them. No row may be below its lowest acceptable tier,
// ever.

import { describe, expect, test } from "bun:test";
import { CORPORA, readCorpus } from "./corpora.ts";
import floors from "./floors.json" with { type: "json" };
import type { Floor } from "./floors.ts";
import { scoreCorpus } from "./score.ts";

describe("scored cases", () => {
  for (const corpus of CORPORA)
    test(`${corpus} keeps its floor`, () => {
      const score = scoreCorpus(corpus, readCorpus(corpus));
      const floor: Floor = floors[corpus];
      const below = score.misses.filter((miss) => miss.isBelow).map((miss) => miss.row.id);
      if (floor.below === undefined) expect(below).toEqual([]);
      else expect(below.length).toBeLessThanOrEqual(floor.below);
      expect(score.within).toBeGreaterThanOrEqual(floor.within);
      expect(score.unknown).toBeLessThanOrEqual(floor.unknown);
      expect(score.labelsWrong).toBeLessThanOrEqual(floor.labelsWrong);
      expect(score.commandsWrong).toBeLessThanOrEqual(floor.commandsWrong);
    });
});
