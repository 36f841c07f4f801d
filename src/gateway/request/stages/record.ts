// A session into a cluster is recorded from its first octet, so its recording is opened before it
// goes. Where that fails the setting `recording_failure` decides, and `closed` is a refusal. In
// observe mode nothing is refused.

import { refusedFor } from "../decision.ts";
import type { Stage } from "./stage.ts";

/** Opens the recording of an ask that is a session. */
export const record: Stage = {
  name: "record",
  run(state) {
    const { judged, decision, mode, carrier, parts } = state;
    const session = judged === undefined ? undefined : carrier.session?.();
    if (judged === undefined || session === undefined || parts.sessions === undefined) return undefined;
    const approvalId = decision?.kind === "forward" ? decision.result.approvalId : undefined;
    return parts.sessions.open(judged.ask, session, approvalId).then((opened) => {
      if (typeof opened === "string") return mode === "observe" ? undefined : refusedFor(opened);
      if (opened !== undefined) state.recording = opened;
      return undefined;
    });
  },
};
