// One ask of a carrier that is not HTTP, from judged to recorded: judge, decide or hold, write the intent, do it, write
// how it ended. A carrier (an MCP server, an SSH channel) gives an ask, two ways to end it and nothing else. Whatever
// goes wrong before `forward` is a refusal; `forward` is called at most once, and never before its intent is on disk.

import type { Asker } from "../../model/agent-label.ts";
import type { Ask, AskFields } from "../../model/ask.ts";
import type { Judgement, Verdict } from "../../model/verdict.ts";
import type { Policy } from "../../policy/policy.ts";
import type { Refusal } from "../../protocols/refused.ts";
import { unknownClassification } from "../../protocols/unknown.ts";
import { maskValues } from "../../redaction/secret-value.ts";
import { askerOf } from "./asker.ts";
import type { Gateway } from "./context.ts";
import { afterHold, type Decision, decideAtOnce, unrecorded } from "./decision.ts";
import { holdAsk } from "./hold-ask.ts";
import { recordIntent } from "./intent.ts";
import { whyRevoked } from "./judged-again.ts";
import { randomHex } from "./random-hex.ts";
import type { RequestResult } from "./recorder.ts";
import { wayOut } from "./way-out.ts";

/** What a carrier knows of an ask before it is judged. `digest` is made by `askDigest`. */
export type Asked = Pick<Ask, "carrier" | "target" | "subject" | "fields" | "evidence" | "digest"> & {
  /** False where not all of it could be read, so that no other is the same. True when absent. */
  readonly canRecur?: boolean;
  /** Bytes of it that are kept in memory while it waits. */
  readonly heldBytes: number;
};

/** How an ask that was done ended. */
export interface Ending {
  /** Added to its row: `{ exit_code: 1 }`, `{ bytes: 120 }`. */
  readonly fields?: AskFields;
  /** It was not carried out, or not known to be: why, in a clause. */
  readonly failure?: string;
}

/** What a carrier does for one ask. */
export interface Carried {
  readonly asked: Asked;
  /**
   * Classifies and decides by this policy (`judgeOperation` of policy/decide/judge.ts does both steps). Called again
   * before a held ask is released, because the policy may have changed. Throwing is a refusal.
   */
  judge(policy: Policy, asker: Asker): Judgement;
  /** Calls back when the client goes away; returns the way to stop listening. */
  onLeave(left: () => void): () => void;
  /** Refuses in the client's language. */
  refuse(refusal: Refusal): Promise<void> | void;
  /**
   * Does it. `ended` is called once, when the outcome is known, before the client is told; what it throws before that
   * counts as a failure and is thrown on.
   */
  forward(ended: (ending?: Ending) => void): Promise<void>;
}

/** The parts of the gateway that asks are judged with. */
export type AskParts = Pick<
  Gateway,
  "mode" | "inspection" | "settings" | "presentRuns" | "grants" | "broker" | "recorder" | "log"
>;

/** Judges one ask and carries out the verdict. In the modes `off` and `passthrough` nothing is judged or recorded. */
export async function runAsk(gateway: AskParts, carried: Carried): Promise<void> {
  const mode = gateway.mode.current;
  if (mode === "off" || mode === "passthrough") return carried.forward(() => {});
  const { asked } = carried;
  const asker = askerOf(gateway, asked.subject.client);
  const startedMs = Date.now();
  const { classification, verdict } = judged(carried, gateway.inspection.policy, asker);
  const ask: Ask = {
    id: randomHex(8),
    carrier: asked.carrier,
    target: asked.target,
    operation: classification,
    subject: asked.subject,
    fields: asked.fields,
    evidence: asked.evidence,
    digest: asked.digest,
    canRecur: asked.canRecur ?? true,
    startedMs,
  };
  gateway.recorder.classified(ask, verdict);
  if (mode === "observe")
    return forward(carried, (ending) =>
      gateway.recorder.observed(withFields(ask, ending.fields), verdict, undefined),
    );

  const again = () => whyRevoked(judged(carried, gateway.inspection.policy, asker), classification);
  const decision =
    decideAtOnce(gateway.grants, ask, verdict) ?? (await held(gateway, carried, ask, verdict, again));
  if (decision.kind === "refuse") return refuse(gateway, carried, ask, verdict, decision);
  const problem = await recordIntent(gateway, ask, verdict, decision.result);
  if (problem !== undefined) return refuse(gateway, carried, ask, verdict, unrecorded(problem));
  return forward(carried, ({ fields, failure }) => {
    const result: RequestResult =
      failure === undefined ? decision.result : { ...decision.result, outcome: "failed", reason: failure };
    gateway.recorder.forwarded(withFields(ask, fields), verdict, result);
  });
}

/** A carrier that cannot judge is a mistake in it, and a mistake must not open the gate. */
function judged(carried: Carried, policy: Policy, asker: Asker): Judgement {
  try {
    return carried.judge(policy, asker);
  } catch (error) {
    // Only the kind of error: its message may quote what was asked, and the reason is shown to the client.
    const reason = `judging failed with ${error instanceof Error ? error.name : typeof error}`;
    const classification = unknownClassification("generic", reason);
    return { classification, verdict: { action: "deny", rule: "", line: 0, reason } };
  }
}

async function held(
  gateway: AskParts,
  carried: Carried,
  ask: Ask,
  verdict: Verdict,
  again: () => string | undefined,
): Promise<Decision> {
  gateway.recorder.escalated(ask, verdict);
  const question = {
    verdict,
    again,
    heldBytes: carried.asked.heldBytes,
    onLeave: (left: () => void) => carried.onLeave(left),
  };
  return afterHold(await holdAsk(gateway.broker, ask, question), again);
}

/** Does it and records how it ended, once, whatever the carrier calls or throws. */
async function forward(carried: Carried, record: (ending: Ending) => void): Promise<void> {
  let isRecorded = false;
  const ended = (ending: Ending = {}) => {
    if (isRecorded) return;
    isRecorded = true;
    record(ending);
  };
  try {
    await carried.forward(ended);
    ended();
  } catch (error) {
    ended({ failure: BROKEN_OFF });
    throw error;
  }
}

/** Nobody waited to hear what became of it. */
const BROKEN_OFF = "the client went away before there was an answer; it may have been carried out";

async function refuse(
  gateway: AskParts,
  carried: Carried,
  ask: Ask,
  verdict: Verdict,
  { result, retry, status = 403 }: Extract<Decision, { kind: "refuse" }>,
): Promise<void> {
  gateway.recorder.refused(ask, verdict, result);
  const { tier, command, circumstance } = ask.operation;
  await carried.refuse({
    status,
    outcome: result.outcome,
    tier,
    command,
    rule: verdict.rule,
    reason: maskValues([result.reason, circumstance].filter(Boolean).join("; ")),
    retry,
    ...(status === 403 ? wayOut(gateway, ask, result.outcome) : {}),
    ...(result.approvalId ? { approvalId: result.approvalId } : {}),
  });
}

function withFields(ask: Ask, fields: AskFields | undefined): Ask {
  return fields === undefined ? ask : { ...ask, fields: { ...ask.fields, ...fields } };
}
