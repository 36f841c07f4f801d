// Cards in one channel of Slack, and the clicks on them. A card is claimed before it is posted
// (outbox.ts); one whose posting nobody saw the end of is looked for in the channel by its metadata
// and not posted twice. In a channel that is shared with another organisation, or whose state Slack
// does not tell, cards have no buttons.

import type { Found, Notice, NoticeSender, Sent } from "../notice.ts";
import { cardOf } from "./card.ts";
import { callSlack, type SlackAnswer, type SlackApi } from "./slack-api.ts";
import { type CardClick, SocketMode } from "./socket-mode.ts";

/** The inputs of a Slack sender. */
export interface SlackTarget {
  readonly api: SlackApi;
  readonly channel: string;
  /** Without anybody who may answer there is no link, and no card has buttons. */
  readonly hasApprovers: boolean;
  readonly proxyFor: (url: string) => string;
  readonly onClick: (click: CardClick) => void;
  readonly onTurn: (problem: string | undefined) => void;
}

const EVENT_TYPE = "iddio_approval";
const CHANNEL_KNOWN_MS = 10 * 60_000;
const BROKEN_MS = 60_000;
const GAP_MS = 1_100;

/** Opens it; the link begins at once. */
export function slackSender(target: SlackTarget): NoticeSender {
  const { api, channel, hasApprovers } = target;
  const link = hasApprovers ? new SocketMode(target) : undefined;
  let shared: { readonly isShared: boolean; readonly untilMs: number } | undefined;

  /** Whether people of other organisations are there. */
  const isShared = async (signal: AbortSignal): Promise<boolean> => {
    if (shared !== undefined && shared.untilMs > Date.now()) return shared.isShared;
    const answer = await callSlack(api, `conversations.info?channel=${channel}`, {}, signal);
    if (answer.kind === "failed") return true;
    const about =
      answer.kind === "ok" ? (answer.value.channel as Readonly<Record<string, unknown>>) : undefined;
    const isOwn =
      about !== undefined && about.is_ext_shared === false && about.is_pending_ext_shared !== true;
    shared = { isShared: !isOwn, untilMs: Date.now() + CHANNEL_KNOWN_MS };
    return shared.isShared;
  };

  const post = async (notice: Notice, signal: AbortSignal): Promise<Sent> => {
    const answer = await callSlack(
      api,
      "chat.postMessage",
      {
        channel,
        ...cardOf(notice, hasApprovers && !(await isShared(signal))),
        metadata: { event_type: EVENT_TYPE, event_payload: { subject: notice.subject } },
        unfurl_links: false,
        unfurl_media: false,
        link_names: false,
        parse: "none",
      },
      signal,
    );
    if (answer.kind !== "ok") return sentBySlack(answer);
    return { kind: "delivered", handle: String(answer.value.ts) };
  };

  const update = async (notice: Notice, ts: string, signal: AbortSignal): Promise<Sent> => {
    const answer = await callSlack(
      api,
      "chat.update",
      { channel, ts, ...cardOf(notice, false), parse: "none", link_names: false },
      signal,
    );
    if (answer.kind === "ok") return { kind: "delivered", handle: ts };
    // Somebody deleted the card, so there is nothing to bring up to date.
    if (answer.kind === "refused" && /^(?:message_not_found|cant_update_message)$/.test(answer.error))
      return { kind: "delivered", handle: ts };
    return sentBySlack(answer);
  };

  const find = async ({ subject, createdMs }: Notice, signal: AbortSignal): Promise<Found> => {
    const oldest = Math.floor(createdMs / 1000) - 60;
    const query = `channel=${channel}&oldest=${oldest}&limit=200&include_all_metadata=true`;
    const answer = await callSlack(api, `conversations.history?${query}`, {}, signal);
    if (answer.kind !== "ok")
      return { kind: "unknown", reason: "reason" in answer ? answer.reason : `Slack said ${answer.error}` };
    const messages = Array.isArray(answer.value.messages) ? (answer.value.messages as unknown[]) : [];
    for (const each of messages) {
      const { ts, metadata } = (each ?? {}) as Readonly<Record<string, unknown>>;
      const { event_type, event_payload } = (metadata ?? {}) as Readonly<Record<string, unknown>>;
      const about = (event_payload ?? {}) as Readonly<Record<string, unknown>>;
      if (event_type === EVENT_TYPE && about.subject === subject && typeof ts === "string")
        return { kind: "there", handle: ts };
    }
    return { kind: "absent" };
  };

  return {
    steps: ["asked", "settled"],
    wantsAll: false,
    mayRepeat: false,
    gapMs: GAP_MS,
    send: (notice, handle, signal) =>
      handle === undefined ? post(notice, signal) : update(notice, handle, signal),
    find,
    get problem() {
      return link?.problem;
    },
    async [Symbol.asyncDispose]() {
      link?.[Symbol.dispose]();
    },
  };
}

function sentBySlack(answer: Exclude<SlackAnswer, { kind: "ok" }>): Sent {
  switch (answer.kind) {
    case "failed":
      return answer;
    case "broken":
      return { kind: "failed", reason: `Slack said ${answer.error}`, afterMs: BROKEN_MS };
    case "refused":
      return { kind: "refused", reason: `Slack said ${answer.error}` };
  }
}
