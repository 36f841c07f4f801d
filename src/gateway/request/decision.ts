// Decides whether a judged request goes on, and with which result it is recorded. A person's
// denial, a policy that changed meanwhile, a body without room, a log that cannot be written:
// everything but an answer that allows is a refusal.

import type { Ask } from "../../model/ask.ts";
import type { Judgement, Verdict } from "../../model/verdict.ts";
import type { Grants } from "../../state/tables/grants.ts";
import type { HoldOutcome } from "./broker.ts";
import { grantSubject, onceOnlyReason } from "./grant-subject.ts";
import type { LookAheadShare } from "./http/look-ahead.ts";
import type { RequestResult } from "./records/recorder.ts";

/** The end of a judged request: it is forwarded or refused, with the result for its row. */
export type Decision =
  | { readonly kind: "forward"; readonly result: RequestResult }
  | {
      readonly kind: "refuse";
      readonly result: RequestResult;
      readonly retry: boolean;
      /** 403 without it. */
      readonly status?: number;
      /** It was on its way when it failed: nobody knows whether it was carried out. */
      readonly wasSent?: boolean;
    };

/** It does not go on. */
export type Refused = Extract<Decision, { kind: "refuse" }>;

/** Allow or deny; undefined when a person has to decide. */
export function decideAtOnce(
  grants: Grants,
  ask: Ask,
  { action, reason, isCentral }: Verdict,
): Decision | undefined {
  if (action === "allow") return { kind: "forward", result: { outcome: "allowed", decision: "allow" } };
  if (action !== "escalate")
    return { kind: "refuse", result: { outcome: "refused", decision: "deny", reason }, retry: false };
  // A central policy's verdict ignores grants of this machine.
  if (isCentral) return undefined;
  const grant = grants.find(grantSubject(ask));
  if (grant === undefined || onceOnlyReason(ask) !== undefined) return undefined;
  return {
    kind: "forward",
    result: { outcome: "granted", decision: "allow", approvalId: grant.approvalId },
  };
}

/** A request above observe whose body found no room is not judged, or shown to a person, without it. */
export function withoutRoom(
  { classification, verdict }: Judgement,
  share: LookAheadShare,
): Refused | undefined {
  if (!share.hadNoRoom || classification.tier === "observe" || verdict.action === "deny") return undefined;
  const decision = verdict.action === "escalate" ? "escalate" : "deny";
  const result = { outcome: "refused", decision, reason: share.problem } as const;
  return { kind: "refuse", result, retry: true, status: 503 };
}

/** How a hold ended, as a decision; `again` judges once more by the policy in force. */
export function afterHold(held: HoldOutcome, again: () => string | undefined): Decision {
  // Once more between the approval and the intent row: a policy may have come into force in between.
  const revoked = held.outcome === "approved" ? again() : undefined;
  if (revoked !== undefined) return refusedNow(revoked, held.id);
  const reason = held.reason ? { reason: held.reason } : {};
  const approvalId = held.id;
  switch (held.outcome) {
    case "approved":
      return { kind: "forward", result: { outcome: "approved", decision: "allow", approvalId, ...reason } };
    case "denied":
      return {
        kind: "refuse",
        result: {
          outcome: "denied",
          decision: "deny",
          approvalId,
          ...reason,
          ...(held.instead ? { instead: held.instead } : {}),
        },
        retry: false,
      };
    case "timed_out":
      return {
        kind: "refuse",
        result: { outcome: "timed_out", decision: "escalate", approvalId },
        retry: true,
      };
    case "revoked":
      return refusedNow(held.reason ?? "", held.id);
    case "withdrawn":
      return {
        kind: "refuse",
        result: { outcome: "withdrawn", decision: "escalate", approvalId, ...reason },
        retry: true,
      };
    default:
      // Too many wait already. Refusing is the strict answer: nobody was asked, so nobody said yes.
      return {
        kind: "refuse",
        result: {
          outcome: "refused",
          decision: "escalate",
          reason: held.reason ?? "too many requests wait for approval",
        },
        retry: true,
        ...(held.reason === undefined ? {} : { status: 503 }),
      };
  }
}

function refusedNow(reason: string, approvalId: string): Decision {
  const id = approvalId === "" ? {} : { approvalId };
  return { kind: "refuse", result: { outcome: "refused", decision: "deny", reason, ...id }, retry: false };
}

/** Its intent is not on disk. */
export function unrecorded(problem: string): Refused {
  return refusedFor(`the audit log cannot be written (${problem})`);
}

/** It cannot go on for a reason of iddio's own: not the policy's doing, so nobody is told that it was. */
export function refusedFor(reason: string): Refused {
  return { kind: "refuse", result: { outcome: "blocked", decision: "deny", reason }, retry: true };
}
