// Lets an ask go, once, and only with proof: it was judged, the policy or a person or a grant
// allowed it, and its intent is on disk. The proof is checked here and not where it was made, so
// that a stage that is missing or wrong refuses.

import { type Refused, refusedFor } from "../decision.ts";
import type { RequestResult } from "../records/recorder.ts";
import { type AskState, NotDone, type Stage } from "./stage.ts";

/** Tells the carrier to do it; resolves when the outcome is known. */
export const forward: Stage = {
  name: "forward",
  run(state) {
    const problem = whyNot(state);
    if (problem !== undefined) return refusedFor(problem);
    state.hasStarted = true;
    return new Promise((resolve, reject) => {
      state.rest = state.carrier.forward(
        (ending = {}) => {
          state.ending ??= ending;
          resolve(undefined);
        },
        { replaced: state.replaced, recording: state.recording, wayBack: state.wayBack },
      );
      state.rest.then(
        () => {
          state.ending ??= {};
          resolve(undefined);
        },
        (error: unknown) => {
          // Once the outcome is known, the runner sees how the rest ends.
          if (state.ending !== undefined) return;
          delete state.rest;
          if (error instanceof NotDone) resolve(notDone(state, error));
          else {
            recordBroken(state);
            reject(error);
          }
        },
      );
    });
  },
};

/** Why it may not go, in a clause; undefined when it may. */
export function whyNot({
  judged,
  decision,
  mode,
  effect,
  hasIntent,
  hasStarted,
}: AskState): string | undefined {
  if (hasStarted) return "it went before";
  if (judged === undefined) return "it was not judged";
  if (mode === "observe") return undefined;
  if (decision?.kind !== "forward" || judged.obstacle !== undefined) return "nobody allowed it";
  const { action } = judged.verdict;
  const { outcome } = decision.result;
  const isAllowed =
    action === "allow" || (action === "escalate" && (outcome === "approved" || outcome === "granted"));
  if (!isAllowed) return "nobody allowed it";
  if (effect !== undefined) return "the shown effect was not compared again";
  return hasIntent ? undefined : "its intent is not on disk";
}

function notDone({ decision }: AskState, error: NotDone): Refused {
  const { outcome, status, retry, wasSent, message: reason } = error;
  const allowed = decision?.kind === "forward" ? decision.result : ({ decision: "allow" } as const);
  const result: RequestResult = { ...allowed, outcome, status, reason };
  return {
    kind: "refuse",
    result: outcome === "blocked" ? { ...result, decision: "deny" } : result,
    retry,
    status,
    wasSent,
  };
}

/** The client left, or its body broke: nobody waited for the upstream's answer. */
const BROKEN_OFF = "the client went away before there was an answer; the request may have been carried out";

function recordBroken({ parts, judged, decision, mode }: AskState): void {
  if (judged === undefined) return;
  const { ask, verdict } = judged;
  if (mode === "observe") parts.recorder.observed(ask, verdict, undefined);
  else if (decision?.kind === "forward")
    parts.recorder.forwarded(ask, verdict, { ...decision.result, outcome: "failed", reason: BROKEN_OFF });
}
