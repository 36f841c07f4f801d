// Classifies the ask and judges it by the policy. If this stage fails, the ask stays unjudged, and
// an unjudged ask is refused.

import type { AskState, Judged, Stage } from "./stage.ts";

/** Judges the ask. */
export const classify: Stage = {
  name: "classify",
  run(state) {
    const judged = state.carrier.judge();
    return judged instanceof Promise ? judged.then((found) => take(state, found)) : take(state, judged);
  },
};

function take(state: AskState, judged: Judged): undefined {
  const { parts } = state;
  state.judged = judged;
  state.mode = parts.mode.current;
  parts.recorder.classified(judged.ask, judged.verdict);
}
