// Makes the notice of an approval from the broker's facts. Pure. The target's setting says how much
// of the request goes along; secrets in it were masked when the ask was made.

import type { PendingApproval } from "../../gateway/request/broker.ts";
import type { Notice } from "../../host/notices/notice.ts";
import { nameOfAsk, type Subject } from "../../model/ask.ts";

/** Everything of a question but its nonce, which is another for each target. */
export type NoticeQuestion = Omit<Notice, "nonce">;

/** The question that an approval puts, as it is asked. */
export function questionOf(approval: PendingApproval, machine: string): NoticeQuestion {
  const { id, ask, rule, reason, createdMs, expiresMs } = approval;
  const { operation, target, subject, evidence } = ask;
  const [first, ...others] = evidence;
  return {
    subject: `${id}/${createdMs}`,
    step: "asked",
    approvalId: id,
    digest: ask.digest,
    tier: operation.tier,
    protocol: operation.protocol,
    command: nameOfAsk(ask),
    target: target.port === 0 || target.port === 443 ? target.name : `${target.name}:${target.port}`,
    labels: operation.labels,
    request: first?.text ?? "",
    evidence: others.map(({ label, text }) => ({ label, text })),
    rule,
    reason,
    askedBy: askedBy(subject),
    machine,
    createdMs,
    expiresMs,
  };
}

/** The same as one target is told it. */
export function noticeFor(question: NoticeQuestion, evidence: "summary" | "full", nonce: string): Notice {
  return { ...question, nonce, evidence: evidence === "full" ? question.evidence : [] };
}

function askedBy({ client, agent }: Subject): string {
  const run = client?.run === undefined ? "" : `run ${client.run}`;
  return [agent ?? "", run, client?.process ?? "", client?.user === undefined ? "" : `user ${client.user}`]
    .filter((each) => each !== "")
    .join(", ");
}
