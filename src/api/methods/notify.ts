// The control methods about the receivers of notices, with their inputs and replies. Secrets go in;
// none comes out but one that the daemon made, once.

import { TIERS } from "../../model/tier.ts";
import { method } from "../method.ts";
import { flag, list, map, number, object, optional, text, type Value, words } from "../schema.ts";

/** How much of a request leaves the machine. */
export const EVIDENCE_SENT = ["summary", "full"] as const;

/** How one target goes. */
export const notifyReport = object({
  name: text(),
  target: text("its address, without secrets"),
  kind: words(["slack", "webhook", "pagerduty", "email"]),
  from_tier: words(TIERS, "requests below it are not told"),
  evidence: words(EVIDENCE_SENT),
  approvers: list(text(), "who may answer, as team/user of Slack"),
  takes_replies: flag("a webhook's receiver may answer by a callback"),
  added_ms: number(),
  delivered: number("messages since the daemon started"),
  waiting: number("questions that it was not told as far as it should be"),
  set_aside: number("questions that it will not get, because it refused them or their end is unknown"),
  last_delivered_ms: optional(number()),
  problem: optional(text("of the last try or of the link, as a clause; absent when it went well")),
  failing_since_ms: optional(number()),
});

/** A target of notices as the methods report it. */
export type NotifyReport = Value<typeof notifyReport>;

/** The input of `notify_add`. */
export const notifyStart = object({
  name: text(),
  target: text("its address; the scheme says the kind"),
  secrets: optional(list(text(), "tokens, the routing key or the password, whatever the kind needs")),
  approvers: optional(list(text(), "team/user of Slack")),
  replies: optional(flag("take callbacks from the receiver of a webhook")),
  from_tier: optional(words(TIERS)),
  evidence: optional(words(EVIDENCE_SENT)),
  headers: optional(map(text())),
  ca_pem: optional(text("trusted instead of the system's roots")),
});

/** A target as `notify_add` takes it. */
export type NotifyStart = Value<typeof notifyStart>;

const NO_SUCH = { "not-found": "no target has this name" };

/** Their part of the table. */
export const NOTIFY_METHODS = {
  notify_list: method("read", "GET", "/v1/notify", {
    about: "who is told of requests that wait, and how that goes",
    output: object({ targets: list(notifyReport) }),
  }),
  notify_add: method("change", "POST", "/v1/notify/add", {
    about: "tells one more target of requests that wait",
    input: notifyStart,
    output: object({ target: notifyReport, secret: optional(text("of a webhook; told only now")) }),
  }),
  notify_rotate: method("change", "POST", "/v1/notify/rotate", {
    about: "gives a webhook a new secret; the one before is valid until the next time",
    input: object({ name: text() }),
    output: object({ target: notifyReport, secret: text() }),
    errors: NO_SUCH,
  }),
  notify_test: method("change", "POST", "/v1/notify/test", {
    about: "sends one message that says it is a test",
    input: object({ name: text() }),
    output: object({ problem: optional(text("why it did not arrive, as a clause")) }),
    errors: NO_SUCH,
  }),
  notify_remove: method("change", "POST", "/v1/notify/remove", {
    about: "tells a target nothing more; nobody can answer there any more",
    input: object({ name: text() }),
    output: object({ target: notifyReport }),
    errors: NO_SUCH,
  }),
} as const;
