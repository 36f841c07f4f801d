// The floor under every corpus: floors.json holds the best counts reached, `npm run truth -- --raise` lifts
// them and nothing lowers them. No row may be below its lowest acceptable tier, ever.

import { describe, expect, test } from "bun:test";
import floors from "./floors.json" with { type: "json" };
import { CORPORA, readCorpus, scoreCorpus } from "./score.ts";

describe("scored cases", () => {
  for (const corpus of CORPORA)
    test(`${corpus} keeps its floor`, () => {
      const cases = readCorpus(corpus);
      if (cases === undefined) {
        process.stdout.write(`skipping ${corpus}: the cases are not on this machine\n`);
        return;
      }
      const score = scoreCorpus(corpus, cases);
      const floor = floors[corpus];
      expect(score.misses.filter((miss) => miss.isBelow).map((miss) => miss.row.id)).toEqual([]);
      expect(score.within).toBeGreaterThanOrEqual(floor.within);
      expect(score.unknown).toBeLessThanOrEqual(floor.unknown);
      expect(score.labelsWrong).toBeLessThanOrEqual(floor.labelsWrong);
      expect(score.commandsWrong).toBeLessThanOrEqual(floor.commandsWrong);
    });
});
