// Runs a long comparison in slices, so that the gateway goes on serving between them. One at a
// time: several would make each other slow and gain nothing.

import { setImmediate as nextTurn } from "node:timers/promises";
import type { Steps } from "../../policy/compare/steps.ts";

/** Longest time in one piece. */
const SLICE_MS = 8;

let last: Promise<unknown> = Promise.resolve();

/** The result of the steps, after those that were asked for before. */
export function inSlices<T>(steps: () => Steps<T>): Promise<T> {
  const own = last.then(() => run(steps()));
  last = own.catch(() => undefined);
  return own;
}

async function run<T>(steps: Steps<T>): Promise<T> {
  let sliceMs = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - sliceMs < SLICE_MS) continue;
    await nextTurn();
    sliceMs = performance.now();
  }
}
