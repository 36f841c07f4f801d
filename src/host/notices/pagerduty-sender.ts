// Tells PagerDuty by its Events API v2: a request that waits triggers, a person who looks at it
// acknowledges, its end resolves. All three carry the same dedup_key, so that a repetition is no
// second incident. PagerDuty only tells; nothing can be answered there.

import { type OutboundRequest, sendRequest } from "../outgoing/send-request.ts";
import { clampedLine, endOf, factsOf, headlineOf, shortDigest } from "./clean-text.ts";
import type { Notice, NoticeSender, NoticeStep } from "./notice.ts";
import { sentBy } from "./webhook-sender.ts";

/** Where events go; the region `eu` has a host of its own. */
export const PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue";

const ACTION: Readonly<Record<NoticeStep, "trigger" | "acknowledge" | "resolve">> = {
  asked: "trigger",
  seen: "acknowledge",
  settled: "resolve",
};

/** `severity` of an event by the tier of the request. */
const SEVERITY: Readonly<Record<Notice["tier"], "critical" | "error" | "warning" | "info">> = {
  "break-glass": "critical",
  unknown: "error",
  sensitive: "error",
  modify: "warning",
  observe: "info",
};

/** Sends events with `routingKey`. */
export function pagerdutySender(base: () => OutboundRequest, routingKey: string): NoticeSender {
  return {
    steps: ["asked", "seen", "settled"],
    wantsAll: false,
    mayRepeat: true,
    gapMs: 500,
    async send(notice, _handle, signal) {
      const request = base();
      const answer = await sendRequest({
        ...request,
        headers: { "content-type": "application/json", ...request.headers },
        body: JSON.stringify(eventOf(notice, routingKey)),
        signal,
      });
      // 429 is for all events of the key: it waits as PagerDuty says, a minute where it does not.
      if (answer.kind === "answered" && answer.status === 429)
        return {
          kind: "failed",
          reason: "PagerDuty takes no more for now (429)",
          afterMs: answer.afterMs ?? 60_000,
        };
      return sentBy(answer);
    },
    async [Symbol.asyncDispose]() {},
  };
}

function eventOf(notice: Notice, routingKey: string): object {
  const dedup_key = `iddio/${notice.machine}/${notice.subject}`.slice(0, 255);
  const event_action = ACTION[notice.step];
  if (event_action !== "trigger") return { routing_key: routingKey, event_action, dedup_key };
  const what = notice.command === "" ? notice.request : notice.command;
  return {
    routing_key: routingKey,
    event_action,
    dedup_key,
    payload: {
      summary: clampedLine(headlineOf(notice, `: ${what} on ${notice.target}`), 1_024),
      source: clampedLine(notice.machine, 255),
      severity: SEVERITY[notice.tier],
      timestamp: new Date(notice.createdMs).toISOString(),
      component: "iddio",
      group: notice.protocol,
      class: notice.tier,
      custom_details: {
        ...Object.fromEntries(factsOf(notice)),
        request: clampedLine(notice.request, 4_096),
        approval: notice.approvalId,
        digest: shortDigest(notice.digest),
        waits_until: new Date(notice.expiresMs).toISOString(),
        ...(notice.step === "settled" ? { end: endOf(notice) } : {}),
      },
    },
  };
}
