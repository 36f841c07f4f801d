// Holds an undecided ask for a person. It goes on only if the answer allows it and the policy in
// force still judges it as the person was shown.

import { afterHold, type Refused } from "../decision.ts";
import { holdAsk } from "../hold-ask.ts";
import type { AskState, Judged, Stage } from "./stage.ts";

/** Asks a person, unless the ask is decided. */
export const hold: Stage = {
  name: "hold",
  run(state) {
    const { judged, decision, mode } = state;
    if (judged === undefined || decision !== undefined || mode === "observe") return undefined;
    return askPerson(state, judged);
  },
};

async function askPerson(state: AskState, judged: Judged): Promise<Refused | undefined> {
  const { parts, carrier, because = "" } = state;
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
}
