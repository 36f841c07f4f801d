// An ask that waits for a person while the policy changes. An approval never overrides a deny, and
// never releases an ask that differs by now from the shown one.

import type { Classification } from "../../model/classification.ts";
import type { Judgement } from "../../model/verdict.ts";

/**
 * Why an ask may wait no longer, in a clause; undefined when a person may still decide. `now`: the judgement
 * by the policy in force. `wasCentral`: only the control plane could allow it before.
 */
export function whyRevoked(
  { classification, verdict }: Judgement,
  shown: Classification,
  wasCentral: boolean,
): string | undefined {
  if (verdict.action === "deny") return `the policy changed while it waited: ${verdict.reason}`;
  // Who may answer has changed with it.
  if (verdict.isCentral === true && !wasCentral)
    return "the policy changed while it waited: only the control plane may allow it now";
  const isSame =
    classification.protocol === shown.protocol &&
    classification.tier === shown.tier &&
    classification.command === shown.command;
  return isSame ? undefined : "the policy changed while it waited, and it is judged as another request now";
}
