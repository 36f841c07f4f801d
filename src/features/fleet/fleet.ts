// This machine in a fleet: syncs in four steps, waits for news between them, and never needs the
// server to decide. A failure costs a retry: the last good policy stays in force, rows wait in
// audit.jsonl, and asks that only the control plane may allow time out.

import {
  BUNDLE_KINDS,
  type BundleKind,
  type FleetCall,
  type FleetProblem,
  type PolicyPosition,
  type SignedText,
} from "../../api/fleet/protocol.ts";
import { isNewerPosition, policyDigest } from "../../api/fleet/signed.ts";
import type { FleetReport } from "../../api/methods/fleet.ts";
import type { ModeHolder } from "../../gateway/request/mode.ts";
import { backOffMs } from "../../host/outgoing/back-off.ts";
import { UserError } from "../../model/user-error.ts";
import type { PolicyStore } from "../../state/policy-store.ts";
import type { FleetStore } from "../../state/tables/fleet-store.ts";
import { AuditUpload } from "./audit-upload.ts";
import { type CentralApprovalParts, CentralApprovals } from "./central-approvals.ts";
import { CentralPolicyHolder } from "./central-policy.ts";
import { type Enrolment, type EnrolStart, enrol, renewedEnrolment } from "./enrolment.ts";
import { type FleetAnswer, FleetLink } from "./fleet-link.ts";

/** The parts that the fleet works with. */
export interface FleetParts extends CentralApprovalParts {
  readonly store: FleetStore;
  readonly policy: PolicyStore;
  readonly mode: ModeHolder;
  readonly journal: string;
  readonly version: string;
  readonly proxyFor: (url: string) => string;
}

const WAIT_MS = 50_000;
const REVOKED_MS = 60 * 60_000;
const AGE_MS = 30_000;

type Standing = "active" | "revoked";

/** A daemon's link to its control plane; also there while the machine is not enrolled. */
export class Fleet implements AsyncDisposable {
  readonly #parts: FleetParts;
  readonly #central: CentralPolicyHolder;
  readonly #audit: AuditUpload;
  readonly #ageing: ReturnType<typeof setInterval>;
  #enrolment: Enrolment | undefined;
  #link: FleetLink | undefined;
  #approvals: CentralApprovals | undefined;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;
  #syncing: Promise<void> | undefined;
  #state: Standing = "active";
  #cursor = 0;
  #failures = 0;
  #problem: string | undefined;
  #failingSinceMs: number | undefined;
  #refused: string | undefined;
  /** The position of a refused policy; it is fetched again with the next sync, not at once. */
  #refusedAt: PolicyPosition | undefined;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#central = new CentralPolicyHolder(parts.store, parts.policy, parts.mode);
    this.#audit = new AuditUpload(parts.store, parts.journal);
    this.#ageing = setInterval(() => this.#age(), AGE_MS).unref();
    const enrolment = parts.store.get<Enrolment>("enrolment");
    if (enrolment === undefined) return;
    this.#refused = this.#central.restore(enrolment);
    if (this.#refused !== undefined) parts.log.error("the central policy", { reason: this.#refused });
    this.#age(enrolment);
    this.#start(enrolment);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#ageing);
    await this.#end();
  }

  /** How this machine stands with its control plane. */
  async report(): Promise<FleetReport> {
    const enrolment = this.#enrolment;
    if (enrolment === undefined) return { enrolled: false };
    const central = this.#central.state;
    const policy = this.#central.position(enrolment.tenant, "enforced");
    const lastSyncMs = this.#lastSyncMs;
    return {
      enrolled: true,
      url: enrolment.url,
      tenant: enrolment.tenant_name,
      device_id: enrolment.device_id,
      owner: enrolment.owner,
      state: this.#state,
      ...(policy === undefined ? {} : { policy }),
      ...(central === undefined ? {} : { central_tiers: [...central.tiers], is_stale: central.isStale }),
      ...(lastSyncMs === 0 ? {} : { last_sync_ms: lastSyncMs }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      ...(this.#failingSinceMs === undefined ? {} : { failing_since_ms: this.#failingSinceMs }),
      ...(this.#refused === undefined ? {} : { refused: this.#refused }),
      audit_acked: this.#audit.position.last_seq,
      audit_behind_bytes: await this.#audit.behind(),
      held: this.#approvals?.count ?? 0,
    };
  }

  /** The same in a clause, for `iddio status`; undefined outside of a fleet. */
  get summary(): string | undefined {
    const enrolment = this.#enrolment;
    if (enrolment === undefined) return undefined;
    const { revision } = this.#central.position(enrolment.tenant, "enforced") ?? {};
    const policy = revision === undefined ? "no policy yet" : `policy ${revision}`;
    if (this.#state === "revoked")
      return `${enrolment.tenant_name}: this machine was revoked; ${policy} stays`;
    const wrong = this.#problem ?? this.#refused;
    return `${enrolment.tenant_name}, ${policy}${wrong === undefined ? "" : `; ${wrong}`}`;
  }

  /** Makes this machine one of a fleet. It must have left its previous fleet. */
  async enroll(start: EnrolStart): Promise<FleetReport> {
    const { store, version, proxyFor, events } = this.#parts;
    if (this.#enrolment !== undefined)
      throw new UserError(`this machine belongs to '${this.#enrolment.tenant_name}' already`, {
        code: "already-enrolled",
        hint: "iddio fleet leave",
      });
    const enrolment = await enrol(start, version, proxyFor);
    await this.#audit.begin();
    store.put("enrolment", enrolment);
    store.remove("synced");
    events.publish("fleet_changed", {
      change: "enrolled",
      url: enrolment.url,
      tenant: enrolment.tenant_name,
    });
    this.#start(enrolment);
    await this.syncNow();
    return this.report();
  }

  /** Leaves the fleet. The central policy is no longer in force. */
  async leave(): Promise<FleetReport> {
    const { store, events } = this.#parts;
    const { url, tenant, tenant_name } = this.#enrolled();
    await this.#end();
    store.remove("enrolment", "audit", "synced", `bundle:enforced:${tenant}`, `bundle:dry:${tenant}`);
    this.#enrolment = undefined;
    this.#problem = undefined;
    this.#failingSinceMs = undefined;
    this.#refused = undefined;
    this.#central.drop();
    events.publish("fleet_changed", { change: "left", url, tenant: tenant_name });
    return this.report();
  }

  /** Syncs now, and resolves when that is over, however it went. */
  async syncNow(): Promise<void> {
    this.#enrolled();
    this.#syncing ??= this.#sync().finally(() => {
      this.#syncing = undefined;
    });
    await this.#syncing;
  }

  #enrolled(): Enrolment {
    if (this.#enrolment !== undefined) return this.#enrolment;
    throw new UserError("this machine belongs to no fleet", {
      code: "not-enrolled",
      hint: "iddio enroll <url> < token",
    });
  }

  #start(enrolment: Enrolment): void {
    this.#enrolment = enrolment;
    this.#stop = new AbortController();
    this.#link = new FleetLink(enrolment, this.#parts.proxyFor);
    this.#state = "active";
    this.#cursor = 0;
    this.#failures = 0;
    this.#approvals = new CentralApprovals(this.#parts, this.#link, () => this.#enrolled());
    this.#running = this.#run(this.#stop.signal);
  }

  async #end(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
    await this.#syncing;
    await this.#approvals?.[Symbol.asyncDispose]();
    this.#approvals = undefined;
  }

  async #run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await this.syncNow();
      } catch (error) {
        // A full disk, an unreadable file: the last policy decides, and the next try comes.
        this.#failed({ kind: "unreachable", reason: String(error) });
      }
      if (stop.aborted) return;
      if (this.#problem !== undefined) await this.#pause(backOffMs(this.#failures), stop);
      else if (this.#state === "revoked") await this.#pause(REVOKED_MS * (0.8 + Math.random() / 5), stop);
      else await this.#waitForNews(stop);
    }
  }

  /** Until another policy is due, the next sync is, or something goes wrong. Decisions are taken as they come. */
  async #waitForNews(stop: AbortSignal): Promise<void> {
    const { sync_ms } = this.#enrolled();
    const until = performance.now() + sync_ms * (0.8 + Math.random() * 0.2);
    while (!stop.aborted && performance.now() < until) {
      const wait_ms = Math.round(Math.min(WAIT_MS, Math.max(1, until - performance.now())));
      const input = { ...this.#positions(), after: this.#cursor, wait_ms };
      const answer = await this.#call("wait", input, { signal: stop, timeoutMs: wait_ms + 10_000 });
      if (stop.aborted) return;
      if (answer.kind !== "answered") return this.#failed(answer);
      const { decisions, cursor, policy, dry_policy } = answer.value;
      for (const each of decisions)
        await this.#approvals?.take(each).catch((error: unknown) => {
          this.#parts.log.error("a decision could not be taken", { reason: String(error) });
        });
      if (Number.isSafeInteger(cursor)) this.#cursor = cursor;
      const isTrialOver = dry_policy === undefined && input.dry_policy !== undefined;
      if (this.#state === "revoked" || isTrialOver) return;
      if (this.#isNews("enforced", policy) || this.#isNews("dry", dry_policy)) return;
      // A server that answers at once without news is not asked in a loop.
      if (decisions.length === 0 && wait_ms > 1_000) await this.#pause(250, stop);
    }
  }

  async #sync(): Promise<void> {
    const link = this.#link;
    const { signal } = this.#stop;
    if (link === undefined) return;
    const { policy, mode, version, log, store } = this.#parts;
    const began = await this.#call(
      "preflight",
      {
        version,
        platform: `${process.platform}-${process.arch}`,
        mode: mode.current,
        ...this.#positions(),
        local_digest: policyDigest(policy.local.text),
        audit: this.#audit.position,
      },
      { signal },
    );
    if (began.kind !== "answered") return this.#failed(began);
    if (this.#state === "revoked") return this.#succeeded();
    this.#takeKeys(began.value.keys, began.value.sync_ms);
    const uploaded = await this.#audit.upload(link, signal);
    this.#refused = undefined;
    this.#refusedAt = undefined;
    for (const kind of BUNDLE_KINDS) {
      const due = kind === "enforced" ? began.value.policy : began.value.dry_policy;
      if (kind === "dry" && due === undefined) this.#central.endTrial(this.#enrolled().tenant);
      if (!this.#isDue(kind, due)) continue;
      const have = this.#central.position(this.#enrolled().tenant, kind);
      const answer = await this.#call(
        "policy",
        { kind, ...(have === undefined ? {} : { have }) },
        { signal },
      );
      if (answer.kind !== "answered") return this.#failed(answer);
      const { bundle } = answer.value;
      if (bundle === undefined) continue;
      const refused = this.#central.take(bundle, this.#enrolled(), kind, link.nowMs);
      if (refused === undefined) continue;
      this.#refused = refused;
      this.#refusedAt = due;
      log.warn("a policy of the control plane was not taken; the last good one stays", {
        kind,
        reason: refused,
      });
    }
    if (uploaded.kind !== "done") return this.#failed(uploaded);
    const ended = await this.#call(
      "postflight",
      {
        ...this.#positions(),
        ...(this.#refused === undefined ? {} : { refused: this.#refused }),
        audit_last_seq: this.#audit.position.last_seq,
        held: this.#approvals?.count ?? 0,
      },
      { signal },
    );
    if (ended.kind !== "answered") return this.#failed(ended);
    store.put("synced", { at_ms: Date.now() });
    this.#succeeded();
  }

  /** A call whose answer says how this machine stands. */
  async #call<C extends FleetCall>(
    call: C,
    input: Parameters<typeof FleetLink.prototype.call<C>>[1],
    options: Parameters<FleetLink["call"]>[2],
  ): Promise<FleetAnswer<C>> {
    const link = this.#link;
    if (link === undefined) return { kind: "unreachable", reason: "this machine belongs to no fleet" };
    const answer = await link.call(call, input, options);
    const isRevoked =
      answer.kind === "answered"
        ? (answer.value as { readonly device: Standing }).device === "revoked"
        : answer.kind === "problem" && answer.problem.code === "revoked";
    if (answer.kind === "answered" || isRevoked) this.#stands(isRevoked ? "revoked" : "active");
    return answer;
  }

  #stands(state: Standing): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#parts.events.publish("fleet_changed", { change: state });
    this.#parts.log.warn("this machine's standing in its fleet", { state });
  }

  #takeKeys(signed: SignedText | undefined, syncMs: number): void {
    const enrolment = this.#enrolled();
    const { renewed, problem } = renewedEnrolment(enrolment, signed, syncMs);
    if (problem !== undefined)
      this.#parts.log.warn("keys of the control plane were not taken", { reason: problem });
    if (renewed === undefined) return;
    this.#enrolment = renewed;
    this.#parts.store.put("enrolment", renewed);
  }

  #positions(): { policy?: PolicyPosition; dry_policy?: PolicyPosition } {
    const { tenant } = this.#enrolled();
    const policy = this.#central.position(tenant, "enforced");
    const dry_policy = this.#central.isTrying(tenant) ? this.#central.position(tenant, "dry") : undefined;
    return { ...(policy && { policy }), ...(dry_policy && { dry_policy }) };
  }

  #isDue(kind: BundleKind, offered: PolicyPosition | undefined): boolean {
    if (offered === undefined) return false;
    const have = this.#central.position(this.#enrolled().tenant, kind);
    const isMissing = kind === "enforced" && this.#central.state === undefined;
    return have === undefined || isMissing || isNewerPosition(offered, have);
  }

  #isNews(kind: BundleKind, offered: PolicyPosition | undefined): boolean {
    const isRefused = JSON.stringify(offered) === JSON.stringify(this.#refusedAt);
    return !isRefused && this.#isDue(kind, offered);
  }

  get #lastSyncMs(): number {
    return this.#parts.store.get<{ readonly at_ms: number }>("synced")?.at_ms ?? 0;
  }

  #age(enrolment = this.#enrolment): void {
    if (enrolment !== undefined) this.#central.age(this.#lastSyncMs, Date.now());
  }

  #succeeded(): void {
    const wasFailing = this.#problem !== undefined;
    this.#failures = 0;
    this.#problem = undefined;
    this.#failingSinceMs = undefined;
    this.#age();
    if (!wasFailing) return;
    this.#parts.log.info("the control plane is reached again");
    this.#parts.events.publish("fleet_changed", { change: "reached" });
    this.#approvals?.tellAll();
  }

  #failed(
    answer:
      | { readonly kind: "problem"; readonly problem: FleetProblem }
      | { readonly kind: "unreachable"; readonly reason: string },
  ): void {
    // A machine that was told to go is heard of once more in an hour.
    if (this.#state === "revoked") {
      this.#succeeded();
      return;
    }
    const reason =
      answer.kind === "unreachable" ? answer.reason : `${answer.problem.code}: ${answer.problem.title}`;
    const isFirst = this.#problem === undefined;
    this.#failures += 1;
    this.#problem = reason;
    this.#failingSinceMs ??= Date.now();
    this.#age();
    if (!isFirst || this.#stop.signal.aborted) return;
    this.#parts.log.warn("the control plane is not reached; the last policy decides", { reason });
    this.#parts.events.publish("fleet_changed", { change: "lost", reason });
  }

  async #pause(ms: number, stop: AbortSignal): Promise<void> {
    if (stop.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
