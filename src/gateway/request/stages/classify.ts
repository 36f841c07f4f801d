// What the ask would do, and what the policy says to it. Whatever goes wrong here leaves the ask unjudged, and an ask
// that was not judged is refused.

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
