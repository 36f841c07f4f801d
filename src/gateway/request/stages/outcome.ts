// The outcome row, once its outcome is known and before anything that comes after it: the answer
// itself may still last for hours.

import type { RequestResult } from "../records/recorder.ts";
import type { Stage } from "./stage.ts";

/** Writes how it ended. */
export const outcome: Stage = {
  name: "outcome",
  run({ parts, judged, decision, mode, ending, wayBack }) {
    if (judged === undefined || ending === undefined) return undefined;
    const { status, failure } = ending;
    const isDone = wayBack !== undefined && status !== undefined && status >= 200 && status < 300;
    const fields = isDone ? { ...ending.fields, undo: wayBack.id } : ending.fields;
    void wayBack?.ended(status);
    const { verdict } = judged;
    const ask =
      fields === undefined ? judged.ask : { ...judged.ask, fields: { ...judged.ask.fields, ...fields } };
    if (mode === "observe") parts.recorder.observed(ask, verdict, status);
    else if (decision?.kind === "forward") {
      const result: RequestResult =
        failure === undefined ? decision.result : { ...decision.result, outcome: "failed", reason: failure };
      parts.recorder.forwarded(ask, verdict, status === undefined ? result : { ...result, status });
    }
    return undefined;
  },
};
