// A verdict is the policy's answer to one classified request, with the rule that gave it and the
// reason.

import type { Action } from "./action.ts";
import type { Classification } from "./classification.ts";

/** The outcome of judging: an action with the rule that gave it. Always carries a reason. */
export interface Verdict {
  readonly action: Action;
  /** Path of the deciding entry in policy.yaml, `kubectl.namespaces[0].rules.deny.groups[0]`; "" when no policy block applies. */
  readonly rule: string;
  /** 1-based line of that entry in the file; 0 when there is none. */
  readonly line: number;
  /** One lower-case clause for people. */
  readonly reason: string;
  /** Set where the rule is that of a scope which the request may or may not act in, as `reason` then says. */
  readonly isInDoubt?: true;
  /** Of an escalation: only the control plane may allow it; a person at the machine can still deny. */
  readonly isCentral?: true;
}

/** A verdict with the classification that it was reached on. */
export interface Judgement {
  readonly classification: Classification;
  readonly verdict: Verdict;
}
