// A target as it is stored in state.db: a person's configuration, checked before anything is kept.
// Secrets in it never come out again.

import { randomBytes } from "node:crypto";
import type { NotifyStart } from "../../api/methods/notify.ts";
import { NOTICE_STEPS, type Notice } from "../../host/notices/notice.ts";
import { kindOfTarget, type NoticeTarget, noticeOpener } from "../../host/notices/notice-targets.ts";
import type { OutboxStore } from "../../host/notices/outbox.ts";
import { newWebhookSecret } from "../../host/outgoing/standard-webhook.ts";
import { TIERS, type Tier } from "../../model/tier.ts";
import { UserError } from "../../model/user-error.ts";
import type { Notices, StoredTarget } from "../../state/tables/notices.ts";

/** One target. */
export interface TargetConfig extends NoticeTarget {
  /** Requests below it are not told. */
  readonly fromTier: Tier;
  readonly evidence: "summary" | "full";
}

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const MAX_APPROVERS = 200;

/** Reads the stored form of a target. */
export function configOf({ json }: StoredTarget): TargetConfig {
  return JSON.parse(json) as TargetConfig;
}

/** Checks a target as a person typed it. Throws a `UserError` that says what is wrong. */
export function checkedTarget(start: NotifyStart): TargetConfig {
  const { name, target, headers = {}, secrets = [], approvers = [] } = start;
  if (!NAME.test(name))
    throw new UserError(`'${name}' cannot be a name`, {
      hint: "lower-case letters, digits and hyphens, at most 32",
      exitCode: 2,
    });
  for (const [field, value] of Object.entries(headers))
    if (!HEADER_NAME.test(field) || /[^\t\x20-\x7e]/.test(value))
      throw new UserError(`'${field}' cannot be sent as a header`, { exitCode: 2 });
  if (approvers.length > MAX_APPROVERS)
    throw new UserError(`at most ${MAX_APPROVERS} people may answer`, { exitCode: 2 });
  const isWebhook = kindOfTarget(target) === "webhook";
  if (isWebhook && secrets.length > 0)
    throw new UserError("the secret of a webhook is made here and shown once", { exitCode: 2 });
  const config: TargetConfig = {
    name,
    target,
    secrets: isWebhook ? [newWebhookSecret()] : secrets,
    approvers,
    takesReplies: start.replies === true,
    headers,
    fromTier: start.from_tier ?? TIERS[0],
    evidence: start.evidence ?? "summary",
    ...(start.ca_pem === undefined ? {} : { caPem: start.ca_pem }),
  };
  noticeOpener(config);
  return config;
}

/** The rows of one target, as its outbox wants them. */
export function outboxStore(notices: Notices, target: string): OutboxStore {
  return {
    next() {
      const row = notices.next(target);
      return row === undefined
        ? undefined
        : {
            wanted: JSON.parse(row.wanted) as Notice,
            shown: NOTICE_STEPS[row.shown_step],
            handle: row.handle ?? undefined,
            isClaimed: row.claimed === 1,
          };
    },
    change(subject, { shown, handle, isClaimed, setAside }) {
      notices.change(target, subject, {
        ...(shown === undefined ? {} : { shownStep: NOTICE_STEPS.indexOf(shown) }),
        ...(handle === undefined ? {} : { handle }),
        ...(isClaimed === undefined ? {} : { isClaimed }),
        ...(setAside === undefined ? {} : { setAside }),
      });
    },
  };
}

/** A message that says it is a test. Nobody can answer it. */
export function testNotice(machine: string): Notice {
  const nowMs = Date.now();
  return {
    subject: `test/${nowMs}`,
    step: "asked",
    nonce: randomBytes(24).toString("base64url"),
    title: "a test: nothing waits",
    approvalId: "appr_00000000",
    digest: "",
    tier: "observe",
    protocol: "generic",
    command: "notify test",
    target: "none",
    labels: {},
    request: "This is a test of iddio notify.",
    evidence: [],
    rule: "",
    reason: "",
    askedBy: "",
    machine,
    createdMs: nowMs,
    expiresMs: nowMs,
  };
}
