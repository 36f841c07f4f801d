// Classifies the ask and judges it by the policy. If this stage fails, the ask stays unjudged, and
// an unjudged ask is refused.

import type { Stage } from "./stage.ts";

/** Judges the ask. */
export const classify: Stage = {
  name: "classify",
  async run(state) {
    const { carrier, parts } = state;
    const answer = carrier.judge();
    const judged = answer instanceof Promise ? await answer : answer;
    state.judged = judged;
    state.mode = parts.mode.current;
    parts.recorder.classified(judged.ask, judged.verdict);
    return undefined;
  },
};
