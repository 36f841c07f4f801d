// Where a policy that is only tried would decide otherwise than the one in force. Pure; nothing
// that is found here changes a verdict.

import type { Action } from "../../model/action.ts";
import type { Classification } from "../../model/classification.ts";
import type { Verdict } from "../../model/verdict.ts";
import type { Policy } from "../policy.ts";
import { decide } from "./decide.ts";

/** A policy of the control plane that is only tried. */
export interface DryPolicy {
  readonly revision: number;
  /** policy.yaml with the tried policy in the place of the control plane's. */
  readonly policy: Policy;
}

/** The verdict that the tried policy would have given, as rows have it. */
export interface DryDifference {
  readonly revision: number;
  /** The policy in force decided so. */
  readonly decided: Action;
  readonly would_be: Action;
  readonly rule: string;
  /** Only the control plane could have allowed it. */
  readonly central?: true;
}

/** The difference between a verdict and that of the tried policy; undefined when there is none. */
export function dryDifference(
  { revision, policy }: DryPolicy,
  verdict: Verdict,
  classification: Classification,
  mayWiden: boolean,
): DryDifference | undefined {
  const { action, rule, isCentral } = decide(policy, classification, mayWiden);
  if (action === verdict.action && isCentral === verdict.isCentral) return undefined;
  return {
    revision,
    decided: verdict.action,
    would_be: action,
    rule,
    ...(isCentral === true ? { central: true } : {}),
  };
}
