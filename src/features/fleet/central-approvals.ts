// Asks that wait here, offered to people elsewhere, and their decisions on the way back. A decision
// is believed only when a pinned key signed it for this device, this wait and this digest; then it
// goes through the same gate as every answer. While the server cannot be reached nothing is
// answered, and an ask that only it may allow times out to a refusal.

import { randomBytes } from "node:crypto";
import {
  type EndedApproval,
  type HeldApproval,
  type SignedText,
  TOLD_MAX,
} from "../../api/fleet/protocol.ts";
import { openDecision } from "../../api/fleet/signed.ts";
import type { AnswerAs } from "../../api/principal.ts";
import type { Broker, PendingApproval } from "../../gateway/request/broker.ts";
import type { Events } from "../../gateway/request/records/events.ts";
import { backOffMs } from "../../host/outgoing/back-off.ts";
import type { Event } from "../../model/event.ts";
import { UserError } from "../../model/user-error.ts";
import type { Log } from "../../state/log/log.ts";
import type { Enrolment } from "./enrolment.ts";
import type { FleetLink } from "./fleet-link.ts";

/** The parts that central approvals work with. */
export interface CentralApprovalParts {
  readonly broker: Broker;
  readonly events: Events;
  readonly log: Log;
  readonly answerAs: AnswerAs;
}

interface Offered {
  readonly nonce: string;
  readonly digest: string;
  readonly createdMs: number;
}

/** The process that asks becomes known in this time. */
const GATHER_MS = 150;
const AT_ONCE = 20;
const MAX_BYTES = 3 * 1024 * 1024;
const ENDED_MAX = 5_000;
const CALL_MS = 15_000;
const OUTCOMES: ReadonlySet<string> = new Set(["approved", "denied", "timed_out", "withdrawn"]);

/** The approvals of one enrolled device; runs until closed. */
export class CentralApprovals implements AsyncDisposable {
  readonly #parts: CentralApprovalParts;
  readonly #link: FleetLink;
  readonly #enrolment: () => Enrolment;
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;
  readonly #running: Promise<void>;
  readonly #offered = new Map<string, Offered>();
  /** Not told to the server yet. */
  #fresh = new Set<string>();
  #ended: EndedApproval[] = [];
  /** The server is told of everything that waits, because it may have missed something. */
  #needsAll = true;
  #failures = 0;
  #wake: (() => void) | undefined;
  #isWoken = false;

  constructor(parts: CentralApprovalParts, link: FleetLink, enrolment: () => Enrolment) {
    this.#parts = parts;
    this.#link = link;
    this.#enrolment = enrolment;
    this.#unsubscribe = parts.events.subscribe((event) => this.#heard(event));
    this.#running = this.#run();
  }

  /** How many wait that people elsewhere may answer. */
  get count(): number {
    return this.#offered.size;
  }

  /** The server was away, or is another one by now. */
  tellAll(): void {
    this.#needsAll = true;
    this.#hurry();
  }

  /** Takes one decision; a decision that is not believed is logged and changes nothing. */
  async take(signed: SignedText): Promise<void> {
    const { log, answerAs } = this.#parts;
    const { tenant, device_id, keys, owner, owner_id } = this.#enrolment();
    const opened = openDecision(signed, {
      ...{ tenant, keys, device: device_id },
      nowMs: this.#link.nowMs,
      held: (id) => this.#offered.get(id),
    });
    const refuse = (reason: string) =>
      log.warn("a decision of the control plane counts for nothing", { reason });
    if (opened.kind === "refused") return void refuse(opened.reason);
    const { approval: id, digest, verb, by, by_id, via, reason, for_ms } = opened.value;
    if (for_ms !== 0) return void refuse("it would let more than one request through");
    // Whoever asked cannot be the one who allows, whatever role he has there.
    const isOwner = owner_id === undefined ? by_id === owner || by === owner : by_id === owner_id;
    if (verb === "allow" && isOwner) return void refuse(`${by} is the person whose machine asks`);
    try {
      const said = reason === "" ? {} : { reason };
      const who = { kind: "control-plane", name: by, ...(via === undefined ? {} : { via }) } as const;
      await answerAs(who, verb, { id, digest, ...said });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refuse(error.message);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe();
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
  }

  #heard({ tag, fields }: Event): void {
    const id = String(fields.id);
    if (tag === "approval_requested") {
      this.#fresh.add(id);
      setTimeout(() => this.#hurry(), GATHER_MS).unref();
    } else if (tag === "approval_replied" || tag === "approval_timed_out" || tag === "approval_withdrawn") {
      this.#fresh.delete(id);
      const offered = this.#offered.get(id);
      if (offered === undefined || fields.late === true) return;
      this.#offered.delete(id);
      const outcome = OUTCOMES.has(String(fields.outcome)) ? String(fields.outcome) : "refused";
      this.#ended.push({
        id,
        nonce: offered.nonce,
        outcome: outcome as EndedApproval["outcome"],
        ...(typeof fields.by === "string" ? { by: fields.by } : {}),
        ended_ms: Date.now(),
      });
      // The list of waiting asks tells the same, only not the outcome.
      if (this.#ended.length > ENDED_MAX) this.#ended.shift();
      this.#hurry();
    }
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#isWoken = false;
      // Whatever goes wrong, the next try comes: nothing else would tell the control plane.
      const waitMs = await this.#flush().catch((error: unknown) => {
        this.#parts.log.error("approvals are not told to the control plane", { reason: String(error) });
        this.#failures += 1;
        this.#needsAll = true;
        return backOffMs(this.#failures);
      });
      if (waitMs !== undefined) await this.#pause(waitMs, this.#failures > 0);
    }
  }

  /** Sends the news; gives how long to wait, undefined when there is more at once. */
  async #flush(): Promise<number | undefined> {
    const pending = this.#parts.broker.list();
    const isAll = this.#needsAll;
    const told = isAll ? pending : pending.filter(({ id }) => this.#fresh.has(id));
    const batch: HeldApproval[] = [];
    let bytes = 0;
    for (const approval of told.slice(0, isAll ? told.length : AT_ONCE)) {
      const held = this.#heldOf(approval);
      bytes += JSON.stringify(held).length;
      if (batch.length > 0 && (bytes > MAX_BYTES || batch.length >= AT_ONCE)) break;
      batch.push(held);
    }
    const ended = this.#ended.slice(0, TOLD_MAX - batch.length);
    if (batch.length === 0 && ended.length === 0 && !isAll) return 60_000;
    const isWhole = isAll && batch.length === told.length;
    const waiting = isWhole ? { waiting: [...this.#offered.values()].map(({ nonce }) => nonce) } : {};
    const answer = await this.#link.call(
      "approvals",
      { held: batch, ended, ...waiting },
      { signal: this.#stop.signal, timeoutMs: CALL_MS },
    );
    if (answer.kind !== "answered") {
      this.#failures += 1;
      this.#needsAll = true;
      return backOffMs(this.#failures, answer.kind === "problem" ? answer.afterMs : 0);
    }
    this.#failures = 0;
    for (const { id } of batch) this.#fresh.delete(id);
    this.#ended = this.#ended.slice(ended.length);
    if (isAll) {
      this.#needsAll = false;
      // A row that did not fit is sent with the next sync, as a new one.
      for (const { id } of told) if (!batch.some((each) => each.id === id)) this.#fresh.add(id);
    }
    return this.#fresh.size > 0 || this.#ended.length > 0 ? undefined : 60_000;
  }

  /** As people elsewhere are shown it. One nonce for each wait, however often it is told. */
  #heldOf(approval: PendingApproval): HeldApproval {
    const { id, ask, rule, reason, createdMs, expiresMs, isCentral } = approval;
    const known = this.#offered.get(id);
    const offered =
      known?.createdMs === createdMs && known.digest === ask.digest
        ? known
        : { nonce: randomBytes(16).toString("hex"), digest: ask.digest, createdMs };
    this.#offered.set(id, offered);
    const { operation, target, subject, evidence } = ask;
    const { client, agent } = subject;
    const [first, ...others] = evidence.map(({ label, text, pairs }) => ({
      label,
      text,
      ...(pairs === undefined
        ? {}
        : { pairs: pairs.map(([name, value]): [string, string] => [name, value]) }),
    }));
    const fits = JSON.stringify(others).length <= MAX_BYTES / 2;
    return {
      ...{ id, digest: ask.digest, nonce: offered.nonce, carrier: ask.carrier },
      ...{ protocol: operation.protocol, tier: operation.tier, command: operation.command },
      ...{ host: target.name, port: target.port, labels: operation.labels, rule, reason },
      evidence: first === undefined ? [] : fits ? [first, ...others] : [first],
      client: [client?.process, client?.user].filter((each) => each !== undefined).join(", "),
      ...(client?.run === undefined ? {} : { run: client.run }),
      ...(agent === undefined ? {} : { agent }),
      ...{ held_ms: createdMs, ends_ms: expiresMs, is_central: isCentral === true },
    };
  }

  #hurry(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  async #pause(ms: number, isBackingOff: boolean): Promise<void> {
    if (this.#stop.signal.aborted || (this.#isWoken && !isBackingOff)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    if (!isBackingOff) this.#wake = resolve;
    const { signal } = this.#stop;
    const wake = () => resolve();
    signal.addEventListener("abort", wake, { once: true });
    await promise;
    signal.removeEventListener("abort", wake);
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
