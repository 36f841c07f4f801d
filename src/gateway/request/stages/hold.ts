// Holds an undecided ask for a person. It goes on only if the answer allows it and the policy in
// force still judges it as the person was shown.

import { afterHold } from "../decision.ts";
import { holdAsk } from "../hold-ask.ts";
import type { Stage } from "./stage.ts";

/** Asks a person, unless the ask is decided. */
export const hold: Stage = {
  name: "hold",
  async run(state) {
    const { judged, decision, mode, parts, carrier, because = "" } = state;
    if (judged === undefined || decision !== undefined || mode === "observe") return undefined;
    const { ask, verdict } = judged;
    parts.recorder.escalated(ask, verdict);
    const again = () => judged.again();
    const shown = await carrier.show();
    const held =
      typeof shown === "string"
        ? ({ outcome: "full", id: "", reason: shown } as const)
        : await holdAsk(parts.broker, ask, {
            ...shown,
            verdict,
            again,
            because,
            onLeave: (left) => carrier.onLeave(left),
          });
    const decided = afterHold(held, again);
    if (decided.kind === "refuse") return decided;
    state.decision = decided;
    const own = typeof shown === "string" ? undefined : shown.effect;
    if (own !== undefined && "effect" in held && held.effect !== undefined)
      state.effect = { own, shown: held.effect };
    return undefined;
  },
};
