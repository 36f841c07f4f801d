// How long to wait before something is sent again: longer with every failure, never at the same
// moment as everybody else, and never sooner than the receiver asked for.

const FIRST_MS = 1_000;
const MAX_MS = 5 * 60_000;

/**
 * Milliseconds before the next try, after so many failures in a row. `afterMs`: the delay that the receiver
 * asked for.
 */
export function backOffMs(failures: number, afterMs = 0, firstMs = FIRST_MS): number {
  const whole = Math.min(MAX_MS, firstMs * 2 ** Math.min(16, Math.max(0, failures - 1)));
  return Math.max(whole * (0.5 + Math.random() / 2), afterMs);
}
