// The row that is on disk before a change reaches its upstream. Whoever cannot write it does not let the change go,
// unless the operator chose `audit_failure: open`.

import type { Ask } from "../../model/ask.ts";
import type { Verdict } from "../../model/verdict.ts";
import type { Gateway } from "./context.ts";
import type { RequestResult } from "./recorder.ts";

/** Undefined when the ask may go; else why its intent is not on disk. An ask of the tier observe needs no such row. */
export async function recordIntent(
  gateway: Pick<Gateway, "recorder" | "log" | "settings">,
  ask: Ask,
  verdict: Verdict,
  result: RequestResult,
): Promise<string | undefined> {
  if (ask.operation.tier === "observe") return undefined;
  try {
    const { decision: _, ...rest } = result;
    await gateway.recorder.intent(ask, verdict, rest);
    return undefined;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    gateway.log.error("audit row not written", { request_id: ask.id, reason: problem });
    return gateway.settings.current.audit_failure === "open" ? undefined : problem;
  }
}
