// The row that is on disk before a change reaches its upstream. An ask whose row cannot be written
// does not go, unless the operator chose `audit_failure: open`.

import { type Refused, unrecorded } from "../decision.ts";
import type { RequestResult } from "../records/recorder.ts";
import type { AskState, Judged, Stage } from "./stage.ts";

/** Writes the intent of everything above observe. */
export const intent: Stage = {
  name: "intent",
  run(state) {
    const { judged, decision } = state;
    if (judged === undefined || decision?.kind !== "forward") return undefined;
    if (judged.ask.operation.tier !== "observe") return write(state, judged, decision.result);
    state.hasIntent = true;
    return undefined;
  },
};

async function write(state: AskState, judged: Judged, allowed: RequestResult): Promise<Refused | undefined> {
  const { parts } = state;
  const { ask, verdict } = judged;
  try {
    const { decision: _, ...result } = allowed;
    await parts.recorder.intent(ask, verdict, result);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    parts.log.error("audit row not written", { request_id: ask.id, reason: problem });
    if (parts.settings.current.audit_failure !== "open") return unrecorded(problem);
  }
  state.hasIntent = true;
  return undefined;
}
