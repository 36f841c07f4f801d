// Tells a webhook of requests that wait and of how they ended, signed as the Standard Webhooks
// specification has it. Where replies are taken, a message carries the values that a callback must
// name: approval, digest and nonce. The address that is called back is the operator's to know; a
// message never names one.

import { type OutboundRequest, sendRequest } from "../outgoing/send-request.ts";
import { webhookHeaders } from "../outgoing/standard-webhook.ts";
import { clampedLine, clampedLines } from "./clean-text.ts";
import type { Notice, NoticeSender, Sent } from "./notice.ts";

/** The inputs of a webhook sender. */
export interface WebhookTarget {
  readonly base: () => OutboundRequest;
  readonly secrets: readonly string[];
  readonly takesReplies: boolean;
}

/** Answers that say: this message, as it is, will never be taken. */
const ABOUT_THE_MESSAGE: ReadonlySet<number> = new Set([400, 410, 413, 415, 422]);
const TEXT_MAX = 16 * 1024;

/** Posts `{ type: "approval.asked" | "approval.settled", timestamp, data }`. */
export function webhookSender({ base, secrets, takesReplies }: WebhookTarget): NoticeSender {
  return {
    steps: ["asked", "settled"],
    wantsAll: true,
    mayRepeat: true,
    gapMs: 0,
    async send(notice, _handle, signal): Promise<Sent> {
      const nowMs = Date.now();
      const body = JSON.stringify({
        type: `approval.${notice.step}`,
        timestamp: new Date(nowMs).toISOString(),
        data: dataOf(notice, takesReplies),
      });
      // The same for every try, so that a receiver can tell one that it has already.
      const id = `msg_${notice.nonce}_${notice.step}`;
      const request = base();
      const answer = await sendRequest({
        ...request,
        headers: {
          "content-type": "application/json",
          ...request.headers,
          ...webhookHeaders(id, Math.floor(nowMs / 1000), body, secrets),
        },
        body,
        signal,
      });
      return sentBy(answer);
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Maps an HTTP answer to the end of the sending. */
export function sentBy(answer: Awaited<ReturnType<typeof sendRequest>>): Sent {
  if (answer.kind === "unreachable") return { kind: "failed", reason: answer.reason, isUncertain: true };
  const { status, text, afterMs } = answer;
  if (status >= 200 && status < 300) return { kind: "delivered" };
  const said = clampedLine(text.trim(), 200);
  const reason = `the receiver answered ${status}${said === "" ? "" : `: ${said}`}`;
  if (ABOUT_THE_MESSAGE.has(status)) return { kind: "refused", reason };
  return { kind: "failed", reason, ...(afterMs === undefined ? {} : { afterMs }) };
}

function dataOf(notice: Notice, takesReplies: boolean): object {
  const { step, outcome, by, note } = notice;
  return {
    approval_id: notice.approvalId,
    digest: notice.digest,
    tier: notice.tier,
    protocol: notice.protocol,
    command: notice.command,
    target: notice.target,
    labels: notice.labels,
    request: clampedLines(notice.request, TEXT_MAX),
    ...(notice.evidence.length === 0
      ? {}
      : {
          evidence: notice.evidence.map(({ label, text }) => ({ label, text: clampedLines(text, TEXT_MAX) })),
        }),
    rule: notice.rule,
    reason: notice.reason,
    asked_by: notice.askedBy,
    machine: notice.machine,
    created_ms: notice.createdMs,
    expires_ms: notice.expiresMs,
    ...(step === "settled" ? { outcome, by, note } : takesReplies ? { nonce: notice.nonce } : {}),
  };
}
