// Numbers of several rounds: medians, spread, and ratios of what was measured side by side.

/** Values of one measurement, one a round. */
export type Series = readonly number[];

/** The middle value; NaN for none. */
export function median(values: Series): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/**
 * Ratios of the same rounds. On a machine whose speed drifts they say more than the ratio of two
 * medians, because what is divided was measured within seconds of each other.
 */
export function ratios(over: Series, under: Series): Series {
  return over.map((value, round) => value / (under[round] ?? Number.NaN));
}

/** A value with as many digits as are worth reading. */
export function short(value: number): string {
  if (Number.isNaN(value)) return "-";
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Median and, in brackets, the smallest and largest value. */
export function shown(values: Series): string {
  if (values.length === 0) return "-";
  return `${short(median(values))} (${short(Math.min(...values))} to ${short(Math.max(...values))})`;
}
