// How long the fuzzers run and what they try: short in CI, as long as IDDIO_FUZZ says in `npm run
// soak`. With IDDIO_FUZZ_SEED a run tries other cases than CI does, and the same ones whenever it
// is given again.

import { configureGlobal, readConfigureGlobal } from "fast-check";

const given = process.env.IDDIO_FUZZ_SEED;
const seed = Number(given ?? "0");
if (given !== undefined) configureGlobal({ ...readConfigureGlobal(), seed });

/** Runs for one property: the usual number, times the factor in IDDIO_FUZZ. */
export function fuzzRuns(usual: number): number {
  const factor = Number(process.env.IDDIO_FUZZ ?? "1");
  return Math.max(1, Math.round(usual * (Number.isFinite(factor) && factor > 0 ? factor : 1)));
}

/** The seed of a fuzzer that tries the same cases each time, unless IDDIO_FUZZ_SEED asks for other ones. */
export function fuzzSeed(usual: number): number {
  return usual + seed;
}
