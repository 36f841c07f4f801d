// Decides the asks that need no person: an ask that cannot go on, one that the policy allows or
// denies, one that a grant covers, or the grant of its command's rest. In observe mode nothing is
// refused, so nothing is decided.

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
    if (decision !== undefined) {
      state.decision = decision;
      return undefined;
    }
    if (judged.verdict.isCentral) return undefined;
    return parts.commandGrants.find(judged.ask).then((rest) => {
      // It may have waited for the system to tell its process, and a policy may have come into force meanwhile.
      if (rest !== undefined && judged.again() === undefined)
        state.decision = {
          kind: "forward",
          result: { outcome: "granted", decision: "allow", approvalId: rest.approvalId },
        };
      return undefined;
    });
  },
};
