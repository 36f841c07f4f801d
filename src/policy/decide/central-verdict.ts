// Adds the verdict of the control plane's policy to the verdict of policy.yaml: it is never milder.
// Pure; the caller says whether the control plane was reached lately.

import type { Classification } from "../../model/classification.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import type { CentralPolicy } from "../policy.ts";
import { stricterVerdict } from "./rule-table.ts";

/** Rules of the control plane's policy are named with this prefix. */
export const CENTRAL_RULE = "central:";

/** The stricter of both verdicts, the local one of equals; `central` is the other policy's own verdict. */
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
