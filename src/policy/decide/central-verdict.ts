// What the policy of a control plane adds to the verdict of policy.yaml: never anything milder. Pure; whether the control
// plane was reached lately is told from outside.

import type { Classification } from "../../model/classification.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import type { CentralPolicy } from "../policy.ts";
import { stricterVerdict } from "./rule-table.ts";

/** What a rule of the control plane's policy begins with, wherever it is named. */
export const CENTRAL_RULE = "central:";

/** The stricter of both verdicts, the local one of equals; `central` is what the other policy says by itself. */
export function withCentral(
  own: Verdict,
  { tiers, isStale }: CentralPolicy,
  classification: Classification,
  central: Verdict,
): Verdict {
  const named = { ...central, rule: `${CENTRAL_RULE}${central.rule}` };
  const theirs =
    isStale && central.action === "allow" && classification.tier !== "observe" ? stale(named) : named;
  const verdict = stricterVerdict(own, theirs);
  if (verdict.action !== "escalate" || !hasTier(classification, tiers)) return verdict;
  return { ...verdict, isCentral: true };
}

function stale(verdict: Verdict): Verdict {
  const reason =
    "the control plane was not reached for too long, so its policy allows nothing without a person";
  return { ...verdict, action: "escalate", reason };
}

/** Whether the ask, or one of its parts, is of these tiers. */
function hasTier({ tier, parts = [] }: Classification, tiers: ReadonlySet<TierOrUnknown>): boolean {
  return tiers.has(tier) || parts.some((part) => hasTier(part, tiers));
}
