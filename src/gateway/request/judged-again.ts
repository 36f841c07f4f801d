// A request that waits for a person while the policy changes: what it is by the policy that is in force now. An
// approval never overrides a deny, and never releases what is another request by now than the one that was shown.

import type { Asker } from "../../model/agent-label.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { HttpRequest } from "../../model/request.ts";
import type { Judgement } from "../../model/verdict.ts";
import { judge } from "../../policy/decide/judge.ts";
import type { Policy } from "../../policy/policy.ts";
import { classifierFor } from "../../protocols/registry.ts";

/** Why it may wait no longer, in a clause; undefined when a person may still decide about what was shown. */
export function judgedAgain(
  policy: Policy,
  protocols: readonly Protocol[],
  request: HttpRequest,
  { classification: shown }: Judgement,
  asker: Asker,
): string | undefined {
  const { classification, verdict } = judge(policy, protocols, request, classifierFor, asker);
  if (verdict.action === "deny") return `the policy changed while it waited: ${verdict.reason}`;
  const isSame =
    classification.protocol === shown.protocol &&
    classification.tier === shown.tier &&
    classification.command === shown.command;
  return isSame ? undefined : "the policy changed while it waited, and it is judged as another request now";
}
