// The part of a refusal that is about the policy: it names the narrowest rule that would have
// allowed the ask. It is left out when a person denied the ask, because no rule would have helped.

import type { Ask } from "../../model/ask.ts";
import type { Outcome } from "../../model/outcome.ts";
import { describeWay, wayToAllow } from "../../policy/explain/way-to-allow.ts";
import type { Refusal } from "../../protocols/refused.ts";
import { askerOf } from "./asker.ts";
import type { Gateway } from "./context.ts";

/** The rule, as a field of a refusal; empty where none is to be named. */
export function wayOut(
  gateway: Pick<Gateway, "inspection" | "presentRuns">,
  { operation, subject }: Ask,
  outcome: Outcome,
): Pick<Refusal, "toAllow"> {
  if (outcome !== "refused" && outcome !== "timed_out" && outcome !== "withdrawn") return {};
  const { isPresent } = askerOf(gateway, subject.client);
  const toAllow = describeWay(wayToAllow(gateway.inspection.policy, operation, isPresent));
  return toAllow === undefined ? {} : { toAllow };
}
