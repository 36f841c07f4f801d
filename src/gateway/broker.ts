// Holds escalated requests until a person decides. Owns the pending list and the four
// ways out: approved, denied, timed out, withdrawn. One approval releases exactly one
// request: what was settled once is gone, a second answer finds nothing.

import { randomBytes } from "node:crypto";
import type { ClientIdentity } from "../model/entry.ts";
import type { Protocol } from "../model/protocol.ts";
import type { TierOrUnknown } from "../model/tier.ts";
import { UserError } from "../model/user-error.ts";
import type { Events } from "./events.ts";

/** What a person is asked to decide. */
export interface ApprovalRequest {
  readonly requestId: string;
  readonly protocol: Protocol;
  readonly tier: TierOrUnknown;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly host: string;
  readonly port: number;
  readonly method: string;
  /** With secrets in the query masked. */
  readonly path: string;
  readonly rule: string;
  readonly reason: string;
  readonly client?: ClientIdentity;
}

/** A request that waits. */
export interface PendingApproval extends ApprovalRequest {
  readonly id: string;
  readonly createdMs: number;
  readonly expiresMs: number;
}

/** How a hold ended. `full`: too many were waiting already, nobody was asked. */
export interface HoldOutcome {
  readonly outcome: "approved" | "denied" | "timed_out" | "withdrawn" | "full";
  readonly id: string;
  /** What the person wrote, if anything. */
  readonly reason?: string;
}

/** Requests that may wait at once; more are refused at once, so that an agent cannot bury one among many. */
const PENDING_MAX = 1_000;

interface Waiting {
  readonly approval: PendingApproval;
  settle(outcome: HoldOutcome): void;
}

/** The in-process broker; one per daemon. */
export class Broker {
  readonly #pending = new Map<string, Waiting>();
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
    if (this.#pending.size >= PENDING_MAX) return Promise.resolve({ outcome: "full", id: "" });
    const timeoutMs = this.#timeoutMs();
    const createdMs = Date.now();
    const approval = { ...request, id: this.#newId(), createdMs, expiresMs: createdMs + timeoutMs };
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(approval.id, "timed_out"), timeoutMs);
      let stopListening = () => {};
      this.#pending.set(approval.id, {
        approval,
        settle: (outcome) => {
          clearTimeout(timer);
          stopListening();
          resolve(outcome);
        },
      });
      this.#events.publish("approval_requested", eventFields(approval));
      stopListening = onLeave(() => this.#settle(approval.id, "withdrawn"));
    });
  }

  /** What waits, oldest first. */
  list(): readonly PendingApproval[] {
    return [...this.#pending.values()].map((waiting) => waiting.approval);
  }

  /**
   * Decides one by id, bare hex or unique prefix. Throws UserError when none or several match. Of two
   * simultaneous answers the first counts and the second is told that nothing waits.
   */
  reply(idOrPrefix: string, outcome: "approved" | "denied", reason?: string): PendingApproval {
    const { approval } = this.#find(idOrPrefix);
    this.#settle(approval.id, outcome, reason);
    return approval;
  }

  /** Withdraws everything, for shutdown. */
  close(): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id, "withdrawn", "the gateway is stopping");
  }

  #find(idOrPrefix: string): Waiting {
    const wanted = idOrPrefix.toLowerCase().replace(/^appr_/, "");
    const hint = "iddio approval list";
    if (!/^[0-9a-f]{1,8}$/.test(wanted))
      throw new UserError(`'${idOrPrefix}' is not an approval id`, { hint, exitCode: 2 });
    const found = [...this.#pending.values()].filter((each) => each.approval.id.startsWith(`appr_${wanted}`));
    const [first, second] = found;
    if (!first) throw new UserError(`no pending approval '${idOrPrefix}'`, { hint });
    if (second) throw new UserError(`'${idOrPrefix}' matches ${found.length} pending approvals`, { hint });
    return first;
  }

  #settle(id: string, outcome: "approved" | "denied" | "timed_out" | "withdrawn", reason?: string): void {
    const waiting = this.#pending.get(id);
    if (!waiting) return;
    this.#pending.delete(id);
    const fields = { ...eventFields(waiting.approval), outcome, ...(reason ? { reason } : {}) };
    if (outcome === "timed_out") this.#events.publish("approval_timed_out", fields);
    else if (outcome === "withdrawn") this.#events.publish("approval_withdrawn", fields);
    else this.#events.publish("approval_replied", fields);
    waiting.settle({ outcome, id, ...(reason ? { reason } : {}) });
  }

  #newId(): string {
    for (;;) {
      const id = `appr_${randomBytes(4).toString("hex")}`;
      if (!this.#pending.has(id)) return id;
    }
  }
}

function eventFields(approval: PendingApproval): Record<string, unknown> {
  return {
    id: approval.id,
    request_id: approval.requestId,
    protocol: approval.protocol,
    tier: approval.tier,
    command: approval.command,
    labels: approval.labels,
    host: approval.host,
    port: approval.port,
    method: approval.method,
    path: approval.path,
    rule: approval.rule,
    expires_ms: approval.expiresMs,
    ...(approval.client ? { client: approval.client } : {}),
  };
}
