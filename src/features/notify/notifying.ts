// Everybody who is told of requests that wait, beside the desktop: keeps the targets, tells each of
// every question and of its end, and takes the answers that come back. Owns who may answer; the
// guard knows the worth of an answer, and the broker its meaning now.

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { NotifyReport, NotifyStart } from "../../api/methods/notify.ts";
import type { AnswerAs } from "../../api/principal.ts";
import type { Broker } from "../../gateway/request/broker.ts";
import type { Events } from "../../gateway/request/records/events.ts";
import { NOTICE_STEPS, type Notice, type Sent } from "../../host/notices/notice.ts";
import { kindOfTarget, noticeOpener } from "../../host/notices/notice-targets.ts";
import { Outbox } from "../../host/notices/outbox.ts";
import { newWebhookSecret } from "../../host/outgoing/standard-webhook.ts";
import type { Event } from "../../model/event.ts";
import { TIERS } from "../../model/tier.ts";
import { UserError } from "../../model/user-error.ts";
import type { Log } from "../../state/log/log.ts";
import type { Notices, StoredTarget } from "../../state/tables/notices.ts";
import { CardAnswers } from "./card-answers.ts";
import { type NoticeQuestion, noticeFor, questionOf } from "./notice-of.ts";
import { checkedTarget, configOf, outboxStore, type TargetConfig, testNotice } from "./target-config.ts";
import { WebhookAnswers } from "./webhook-answers.ts";

/** The parts that notifying works with. */
export interface NotifyingParts {
  readonly notices: Notices;
  readonly broker: Broker;
  readonly events: Events;
  readonly log: Log;
  readonly proxyFor: (url: string) => string;
  /** Answers an approval in somebody's name, through the gate of the control API. */
  readonly answerAs: AnswerAs;
}

const MAX_TARGETS = 20;
const MAX_SECRETS = 2;
/** The process that asks becomes known in this time. */
const GATHER_MS = 150;
const KEPT_MS = 24 * 60 * 60_000;
/** The command that asks for a test waits little longer. */
const TEST_MS = 8_000;
const SETTLED = NOTICE_STEPS.indexOf("settled");

/** Tells the targets of a daemon about waiting asks, and takes their answers. */
export class Notifying implements AsyncDisposable {
  readonly #parts: NotifyingParts;
  readonly #running = new Map<string, Outbox>();
  readonly #machine = hostname();
  readonly #stop: () => void;
  readonly #clicks: CardAnswers;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  /** The waiting asks, by approval. */
  readonly #asked = new Map<string, NoticeQuestion>();
  /** Takes the replies of a webhook's receiver. */
  readonly replies: WebhookAnswers;

  constructor(parts: NotifyingParts) {
    this.#parts = parts;
    const { notices, log, answerAs } = parts;
    const targetOf = (name: string) => this.#configs().find((each) => each.name === name);
    this.#clicks = new CardAnswers({ notices, log, answerAs, targetOf });
    this.replies = new WebhookAnswers({ notices, log, answerAs, targetOf });
    // An ask that waited when the daemon went down waits no longer.
    for (const row of notices.unsettled(SETTLED)) {
      const end = { step: "settled", outcome: "withdrawn", note: "the daemon was stopped" } as const;
      const gone: Notice = { ...(JSON.parse(row.wanted) as Notice), ...end };
      notices.want(row.target, gone, SETTLED);
    }
    notices.prune(SETTLED, KEPT_MS);
    for (const stored of notices.targets()) this.#start(stored);
    this.#stop = parts.events.subscribe((event) => this.#heard(event));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all([...this.#running.values()].map((each) => each[Symbol.asyncDispose]()));
  }

  /** How each target goes. */
  list(): readonly NotifyReport[] {
    return this.#parts.notices.targets().map((stored) => this.#report(stored));
  }

  /** Adds a target. The secret of a webhook is told here and never again. */
  add(start: NotifyStart): { readonly target: NotifyReport; readonly secret?: string } {
    const { notices } = this.#parts;
    const config = checkedTarget(start);
    const targets = notices.targets();
    if (targets.length >= MAX_TARGETS)
      throw new UserError(`there are ${MAX_TARGETS} targets already`, {
        hint: "remove one: iddio notify list",
      });
    if (targets.some(({ name }) => name === config.name))
      throw new UserError(`there is a target '${config.name}' already`, {
        hint: `iddio notify remove ${config.name}, or choose another name`,
      });
    notices.addTarget(config.name, JSON.stringify(config), Date.now());
    const stored = this.#stored(config.name);
    this.#start(stored);
    const made = kindOfTarget(config.target) === "webhook" ? config.secrets[0] : undefined;
    return { target: this.#report(stored), ...(made === undefined ? {} : { secret: made }) };
  }

  /** Gives a webhook a new secret beside the old one, which goes with the next rotation. */
  async rotate(name: string): Promise<{ readonly target: NotifyReport; readonly secret: string }> {
    const config = configOf(this.#stored(name));
    if (kindOfTarget(config.target) !== "webhook")
      throw new UserError(`'${name}' has no secret of ours: only webhooks are signed`, {
        hint: `iddio notify remove ${name}, then add it with another`,
      });
    const secret = newWebhookSecret();
    const secrets = [secret, ...config.secrets].slice(0, MAX_SECRETS);
    this.#parts.notices.changeTarget(name, JSON.stringify({ ...config, secrets }));
    await this.#running.get(name)?.[Symbol.asyncDispose]();
    this.#start(this.#stored(name));
    return { target: this.#report(this.#stored(name)), secret };
  }

  /** Sends one message that says it is a test; returns the problem. */
  async test(name: string): Promise<{ readonly problem?: string }> {
    const config = configOf(this.#stored(name));
    // No link is opened for it: the one that runs would lose its place to it.
    await using sender = noticeOpener({ ...config, approvers: [] })({
      proxyFor: this.#parts.proxyFor,
      onClick: () => undefined,
      onTurn: () => undefined,
    });
    const late = AbortSignal.timeout(TEST_MS);
    const over = new Promise<Sent>((resolve) => {
      const failed: Sent = { kind: "failed", reason: "there was no answer in time" };
      late.addEventListener("abort", () => resolve(failed), { once: true });
    });
    const sent = await Promise.race([sender.send(testNotice(this.#machine), undefined, late), over]);
    return sent.kind === "delivered" ? {} : { problem: sent.reason };
  }

  /** Forgets a target: nothing more is told there, and nothing can be answered there. */
  async remove(name: string): Promise<NotifyReport> {
    const report = this.#report(this.#stored(name));
    await this.#running.get(name)?.[Symbol.asyncDispose]();
    this.#running.delete(name);
    this.#parts.notices.removeTarget(name);
    return report;
  }

  #heard({ tag, fields }: Event): void {
    const id = String(fields.id);
    switch (tag) {
      case "approval_requested": {
        if (this.#running.size === 0) return;
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          this.#tellAsked(id);
        }, GATHER_MS).unref();
        this.#timers.add(timer);
        return;
      }
      case "approval_seen":
        this.#tell(id, { step: "seen" });
        return;
      case "approval_replied":
      case "approval_timed_out":
      case "approval_withdrawn":
        this.#settle(id, fields);
        return;
      default:
    }
  }

  #tellAsked(id: string): void {
    const approval = this.#parts.broker.list().find((each) => each.id === id);
    if (approval === undefined) return;
    this.#asked.set(id, questionOf(approval, this.#machine));
    this.#tell(id, {});
  }

  #settle(id: string, { outcome, by, reason, late }: Event["fields"]): void {
    // A late allow is about a question that has ended already.
    if (late === true) return;
    const said = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
    const [who, note] = [said(by), said(reason)];
    this.#tell(id, {
      step: "settled",
      outcome: String(outcome),
      ...(who === undefined ? {} : { by: who }),
      ...(note === undefined ? {} : { note }),
    });
    this.#asked.delete(id);
  }

  /** Says to every target how a question stands. */
  #tell(id: string, change: Partial<NoticeQuestion>): void {
    const question = this.#asked.get(id);
    if (question === undefined) return;
    const { notices, log } = this.#parts;
    for (const config of this.#configs()) {
      if (!isWorth(question, config)) continue;
      try {
        const nonce =
          notices.get(config.name, question.subject)?.nonce ?? randomBytes(24).toString("base64url");
        const notice = noticeFor({ ...question, ...change }, config.evidence, nonce);
        notices.want(config.name, notice, NOTICE_STEPS.indexOf(notice.step));
      } catch (error) {
        // The disk is full: the request waits all the same, and a person who looks finds it.
        log.warn("a question could not be noted for a target", {
          target: config.name,
          reason: String(error),
        });
      }
      this.#running.get(config.name)?.hurry();
    }
  }

  #start(stored: StoredTarget): void {
    const { notices, events, log, proxyFor } = this.#parts;
    const config = configOf(stored);
    const { name } = config;
    const turned = (what: string) => (problem: string | undefined) => {
      if (problem === undefined) log.info(`${what} again`, { target: name });
      else log.warn(`${what} no longer`, { target: name, reason: problem });
      events.publish(problem === undefined ? "notify_resumed" : "notify_failed", {
        target: name,
        ...(problem === undefined ? {} : { reason: problem }),
      });
    };
    const sender = noticeOpener(config)({
      proxyFor,
      onClick: (click) => void this.#clicks.take(name, click),
      onTurn: turned("answers arrive"),
    });
    this.#running.set(
      name,
      new Outbox({
        store: outboxStore(notices, name),
        sender,
        onTurn: turned("people are told"),
        onSetAside: (notice, reason) =>
          log.warn("a target was not told of a question", {
            target: name,
            approval: notice.approvalId,
            reason,
          }),
      }),
    );
  }

  #configs(): readonly TargetConfig[] {
    return this.#parts.notices.targets().map(configOf);
  }

  #stored(name: string): StoredTarget {
    const stored = this.#parts.notices.targets().find((each) => each.name === name);
    if (stored !== undefined) return stored;
    throw new UserError(`there is no target '${name}'`, {
      code: "not-found",
      hint: "see: iddio notify list",
    });
  }

  #report(stored: StoredTarget): NotifyReport {
    const config = configOf(stored);
    const outbox = this.#running.get(stored.name);
    const counts = this.#parts.notices.counts(stored.name);
    const problem = outbox?.state.problem ?? outbox?.problem;
    return {
      name: stored.name,
      target: config.target,
      kind: kindOfTarget(config.target) ?? "webhook",
      from_tier: config.fromTier,
      evidence: config.evidence,
      approvers: [...config.approvers],
      takes_replies: config.takesReplies,
      added_ms: stored.addedMs,
      delivered: outbox?.state.delivered ?? 0,
      waiting: counts.waiting,
      set_aside: counts.setAside,
      ...(outbox?.state.lastDeliveredMs === undefined
        ? {}
        : { last_delivered_ms: outbox.state.lastDeliveredMs }),
      ...(problem === undefined ? {} : { problem }),
      ...(outbox?.state.failingSinceMs === undefined
        ? {}
        : { failing_since_ms: outbox.state.failingSinceMs }),
    };
  }
}

/** A request without a tier may be of any. */
function isWorth({ tier }: NoticeQuestion, { fromTier }: TargetConfig): boolean {
  return tier === "unknown" || TIERS.indexOf(tier) >= TIERS.indexOf(fromTier);
}
