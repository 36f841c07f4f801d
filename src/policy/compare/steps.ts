// Long comparisons as generators: each `yield` is a place where anyone who runs them may do
// something else first. The command line runs them at once; the daemon, which must not stop for a
// second, in slices.

/** A computation in steps; the yielded values mean nothing. */
export type Steps<T> = Generator<void, T, void>;

/** Runs all of it. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
