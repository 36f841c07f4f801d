// Holds escalated requests until a person decides. Owns the pending list and the four ways out:
// approved, denied, timed out, withdrawn. One approval releases exactly one request: a settled
// approval is gone, and a second answer finds nothing. An allow that comes too late executes
// nothing by itself; it waits for the same request once.

import { randomBytes } from "node:crypto";
import type { Ask } from "../../model/ask.ts";
import { UserError } from "../../model/user-error.ts";
import { Deadline } from "../../state/deadline.ts";
import type { HeldEffect } from "../cluster/held-effect.ts";
import { Shares } from "../stream/shares.ts";
import { payerOf } from "./http/look-ahead.ts";
import type { Events } from "./records/events.ts";

/** A question to a person: an ask, and the reason why it waits. */
export interface ApprovalRequest {
  readonly ask: Ask;
  /** Path of the policy's entry that wants a person to decide. */
  readonly rule: string;
  readonly reason: string;
  /** Judges again by the policy in force: why it may wait no longer, undefined when it may. */
  judgeAgain(): string | undefined;
  /** Only the control plane may allow it. */
  readonly isCentral?: boolean;
  /** Why it may only be let through once; undefined when others like it may be for a while. */
  readonly onceOnly: string | undefined;
  /** Equal for a client's attempts at the same stream by different protocols. */
  readonly fallbackKey?: string;
  /** Bytes of it that are kept in memory while it waits. */
  readonly heldBytes: number;
  /** The effect of the ask, where a dry run can show it. */
  readonly effect?: HeldEffect;
}

/** A request that waits. */
export interface PendingApproval extends ApprovalRequest {
  readonly id: string;
  readonly createdMs: number;
  readonly expiresMs: number;
}

/** How a hold ended. `revoked`: the policy in force denies it by now. `full`: too many were waiting already, nobody was asked. */
export interface HoldOutcome {
  readonly outcome: "approved" | "denied" | "timed_out" | "withdrawn" | "revoked" | "full";
  readonly id: string;
  /** The reason that the person typed, if any. */
  readonly reason?: string;
  /** Of an approval: the effect that was to be seen when it was given. */
  readonly effect?: HeldEffect;
  /** The person's suggestion to the agent: do this in its place. */
  readonly instead?: string;
}

/** A person's answer to one approval. */
export interface Answer {
  readonly id: string;
  readonly reason?: string;
  /** The digest of the shown request; another request under the id is not answered. */
  readonly digest?: string;
  /** With a denial: the client's alternative. */
  readonly instead?: string;
  /** Who answers, as events have it. */
  readonly by?: string;
}

/** Requests that may wait at once; more are refused at once, so that an agent cannot bury one among many. */
const PENDING_MAX = 1_000;

/** Body bytes that may wait in memory, all requests together. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;
/** How long a late allow, or the id of a client that left, is remembered. */
const LATE_MS = 10 * 60_000;
const ENDED_MAX = 1_000;
/** A client that falls back to another protocol does so at once. */
const FALLBACK_MS = 5_000;

/** A hold that ended without a decision. */
interface Ended {
  readonly approval: PendingApproval;
  readonly outcome: "timed_out" | "withdrawn";
  readonly deadline: Deadline;
}

/** A late allow: the next ask with the same digest goes through, once. */
interface OneShot {
  readonly id: string;
  readonly deadline: Deadline;
  readonly reason: string | undefined;
  readonly effect: HeldEffect | undefined;
}

interface Waiting {
  readonly approval: PendingApproval;
  /** The client that it counts for. */
  readonly payer: string;
  settle(outcome: HoldOutcome): void;
}

/** The in-process broker; one per daemon. */
export class Broker {
  readonly #pending = new Map<string, Waiting>();
  readonly #ended = new Map<string, Ended>();
  readonly #oneShots = new Map<string, OneShot>();
  readonly #refused = new Map<string, { readonly outcome: HoldOutcome; readonly deadline: Deadline }>();
  /** One client may have half of them, so that another's question finds its place. */
  readonly #shares = new Shares(PENDING_MAX, 0.5);
  /** The same for the bodies that wait with them. */
  readonly #bytes = new Shares(HELD_BYTES_MAX, 0.5);
  readonly #events: Events;
  readonly #timeoutMs: () => number;

  constructor(options: { readonly events: Events; readonly timeoutMs: () => number }) {
    this.#events = options.events;
    this.#timeoutMs = options.timeoutMs;
  }

  /**
   * Waits for a decision. `onLeave` registers a callback for the client's going away, which withdraws
   * the request. Never rejects.
   */
  hold(request: ApprovalRequest, onLeave: (left: () => void) => () => void): Promise<HoldOutcome> {
    this.#forgetOld();
    const refused = attemptKeys(request)
      .map((key) => this.#refused.get(key))
      .find((each) => each !== undefined);
    if (refused) return Promise.resolve(refused.outcome);
    const late = request.isCentral === true ? undefined : this.#takeOneShot(request.ask);
    if (late)
      return Promise.resolve({
        outcome: "approved",
        id: late.id,
        ...(late.reason ? { reason: late.reason } : {}),
        ...(late.effect ? { effect: late.effect } : {}),
      });
    const payer = payerOf(request.ask.subject.client);
    if (!this.#takePlace(payer, request.heldBytes)) return Promise.resolve({ outcome: "full", id: "" });
    const timeoutMs = this.#timeoutMs();
    const createdMs = Date.now();
    const known = this.#takeOver(request.ask);
    if (known?.effect !== undefined) request.effect?.inherit(known.effect);
    const id = known?.id ?? this.#newId();
    const approval = { ...request, id, createdMs, expiresMs: createdMs + timeoutMs };
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(approval.id, "timed_out"), timeoutMs);
      let stopListening = () => {};
      this.#pending.set(approval.id, {
        approval,
        payer,
        settle: (outcome) => {
          clearTimeout(timer);
          this.#shares.give(payer);
          this.#bytes.give(payer, request.heldBytes);
          stopListening();
          if (outcome.outcome === "denied" || outcome.outcome === "timed_out")
            for (const key of refusedKeys(request))
              this.#refused.set(key, { outcome, deadline: within(FALLBACK_MS) });
          resolve(outcome);
        },
      });
      this.#events.publish("approval_requested", eventFields(approval));
      stopListening = onLeave(() => this.#settle(approval.id, "withdrawn"));
    });
  }

  /** A place and room for a body. When all are taken, the client with most gives up its oldest one. */
  #takePlace(payer: string, bytes: number): boolean {
    let problem = this.#shares.take(payer);
    if (problem === "full" && this.#giveWay(this.#shares, payer)) problem = this.#shares.take(payer);
    if (problem !== undefined) return false;
    problem = this.#bytes.take(payer, bytes);
    while (problem === "full" && this.#giveWay(this.#bytes, payer)) problem = this.#bytes.take(payer, bytes);
    if (problem !== undefined) this.#shares.give(payer);
    return problem === undefined;
  }

  /** False: nobody has so much more than the newcomer that it would be fair. */
  #giveWay(shares: Shares, newcomer: string): boolean {
    const { heaviest } = shares;
    if (heaviest === undefined || heaviest === newcomer || shares.of(heaviest) < 2 * shares.of(newcomer) + 2)
      return false;
    for (const { approval, payer } of this.#pending.values())
      if (payer === heaviest && (shares === this.#shares || approval.heldBytes > 0)) {
        this.#settle(approval.id, "withdrawn", "another client's request needed its place");
        return true;
      }
    return false;
  }

  /** Lists the waiting approvals, oldest first. */
  list(): readonly PendingApproval[] {
    return [...this.#pending.values()].map((waiting) => waiting.approval);
  }

  /** Lists the approvals that ended undecided and can still be let through once, latest first. */
  listEnded(): readonly {
    readonly approval: PendingApproval;
    readonly outcome: "timed_out" | "withdrawn";
  }[] {
    this.#forgetOld();
    return [...this.#ended.values()].filter(({ approval }) => approval.ask.canRecur).reverse();
  }

  /**
   * One that waits, or that ended undecided within ten minutes, by id, bare hex or unique prefix. Throws UserError
   * when none or several match, or when it is not the one with this digest.
   */
  find(
    idOrPrefix: string,
    digest?: string,
  ): {
    readonly approval: PendingApproval;
    readonly ended: "timed_out" | "withdrawn" | undefined;
  } {
    this.#forgetOld();
    const waiting = [...this.#pending.values()].map((each) => each.approval);
    const ended = [...this.#ended.values()].map((each) => each.approval);
    const approval = this.#match(idOrPrefix, [...waiting, ...ended]);
    if (digest !== undefined && digest !== approval.ask.digest)
      throw new UserError(`'${approval.id}' is not the request that was shown; it was not answered`, {
        hint: `look at it again: iddio approval show ${approval.id}`,
        code: "not-what-was-shown",
      });
    return { approval, ended: this.#ended.get(approval.id)?.outcome };
  }

  /**
   * Decides one by id, bare hex or unique prefix. Throws UserError when none or several match. Of two
   * simultaneous answers the first counts and the second is told that nothing waits. `isLate`: the request is
   * gone, and an allow is kept for the same request sent again within ten minutes. `digest`: of the answered
   * request; another request under the id is not answered.
   */
  reply(
    idOrPrefix: string,
    outcome: "approved" | "denied",
    { reason, digest, instead, by }: Omit<Answer, "id"> = {},
  ): { readonly approval: PendingApproval; readonly isLate: boolean } {
    const { approval } = this.find(idOrPrefix, digest);
    const isLate = this.#ended.delete(approval.id);
    if (!isLate) this.#settle(approval.id, outcome, reason, instead, by);
    else this.#replyLate(approval, outcome, reason);
    return { approval, isLate };
  }

  #replyLate(approval: PendingApproval, outcome: "approved" | "denied", reason: string | undefined): void {
    const { id, ask, effect } = approval;
    if (outcome === "approved") {
      if (!ask.canRecur)
        throw new UserError(`'${id}' no longer waits, and its body was too large to know it again`, {
          hint: "let the client send it again, then approve in time",
          code: "ended",
        });
      this.#oneShots.set(ask.digest, { id, deadline: within(LATE_MS), reason, effect });
    }
    this.#events.publish("approval_replied", { ...eventFields(approval), outcome, late: true });
  }

  /** Consumes the late allow for the same ask. */
  #takeOneShot({ digest, canRecur }: Ask): OneShot | undefined {
    if (!canRecur) return undefined;
    const found = this.#oneShots.get(digest);
    this.#oneShots.delete(digest);
    return found && !found.deadline.isOver() ? found : undefined;
  }

  /** The same request whose client has left: its retry is the same question, under the same id. */
  #takeOver({ digest, canRecur }: Ask): PendingApproval | undefined {
    if (!canRecur) return undefined;
    this.#forgetOld();
    for (const { approval, outcome } of this.#ended.values())
      if (outcome === "withdrawn" && approval.ask.digest === digest) {
        this.#ended.delete(approval.id);
        return approval;
      }
    return undefined;
  }

  #forgetOld(): void {
    const now = Date.now();
    for (const [id, { deadline }] of this.#ended) if (deadline.isOver(now)) this.#ended.delete(id);
    for (const [key, { deadline }] of this.#refused) if (deadline.isOver(now)) this.#refused.delete(key);
    for (const [key, { deadline }] of this.#oneShots) if (deadline.isOver(now)) this.#oneShots.delete(key);
  }

  /** After a change of the policy: asks that may no longer wait are refused at once. */
  judgeAgain(): void {
    for (const { approval } of [...this.#pending.values()]) {
      const reason = approval.judgeAgain();
      if (reason !== undefined) this.#settle(approval.id, "revoked", reason);
    }
  }

  /** Withdraws everything, for shutdown. */
  close(): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id, "withdrawn", "the gateway is stopping");
  }

  #match(idOrPrefix: string, approvals: readonly PendingApproval[]): PendingApproval {
    const wanted = idOrPrefix.toLowerCase().replace(/^appr_/, "");
    const hint = "iddio approval list";
    if (!/^[0-9a-f]{1,8}$/.test(wanted))
      throw new UserError(`'${idOrPrefix}' is not an approval id`, { hint, exitCode: 2 });
    const found = approvals.filter((each) => each.id.startsWith(`appr_${wanted}`));
    const [first, second] = found;
    if (!first) throw new UserError(`no pending approval '${idOrPrefix}'`, { hint, code: "not-found" });
    if (second)
      throw new UserError(`'${idOrPrefix}' matches ${found.length} approvals`, { hint, code: "ambiguous" });
    return first;
  }

  #settle(
    id: string,
    outcome: Exclude<HoldOutcome["outcome"], "full">,
    reason?: string,
    instead?: string,
    by?: string,
  ): void {
    const waiting = this.#pending.get(id);
    if (!waiting) return;
    this.#pending.delete(id);
    if (outcome === "timed_out" || outcome === "withdrawn") this.#remember(waiting.approval, outcome);
    const said = { ...(reason ? { reason } : {}), ...(instead ? { instead } : {}) };
    const fields = { ...eventFields(waiting.approval), outcome, ...said, ...(by ? { by } : {}) };
    if (outcome === "timed_out") this.#events.publish("approval_timed_out", fields);
    else if (outcome === "withdrawn" || outcome === "revoked")
      this.#events.publish("approval_withdrawn", fields);
    else this.#events.publish("approval_replied", fields);
    const { effect } = waiting.approval;
    waiting.settle({ outcome, id, ...said, ...(effect ? { effect } : {}) });
  }

  #remember(approval: PendingApproval, outcome: "timed_out" | "withdrawn"): void {
    this.#forgetOld();
    const oldest = this.#ended.size >= ENDED_MAX ? this.#ended.keys().next().value : undefined;
    if (oldest !== undefined) this.#ended.delete(oldest);
    approval.effect?.forget();
    this.#ended.set(approval.id, { approval, outcome, deadline: within(LATE_MS) });
  }

  #newId(): string {
    for (;;) {
      const id = `appr_${randomBytes(4).toString("hex")}`;
      if (!this.#pending.has(id) && !this.#ended.has(id)) return id;
    }
  }
}

/** A period that begins now. A wall clock that is set back later prolongs it as little as one that is set forward. */
function within(ms: number): Deadline {
  const now = Date.now();
  return new Deadline(now, now + ms, now);
}

function eventFields({ id, ask, rule, expiresMs }: PendingApproval): Record<string, unknown> {
  const { operation, target, subject } = ask;
  return {
    id,
    request_id: ask.id,
    protocol: operation.protocol,
    tier: operation.tier,
    command: operation.command,
    labels: operation.labels,
    host: target.name,
    port: target.port,
    ...ask.fields,
    rule,
    digest: ask.digest,
    expires_ms: expiresMs,
    ...(ask.carrier === "http" ? {} : { carrier: ask.carrier }),
    ...(subject.client ? { client: subject.client } : {}),
  };
}

/** The names under which a request may just have been refused: as the same stream, or as the next step of another one. */
function attemptKeys({ fallbackKey, ask }: ApprovalRequest): string[] {
  const { step } = ask.operation;
  return [
    ...(fallbackKey === undefined ? [] : [fallbackKey]),
    ...(step === undefined ? [] : [stepKey(ask, step)]),
  ];
}

/** The names that a refusal covers: the stream by other protocols, and the step that the request told of. */
function refusedKeys({ fallbackKey, ask }: ApprovalRequest): string[] {
  const steps = ask.operation.next?.steps ?? [];
  return [...(fallbackKey === undefined ? [] : [fallbackKey]), ...steps.map((step) => stepKey(ask, step))];
}

function stepKey({ target, subject }: Ask, step: string): string {
  return JSON.stringify([target.name, target.port, subject.credential, subject.client?.run_id ?? "", step]);
}
