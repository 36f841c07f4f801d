// The law that nothing a client adds lowers a tier, on every request of the corpora. `bun
// test/truth/run-additions.ts` tries millions; the exceptions are in additions.ts.

import { expect, test } from "bun:test";
import { fuzzRuns, fuzzSeed } from "../support/fuzz-runs.ts";
import { bases, tryAdditions } from "./additions.ts";

test(
  "adding a field, a query parameter or a member of the body never lowers a tier",
  () => {
    const all = bases();
    expect(all.length).toBeGreaterThan(15_000);
    const lowered = tryAdditions(all, fuzzRuns(25_000), fuzzSeed(1));
    expect(lowered.slice(0, 5)).toEqual([]);
  },
  fuzzRuns(110_000),
);
