// How long the fuzzers run: short in CI, as long as IDDIO_FUZZ says in `npm run soak`.

/** Runs for one property: the usual number, times the factor in IDDIO_FUZZ. */
export function fuzzRuns(usual: number): number {
  const factor = Number(process.env.IDDIO_FUZZ ?? "1");
  return Math.max(1, Math.round(usual * (Number.isFinite(factor) && factor > 0 ? factor : 1)));
}
