// How many roots a system trusts at least. A store that is being written, or cannot be read, gives
// fewer; such an answer must neither replace a good one nor pass for a healthy system.

/** Fewer roots than this are no system's trust: each ships more than a hundred. */
export const FEWEST_ROOTS = 50;

/** Whether `now` is so much less than `before` that a store was being written or is broken, not changed by a person. */
export function isCollapse(before: number, now: number): boolean {
  return before >= FEWEST_ROOTS && now < before / 2;
}
