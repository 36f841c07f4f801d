// The kinds of targets, by the scheme of their address. Owns the form of an address and the secrets
// that each kind needs; an unusable target is refused when it is added, not when a notice is due.

import { UserError } from "../../model/user-error.ts";
import { isSecureUrl } from "../../text/secure-url.ts";
import type { OutboundRequest, Reach } from "../outgoing/send-request.ts";
import { type EmailTarget, emailSender } from "./email-sender.ts";
import type { NoticeSender } from "./notice.ts";
import { PAGERDUTY_URL, pagerdutySender } from "./pagerduty-sender.ts";
import { slackSender } from "./slack/slack-sender.ts";
import type { CardClick } from "./slack/socket-mode.ts";
import { webhookSender } from "./webhook-sender.ts";

/** The kinds of targets for notices. */
export type NoticeKind = "slack" | "webhook" | "pagerduty" | "email";

/** A target as it is stored. Secrets in it never come out again. */
export interface NoticeTarget {
  readonly name: string;
  /** As typed: `slack:C0123456789`. */
  readonly target: string;
  /** Slack: the app's and the bot's token. PagerDuty: the routing key. E-mail: the password. Webhook: signing secrets, newest first. */
  readonly secrets: readonly string[];
  /** Who may answer, as `team/user` of Slack. */
  readonly approvers: readonly string[];
  /** Whether a webhook's receiver may answer by a callback. */
  readonly takesReplies: boolean;
  /** Extra fields of HTTP requests. */
  readonly headers: Readonly<Record<string, string>>;
  readonly caPem?: string;
}

/** A sender's inputs besides its target. */
export interface NoticeSurroundings {
  /** URL of the corporate proxy for an address; "" for none. */
  readonly proxyFor: (url: string) => string;
  /** The networks where targets may be; `private`, one's own as well, unless given. */
  readonly reach?: Reach;
  readonly onClick: (click: CardClick) => void;
  readonly onTurn: (problem: string | undefined) => void;
}

type Open = (around: NoticeSurroundings) => NoticeSender;

const HINT =
  "targets: slack:C0123456789, https://host/path (webhook), pagerduty:, smtps://user@host?from=…&to=…";
const SLACK_API = "https://slack.com/api/";
const APPROVER = /^[TE][A-Z0-9]{2,20}\/[UW][A-Z0-9]{2,20}$/;
const ADDRESS = /^[^\s<>,;:"()[\]\\@]{1,64}@[A-Za-z0-9.-]{1,255}$/;

/** The kind of a target by its address; undefined for none. */
export function kindOfTarget(target: string): NoticeKind | undefined {
  const scheme = /^([a-z+]+):/.exec(target)?.[1] ?? "";
  const kinds: Readonly<Record<string, NoticeKind>> = {
    slack: "slack",
    https: "webhook",
    http: "webhook",
    pagerduty: "pagerduty",
    smtps: "email",
    smtp: "email",
  };
  return Object.hasOwn(kinds, scheme) ? kinds[scheme] : undefined;
}

/** Reads a target and gives the way to open it. Throws a `UserError` for one that cannot be used. */
export function noticeOpener(config: NoticeTarget): Open {
  const { target, approvers, takesReplies } = config;
  const kind = kindOfTarget(target);
  if (approvers.length > 0 && kind !== "slack")
    throw unusable(target, "has nobody to answer", "only Slack has");
  if (takesReplies && kind !== "webhook") throw unusable(target, "takes no callbacks", "only webhooks do");
  switch (kind) {
    case "slack":
      return openSlack(config);
    case "webhook":
      return openWebhook(config);
    case "pagerduty":
      return openPagerduty(config);
    case "email":
      return openEmail(config);
    case undefined:
      throw unusable(target, "is of no known kind");
  }
}

function openSlack(config: NoticeTarget): Open {
  const { target, secrets, approvers } = config;
  const [, channel = "", query = ""] = /^slack:([CG][A-Z0-9]{2,20})(?:\?(.*))?$/.exec(target) ?? [];
  if (channel === "") throw unusable(target, "names no channel by its id", "slack:C0123456789");
  const base = parameters(target, query, ["api"]).get("api") ?? SLACK_API;
  if (!isSecureUrl(base) || !base.endsWith("/"))
    throw unusable(target, "has an address of the API that is not https");
  const appToken = secrets.find((each) => /^xapp-[A-Za-z0-9-]{10,300}$/.test(each));
  const botToken = secrets.find((each) => /^xoxb-[A-Za-z0-9-]{10,300}$/.test(each));
  if (botToken === undefined || (approvers.length > 0 && appToken === undefined))
    throw unusable(
      target,
      "needs the bot's token (xoxb-…), and with --approver the app's (xapp-…)",
      "give them on standard input, a line each",
    );
  const wrong = approvers.find((each) => !APPROVER.test(each));
  if (wrong !== undefined)
    throw new UserError(`'${wrong}' is no approver`, {
      hint: "team and user by their ids: T0123456789/U0123456789",
      exitCode: 2,
    });
  return (around) =>
    slackSender({
      api: {
        base,
        botToken,
        appToken: appToken ?? "",
        request: (url) => requestOf(config, url, around),
      },
      channel,
      hasApprovers: approvers.length > 0,
      ...around,
    });
}

function openWebhook(config: NoticeTarget): Open {
  const { target, secrets, takesReplies } = config;
  const url = urlOf(target, target);
  if (!isSecureUrl(url.href)) throw unusable(target, "is neither https nor on this machine");
  return (around) =>
    webhookSender({ base: () => requestOf(config, url.href, around), secrets, takesReplies });
}

function openPagerduty(config: NoticeTarget): Open {
  const { target, secrets } = config;
  const query = /^pagerduty:(?:\?(.*))?$/.exec(target)?.[1];
  if (query === undefined && target !== "pagerduty:") throw unusable(target, "has more than parameters");
  const url = parameters(target, query ?? "", ["url"]).get("url") ?? PAGERDUTY_URL;
  if (!isSecureUrl(url)) throw unusable(target, "has an address that is not https");
  const [key = ""] = secrets;
  if (!/^[A-Za-z0-9]{32}$/.test(key))
    throw unusable(
      target,
      "needs the routing key of an integration",
      "give its 32 characters on standard input",
    );
  return (around) => pagerdutySender(() => requestOf(config, url, around), key);
}

function openEmail({ target, secrets, caPem }: NoticeTarget): Open {
  const url = urlOf(target, target.replace(/^smtps?:/, "https:"), true);
  const isTls = target.startsWith("smtps:");
  if (url.pathname !== "/") throw unusable(target, "has a path");
  const query = parameters(target, url.search.slice(1), ["from", "to"]);
  const from = query.get("from") ?? "";
  const to = query.get("to") ?? "";
  const addresses = to.split(",").filter((each) => each !== "");
  const wrong = [from, ...addresses].find((each) => !ADDRESS.test(each));
  if (wrong !== undefined || addresses.length === 0)
    throw unusable(
      target,
      `needs from=… and to=… with addresses`,
      "…?from=iddio@example.com&to=ops@example.com",
    );
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const user = decodeURIComponent(url.username);
  const [password = ""] = secrets;
  if (user !== "" && password === "") throw unusable(target, "needs a password", "give it on standard input");
  const isPlain = !isTls && isSecureUrl(`http://${url.host}`);
  const port = Number(/:(\d{1,5})(?:[/?]|$)/.exec(target.replace(/^[a-z]+:\/\/(?:[^@]*@)?/, "//"))?.[1] ?? 0);
  const mail: EmailTarget = {
    host,
    port: port === 0 ? (isTls ? 465 : 587) : port,
    isTls,
    isPlain,
    user,
    password,
    from,
    to: addresses,
    ...(caPem === undefined ? {} : { caPem }),
  };
  return ({ reach = "private" }) => emailSender(mail, reach);
}

function requestOf(
  config: NoticeTarget,
  url: string,
  { proxyFor, reach = "private" }: NoticeSurroundings,
): OutboundRequest {
  return {
    url,
    headers: config.headers,
    reach,
    proxy: proxyFor(url),
    ...(config.caPem === undefined ? {} : { caPem: config.caPem }),
  };
}

function urlOf(target: string, text: string, mayHaveUser = false): URL {
  if (!URL.canParse(text)) throw unusable(target, "cannot be read");
  const url = new URL(text);
  if (url.password !== "" || (url.username !== "" && !mayHaveUser))
    throw unusable(target, "holds a password", "secrets are given on standard input");
  if (url.hostname === "") throw unusable(target, "names no host");
  return url;
}

function parameters(target: string, query: string, known: readonly string[]): URLSearchParams {
  const all = new URLSearchParams(query);
  const unknown = [...all.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw unusable(target, `has the unknown parameter '${unknown}'`);
  return all;
}

function unusable(target: string, why: string, hint = HINT): UserError {
  return new UserError(`the target '${target}' ${why}`, { hint, exitCode: 2 });
}
