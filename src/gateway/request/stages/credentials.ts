// What the client has only placeholders for is put in their place, once somebody has let the ask go and before its intent
// is written. Where that cannot be done the ask is refused: a placeholder is never sent in the hope that it does no harm.

import { refusedFor } from "../decision.ts";
import type { Stage } from "./stage.ts";

/** Has the carrier fetch the credentials that its ask needs. */
export const credentials: Stage = {
  name: "credentials",
  async run({ judged, decision, mode, carrier }) {
    if (judged === undefined || carrier.credentials === undefined) return undefined;
    if (mode !== "observe" && decision?.kind !== "forward") return undefined;
    const problem = await carrier.credentials();
    return problem === undefined ? undefined : refusedFor(problem);
  },
};
