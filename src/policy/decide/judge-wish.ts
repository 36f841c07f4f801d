// Judges one wish of SSH, on the wire and on a command line: a host is judged under every name that
// it goes by, and the strictest verdict counts. A program that nothing is known about may be
// allowed by its name.

import type { Asker } from "../../model/agent-label.ts";
import type { Judgement } from "../../model/verdict.ts";
import type { ClassifiedWish } from "../../protocols/ssh/classify-wish.ts";
import type { Policy } from "../policy.ts";
import { judgeOperation, stricterJudgement } from "./judge.ts";

/** Where a wish leads. */
export interface WishPlace {
  /** The name under which it is shown and recorded. */
  readonly host: string;
  /** Every name of the host. */
  readonly hosts: readonly string[];
  /** "" where it is not known. */
  readonly user: string;
}

/** The strictest verdict over the names of the host. */
export function judgeWish(
  policy: Policy,
  { classification, isExact }: ClassifiedWish,
  { host: shown, hosts, user }: WishPlace,
  asker: Asker,
): Judgement {
  let strictest: Judgement | undefined;
  for (const host of hosts) {
    const labelled = withWhere(classification, host, user);
    let judged = judgeOperation(policy, labelled, asker);
    if (isExact && labelled.tier === "unknown") judged = byName(policy, judged, asker);
    strictest = strictest === undefined ? judged : stricterJudgement(strictest, judged);
  }
  if (strictest === undefined) throw new Error("a wish leads to at least one host");
  // Shown and recorded under one name, whichever decided.
  return { ...strictest, classification: withWhere(strictest.classification, shown, user) };
}

/** A program that nothing is known about may be allowed by a rule that names it, and by no rule that names a tier. */
function byName(policy: Policy, judged: Judgement, asker: Asker): Judgement {
  const operation = { ...judged.classification, tier: "sensitive" as const };
  const named = judgeOperation(policy, operation, asker).verdict;
  const unnamed = judgeOperation(policy, { ...operation, command: "", aliases: [] }, asker).verdict;
  const isNamed = named.action === "allow" && named.rule !== unnamed.rule;
  return isNamed ? { classification: judged.classification, verdict: named } : judged;
}

function withWhere(
  classification: Judgement["classification"],
  host: string,
  user: string,
): Judgement["classification"] {
  const { parts } = classification;
  return {
    ...classification,
    labels: { ...classification.labels, host, ...(user === "" ? {} : { user }) },
    ...(parts === undefined ? {} : { parts: parts.map((part) => withWhere(part, host, user)) }),
  };
}
