// The one function that decides about a request: the proxy, observe mode, `decide` and `classify`
// all call it. It always returns a reason, and the last resort is the strict answer. A classifier
// that throws is a bug, and a bug must not open the gate: the request is then unknown.

import { stricterAction } from "../../model/action.ts";
import { AGENT_LABEL, type Asker, OUTSIDE } from "../../model/agent-label.ts";
import type { Classification } from "../../model/classification.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { HttpRequest, RequestHead } from "../../model/request.ts";
import { stricterTier } from "../../model/tier.ts";
import type { Judgement } from "../../model/verdict.ts";
import type { Classifier } from "../../protocols/classifier.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { unknownClassification } from "../../protocols/unknown.ts";
import type { Policy } from "../policy.ts";
import { decide } from "./decide.ts";

/** Finds a protocol's classifier; tests pass their own. */
export type ClassifierLookup = (protocol: Protocol) => Classifier;

/**
 * Judges a request by every protocol whose route it matched and returns the strictest judgement, on a tie the
 * one with the stricter tier, then the first. Without any protocol the answer is deny.
 */
export function judge(
  policy: Policy,
  protocols: readonly Protocol[],
  request: HttpRequest,
  lookup: ClassifierLookup = classifierFor,
  asker: Asker = OUTSIDE,
): Judgement {
  let strictest: Judgement | undefined;
  for (const protocol of protocols) {
    const judgement = judgeOperation(policy, classify(protocol, request, lookup), asker);
    if (strictest === undefined || isStricter(judgement, strictest)) strictest = judgement;
  }
  return strictest ?? unrouted();
}

/** Whether any of the protocols' classifiers needs this request's body; a classifier that throws counts as yes. */
export function needsBody(
  protocols: readonly Protocol[],
  head: RequestHead,
  lookup: ClassifierLookup = classifierFor,
): boolean {
  return protocols.some((protocol) => {
    try {
      return lookup(protocol).needsBody(head);
    } catch {
      return true;
    }
  });
}

/** Judges an operation that was classified already: a tool call, a channel, a program in a script. */
export function judgeOperation(policy: Policy, operation: Classification, asker: Asker = OUTSIDE): Judgement {
  const classification = ofAsker(operation, asker);
  return { classification, verdict: decide(policy, classification, asker.isPresent) };
}

/** The classification with the name of the run that asks, on every part. */
export function ofAsker(classification: Classification, { run }: Asker): Classification {
  if (run === undefined) return classification;
  const { parts, labels, ...rest } = classification;
  const named = { ...rest, labels: { ...labels, [AGENT_LABEL]: run } };
  return parts === undefined
    ? named
    : { ...named, parts: parts.map((part) => ofAsker(part, { run, isPresent: false })) };
}

function classify(protocol: Protocol, request: HttpRequest, lookup: ClassifierLookup): Classification {
  try {
    const classification = lookup(protocol).classify(request);
    // The route chose the block; a classifier that answers for another protocol must not move the request there.
    return classification.protocol === protocol ? classification : { ...classification, protocol };
  } catch (error) {
    // Only the kind of error: its message may quote the body, and the reason is shown to the client.
    const kind = error instanceof Error ? error.name : typeof error;
    return unknownClassification(protocol, `the ${protocol} classifier failed with ${kind}`);
  }
}

/** The stricter of two judgements of the same thing, the first of equals. */
export function stricterJudgement(one: Judgement, other: Judgement): Judgement {
  return isStricter(other, one) ? other : one;
}

function isStricter(one: Judgement, other: Judgement): boolean {
  if (one.verdict.action !== other.verdict.action)
    return stricterAction(one.verdict.action, other.verdict.action) === one.verdict.action;
  const [tier, otherTier] = [one.classification.tier, other.classification.tier];
  return tier !== otherTier && stricterTier(tier, otherTier) === tier;
}

function unrouted(): Judgement {
  const reason = "no protocol was given to judge the request by";
  const classification = unknownClassification("generic", reason);
  return { classification, verdict: { action: "deny", rule: "", line: 0, reason } };
}
