// Holds an ask until a person decides. The one place where a judged ask becomes a question,
// whatever carried it, so that every carrier's question has the same facts and ends in the same
// ways.

import type { Ask } from "../../model/ask.ts";
import type { Verdict } from "../../model/verdict.ts";
import type { HeldEffect } from "../cluster/held-effect.ts";
import type { Broker, HoldOutcome } from "./broker.ts";
import { senderLookedUp } from "./client-owner.ts";
import { onceOnlyReason } from "./grant-subject.ts";

/** A question's parts besides the ask. */
export interface Question {
  readonly verdict: Verdict;
  /** Judges again by the policy in force: why it may wait no longer, undefined when it may. */
  readonly again: () => string | undefined;
  /** Bytes of it that are kept in memory while it waits. */
  readonly heldBytes: number;
  /** Why others like it may never be let through for a while; told by the ask itself when it is absent. */
  readonly onceOnly?: string;
  /** Equal for a client's attempts at the same stream by different protocols. */
  readonly fallbackKey?: string;
  /** The effect of the ask, where a dry run can show it. */
  readonly effect?: HeldEffect | undefined;
  /** Why it is asked about once more; "" the first time. */
  readonly because?: string;
  /** Calls back when the client goes away; returns the way to stop listening. */
  readonly onLeave: (left: () => void) => () => void;
}

/** Asks a person and waits for the answer. Never rejects. */
export async function holdAsk(broker: Broker, ask: Ask, question: Question): Promise<HoldOutcome> {
  const { verdict, again, heldBytes, onceOnly = onceOnlyReason(ask), fallbackKey, onLeave } = question;
  const { effect, because = "" } = question;
  await senderLookedUp(ask.subject.client);
  const revoked = again();
  if (revoked !== undefined) return { outcome: "revoked", id: "", reason: revoked };
  const { reason } = ask.operation;
  // A rule that may not be about this ask explains nothing without the reason for the doubt.
  const why = [because, reason, verdict.isInDoubt ? verdict.reason : ""].filter((each) => each !== "");
  return broker.hold(
    {
      ask,
      rule: verdict.rule,
      reason: why.join("; "),
      judgeAgain: again,
      onceOnly: verdict.isCentral ? "only the control plane may allow it" : onceOnly,
      isCentral: verdict.isCentral === true,
      heldBytes,
      ...(fallbackKey === undefined ? {} : { fallbackKey }),
      ...(effect === undefined ? {} : { effect }),
    },
    onLeave,
  );
}
