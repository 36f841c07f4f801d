// The row that is on disk before a change reaches its upstream. An ask whose row cannot be written
// does not go, unless the operator chose `audit_failure: open`.

import { unrecorded } from "../decision.ts";
import type { Stage } from "./stage.ts";

/** Writes the intent of everything above observe. */
export const intent: Stage = {
  name: "intent",
  async run(state) {
    const { judged, decision, parts } = state;
    if (judged === undefined || decision?.kind !== "forward") return undefined;
    const { ask, verdict } = judged;
    if (ask.operation.tier !== "observe")
      try {
        const { decision: _, ...result } = decision.result;
        await parts.recorder.intent(ask, verdict, result);
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        parts.log.error("audit row not written", { request_id: ask.id, reason: problem });
        if (parts.settings.current.audit_failure !== "open") return unrecorded(problem);
      }
    state.hasIntent = true;
    return undefined;
  },
};
