// The answer of `hooks_judge`, made from a judgement: by the daemon, and by a hook that finds none.

import type { ScriptJudgement } from "../../policy/decide/judge-script.ts";
import { wayForward } from "../../policy/explain/way-forward.ts";
import { describeWay, wayToAllow } from "../../policy/explain/way-to-allow.ts";
import type { Policy } from "../../policy/policy.ts";
import { maskFreeText } from "../../redaction/mask-text.ts";
import type { HookVerdict } from "./hook-report.ts";

const COMMAND_MAX = 400;

/** Words a judgement for the agent; secrets in the command are masked. */
export function hookVerdictOf(
  policy: Policy,
  { verdict, classification, part }: ScriptJudgement,
): HookVerdict {
  const hint = wayForward(part.argv, classification, verdict.action);
  const toAllow = describeWay(wayToAllow(policy, classification, false));
  // A verdict on an unknown operation has its reason in it, unless the policy has no block that could judge it.
  const isTold = classification.tier === "unknown" && policy.blocks.has(classification.protocol);
  return {
    action: verdict.action,
    reason: isTold ? verdict.reason : `${classification.reason}; ${verdict.reason}`,
    rule: verdict.rule,
    command: maskFreeText(part.argv.join(" ").slice(0, COMMAND_MAX)),
    tier: classification.tier,
    ...(hint === undefined ? {} : { hint }),
    ...(toAllow === undefined ? {} : { to_allow: toAllow }),
  };
}
