// What was allowed is what was shown. Before an ask goes that somebody allowed, its effect is compared with the one that
// was on the screen; where it is another one by now, the person is asked again, under a new id. Nobody is asked without
// end, and `forward` lets nothing go that was not compared.

import { refusedFor } from "../decision.ts";
import { hold } from "./hold.ts";
import type { Stage } from "./stage.ts";

/** A busy object may change while a person reads, but not for ever. */
const TIMES_MAX = 8;

/** Compares, and asks again. */
export const preview: Stage = {
  name: "preview",
  async run(state) {
    for (let times = 1; state.effect !== undefined; times += 1) {
      const { own, shown } = state.effect;
      const release = await own.release(shown);
      delete state.effect;
      if (release.kind === "go") {
        if (release.replaced !== undefined) state.replaced = release.replaced;
        return undefined;
      }
      delete state.decision;
      if (times >= TIMES_MAX) return refusedFor(`${release.why}, again and again`);
      state.because = `${release.why}, so it is asked about again`;
      const refused = await hold.run(state);
      if (refused !== undefined) return refused;
    }
    return undefined;
  },
};
