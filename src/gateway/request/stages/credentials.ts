// Puts real credentials in place of the client's placeholders, after the ask was let go and before
// its intent is written. If it cannot, the ask is refused: a placeholder is never sent to a server.

import { refusedFor } from "../decision.ts";
import type { Stage } from "./stage.ts";

/** Has the carrier fetch the credentials that its ask needs. */
export const credentials: Stage = {
  name: "credentials",
  run({ judged, decision, mode, carrier }) {
    if (judged === undefined || carrier.credentials === undefined) return undefined;
    if (mode !== "observe" && decision?.kind !== "forward") return undefined;
    return carrier
      .credentials()
      ?.then((problem) => (problem === undefined ? undefined : refusedFor(problem)));
  },
};
