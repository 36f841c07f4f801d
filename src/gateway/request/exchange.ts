// One ask, from its carrier to its end: the stages one after the other. An ask that they do not let
// through is refused, and so is one that makes a stage fail; from the moment an ask goes, nothing
// is refused any more.

import { maskValues } from "../../redaction/secret-value.ts";
import { type Refused, refusedFor } from "./decision.ts";
import type { AskCarrier, AskParts, AskState, Stage } from "./stages/stage.ts";
import { STAGES } from "./stages/stages.ts";
import { wayOut } from "./way-out.ts";

/** Takes one ask through the stages. Throws the carrier's own errors, and those of an ask that has gone. */
export async function exchange(
  parts: AskParts,
  carrier: AskCarrier,
  stages: readonly Stage[] = STAGES,
): Promise<void> {
  const state: AskState = { parts, carrier };
  let at = "";
  let refused: Refused | undefined;
  try {
    try {
      for (const stage of stages) {
        at = stage.name;
        const answer = stage.run(state);
        refused = answer instanceof Promise ? await answer : answer;
        if (refused !== undefined) break;
      }
      if (state.hasStarted !== true) refused ??= refusedFor("no stage let it go");
      if (refused === undefined) await state.rest;
    } catch (error) {
      if (state.hasStarted === true || carrier.owns(error)) {
        // The next request of the connection must not begin before this one has ended.
        await state.rest?.catch(() => undefined);
        throw error;
      }
      parts.log.error("a stage failed", { stage: at, reason: String(error) });
      // Only the kind of error: its message may quote the request.
      const kind = error instanceof Error ? error.name : typeof error;
      refused = refusedFor(`the stage '${at}' failed with ${kind}`);
    }
    if (refused !== undefined) await refuse(state, refused);
  } finally {
    carrier.release();
  }
}

/** Writes the row of a refusal and answers the client. */
async function refuse(state: AskState, { result, retry, status = 403, wasSent }: Refused): Promise<void> {
  const { parts, carrier } = state;
  const reason = result.reason ?? "";
  const ask = state.judged?.ask ?? carrier.unjudged(reason);
  const verdict = state.judged?.verdict ?? { action: "deny", rule: "", line: 0, reason };
  // Other carriers have no status.
  const row = ask.carrier === "http" ? { ...result, status } : result;
  if (state.mode === "observe") parts.recorder.observed(ask, verdict, undefined);
  else if (result.outcome === "failed") parts.recorder.forwarded(ask, verdict, row);
  else parts.recorder.refused(ask, verdict, row);
  const { tier, command, circumstance } = ask.operation;
  await carrier.refuse({
    status,
    outcome: result.outcome,
    tier,
    command,
    rule: verdict.rule,
    reason: maskValues([result.reason, circumstance].filter(Boolean).join("; ")),
    retry,
    ...(status === 403 ? wayOut(parts, ask, result.outcome) : {}),
    ...(wasSent ? { wasSent } : {}),
    ...(result.instead ? { instead: maskValues(result.instead) } : {}),
    ...(result.approvalId ? { approvalId: result.approvalId } : {}),
  });
}
