// Before a change of a cluster goes, the objects that it is about to replace or delete are kept, so
// that it can be undone. Where that fails the setting `undo_failure` decides, and `closed` is a
// refusal. In observe mode nothing is kept.

import { refusedFor } from "../decision.ts";
import type { Stage } from "./stage.ts";

/** Keeps the way back of an ask that changes a cluster. */
export const keep: Stage = {
  name: "keep",
  run(state) {
    const { judged, decision, carrier, parts } = state;
    if (judged === undefined || decision?.kind !== "forward" || parts.wayBack === undefined) return undefined;
    // A read changes nothing that could be taken back.
    if (judged.ask.operation.tier === "observe") return undefined;
    const request = carrier.change?.();
    if (request === undefined) return undefined;
    return parts.wayBack.keep(judged.ask, request).then((kept) => {
      if (typeof kept === "string") return refusedFor(kept);
      if (kept !== undefined) state.wayBack = kept;
      return undefined;
    });
  },
};
