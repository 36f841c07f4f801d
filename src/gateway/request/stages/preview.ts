// Makes sure that the shown effect is the effect. Before an allowed ask goes, its effect is
// compared with the one that was on the screen; if it changed, the person is asked again under a
// new id, a bounded number of times. `forward` refuses an ask that was not compared.

import { type Refused, refusedFor } from "../decision.ts";
import { hold } from "./hold.ts";
import type { AskState, Stage } from "./stage.ts";

/** A busy object may change while a person reads, but not for ever. */
const TIMES_MAX = 8;

/** Compares, and asks again. */
export const preview: Stage = {
  name: "preview",
  run(state) {
    return state.effect === undefined ? undefined : compare(state);
  },
};

async function compare(state: AskState): Promise<Refused | undefined> {
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
}
