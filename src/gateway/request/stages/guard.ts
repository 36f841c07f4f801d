// What needs no person: an ask that cannot go on, one that the policy allows or denies, one that a grant covers. In
// observe mode nothing is refused, so nothing is decided.

import { decideAtOnce } from "../decision.ts";
import type { Stage } from "./stage.ts";

/** Allows or refuses at once where it can. */
export const guard: Stage = {
  name: "guard",
  run(state) {
    const { judged, mode, parts } = state;
    if (judged === undefined || mode === "observe") return undefined;
    if (judged.obstacle !== undefined) return judged.obstacle;
    const decision = decideAtOnce(parts.grants, judged.ask, judged.verdict);
    if (decision?.kind === "refuse") return decision;
    if (decision !== undefined) state.decision = decision;
    return undefined;
  },
};
