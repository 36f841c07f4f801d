// Turns what happened into rows, events and log lines, all from the same facts. Owns which op a row
// has: `intent` before anything above observe is forwarded, `mitm` for forwarded requests, `block`
// for refused ones.

import type { Action } from "../../../model/action.ts";
import type { Ask, AskFields, Carrier } from "../../../model/ask.ts";
import type { Entry, EntryFields, EntryOp } from "../../../model/entry.ts";
import type { Outcome } from "../../../model/outcome.ts";
import type { Verdict } from "../../../model/verdict.ts";
import { type DryPolicy, dryDifference } from "../../../policy/decide/dry-verdict.ts";
import { putRowFacts } from "../../../policy/replay/row-facts.ts";
import { maskValues } from "../../../redaction/secret-value.ts";
import type { Journal } from "../../../state/journal/journal.ts";
import type { Log } from "../../../state/log/log.ts";
import { BUILD_VERSION } from "../../../version.ts";
import { payerOf } from "../http/look-ahead.ts";
import type { ModeHolder } from "../mode.ts";
import { randomHex } from "../random-hex.ts";
import type { Events } from "./events.ts";
import { FoldedRows } from "./folded-rows.ts";

/** How a request ended. */
export interface RequestResult {
  readonly outcome: Outcome;
  readonly decision: Action;
  readonly status?: number;
  readonly approvalId?: string;
  readonly reason?: string;
  /** The denying person's suggestion: do this in its place. */
  readonly instead?: string;
}

/** The kind of row that says that an ask was done. */
const OP_OF: Readonly<Record<Carrier, EntryOp>> = { http: "mitm", argv: "hook", mcp: "mcp", ssh: "ssh" };

/** Writes the audit log, the observe log, events and `classified:` lines; one per daemon. */
export class Recorder {
  readonly #audit: Journal;
  readonly #observe: Journal;
  readonly #mode: ModeHolder;
  readonly #events: Events;
  readonly #log: Log;
  readonly #present: ReadonlySet<string>;
  readonly #dry: () => DryPolicy | undefined;
  readonly #folded = new FoldedRows((row) => this.#audit.appendSoon(row), entry);
  readonly #foldedObserve = new FoldedRows((row) => this.#observe.appendSoon(row), entry);

  /** `present`: ids of the runs that were started with presence. */
  constructor(parts: {
    audit: Journal;
    observe: Journal;
    mode: ModeHolder;
    events: Events;
    log: Log;
    present: ReadonlySet<string>;
    /** A policy that is only tried: rows say where it would have decided otherwise. */
    dry?: () => DryPolicy | undefined;
  }) {
    this.#audit = parts.audit;
    this.#observe = parts.observe;
    this.#mode = parts.mode;
    this.#events = parts.events;
    this.#log = parts.log;
    this.#present = parts.present;
    this.#dry = parts.dry ?? (() => undefined);
  }

  #common(ask: Ask, verdict: Verdict): OpenFields {
    const isPresent = this.#present.has(ask.subject.client?.run_id ?? "");
    const fields = common(ask, verdict);
    putRowFacts(fields, ask.operation, isPresent, BUILD_VERSION);
    return fields;
  }

  /** Why rows cannot be written at present, if they cannot. */
  get failure(): Error | undefined {
    return this.#audit.failure;
  }

  /** Writes the rows that are still folded; called before the journals close. */
  close(): void {
    this.#folded.close();
    this.#foldedObserve.close();
  }

  /** The line by which people find out what to write under `commands:`. */
  classified({ id, operation, target, fields, subject }: Ask, { action, rule }: Verdict): void {
    const line = {
      protocol: operation.protocol,
      tier: operation.tier,
      command: operation.command,
      ...operation.labels,
      host: target.name,
      ...shortFields(fields),
      action,
      rule,
      request_id: id,
      reason: operation.tier === "unknown" ? operation.reason : undefined,
    };
    this.#log.info("classified", line, payerOf(subject.client));
  }

  /** Resolves when the row is on disk. Rejects when it could not be written. */
  async intent(ask: Ask, verdict: Verdict, result: Omit<RequestResult, "decision">): Promise<void> {
    await this.#audit.append(entry("intent", withResult(this.#common(ask, verdict), result)));
  }

  /** A request that was forwarded, once its reply's status is known or failed to come. */
  forwarded(ask: Ask, verdict: Verdict, result: RequestResult): void {
    const tag = result.outcome === "failed" ? "block" : "allow";
    this.#result(OP_OF[ask.carrier], tag, ask, verdict, result);
  }

  /** A request that was judged and not forwarded. */
  refused(ask: Ask, verdict: Verdict, result: RequestResult): void {
    this.#result("block", "block", ask, verdict, result);
  }

  /** A command line that an agent's hook asked about. */
  hooked(ask: Ask, verdict: Verdict, result: RequestResult): void {
    const tag = result.decision === "allow" ? "allow" : "block";
    this.#result("hook", result.outcome === "asked" ? "escalate" : tag, ask, verdict, result);
  }

  #result(
    op: EntryOp,
    tag: "allow" | "block" | "escalate",
    ask: Ask,
    verdict: Verdict,
    result: RequestResult,
  ): void {
    const fields = this.#common(ask, verdict);
    fields.decision = result.decision;
    const dry = this.#dry();
    if (dry !== undefined) {
      const isPresent = this.#present.has(ask.subject.client?.run_id ?? "");
      const difference = dryDifference(dry, verdict, ask.operation, isPresent);
      if (difference !== undefined) fields.dry = difference;
    }
    withResult(fields, result).duration_ms = Date.now() - ask.startedMs;
    if (op === "block") this.#folded.add(op, fields);
    else this.#audit.appendSoon(entry(op, fields), needsRow(ask));
    this.#events.publish(tag, fields);
  }

  /** A request that broke a rule of the wire or of trust before it could be judged. */
  blocked(all: EntryFields): void {
    const fields = all.path === undefined ? all : { ...all, path: shortPath(String(all.path)) };
    const mode = this.#mode.current;
    // An unreadable request is blocked in every mode, but only the modes that judge write it to the audit
    // log.
    if (mode === "observe")
      this.#foldedObserve.add("block", { would_be_decision: "deny", outcome: "blocked", ...fields });
    else if (mode !== "off") this.#folded.add("block", { decision: "deny", outcome: "blocked", ...fields });
    this.#events.publish("block", fields);
    this.#log.warn("blocked", logFields(fields), payerOf(fields.client));
  }

  /** A request that waits for a person from now on. */
  escalated(ask: Ask, verdict: Verdict): void {
    this.#events.publish("escalate", this.#common(ask, verdict));
  }

  /** A connection whose requests are judged from now on; each of them has a row of its own. */
  intercepted(fields: EntryFields): void {
    this.#events.publish("mitm", fields);
  }

  /** The one row of a connection that was passed through. */
  passedThrough(fields: EntryFields): void {
    this.#audit.appendSoon(entry("passthrough", fields));
    this.#events.publish("splice", fields);
  }

  /** The one row of a connection that would have been passed through, had its upstream been there. */
  notReached(fields: EntryFields): void {
    this.#folded.add("passthrough", fields);
    this.#events.publish("block", fields);
  }

  /** The one row of a connection to an inspected host that was spliced all the same. */
  pinSpliced(fields: EntryFields): void {
    this.#audit.appendSoon(entry("pin_splice", fields));
    this.#events.publish("splice", fields);
  }

  /** The second row of a session, once it is over. */
  sessionEnded(ask: Ask, more: EntryFields): void {
    this.#audit.appendSoon(
      entry("session", {
        request_id: ask.id,
        host: ask.target.name,
        port: ask.target.port,
        protocol: ask.operation.protocol,
        command: ask.operation.command,
        labels: ask.operation.labels,
        ...(ask.subject.client ? { client: ask.subject.client } : {}),
        ...more,
      }),
      true,
    );
  }

  /** Records a control command that changed something, and its caller. */
  control(fields: EntryFields): void {
    this.#audit.appendSoon(entry("control", fields), true);
    // The line has uid and pid; what started the caller is for the audit.
    const { client: _, ...logged } = fields;
    this.#log.info("control", logFields(logged));
  }

  /** Records the verdict that the policy would have given; the request was forwarded all the same. */
  observed(ask: Ask, verdict: Verdict, status: number | undefined): void {
    const fields = this.#common(ask, verdict);
    fields.would_be_decision = verdict.action;
    if (status !== undefined) fields.status = status;
    fields.duration_ms = Date.now() - ask.startedMs;
    this.#observe.appendSoon(entry(OP_OF[ask.carrier], fields));
  }
}

/** Whether the outcome must be written: an ask with an intent row needs an outcome row. */
function needsRow({ operation }: Ask): boolean {
  return operation.tier !== "observe";
}

/** Longer paths are cut in rows and log lines; an approval shows the whole. */
const PATH_MAX = 2_048;

/** The path as rows have it: a cut path ends with the length and the hash of the whole. */
export function shortPath(path: string): string {
  if (path.length <= PATH_MAX) return path;
  const hash = new Bun.CryptoHasher("sha256").update(path).digest("hex");
  const note = `… (${path.length} characters, sha256 ${hash})`;
  return path.slice(0, PATH_MAX - note.length) + note;
}

function entry(op: EntryOp, fields: EntryFields): Entry {
  return { timestamp_ms: Date.now(), op, hash: randomHex(16), fields };
}

/** A row's fields while they are put together; filled in place, because there is a row for every request. */
type OpenFields = { -readonly [Name in keyof EntryFields]: EntryFields[Name] };

function common({ id, carrier, operation, target, subject, fields: own }: Ask, verdict: Verdict): OpenFields {
  const fields: OpenFields = { request_id: id, host: target.name, port: target.port };
  // Two assignments, because there is a row for every request and copying an unknown object costs more.
  if (carrier === "http") {
    fields.method = own.method ?? "";
    fields.path = shortPath(own.path ?? "");
    if (own.recording !== undefined) fields.recording = own.recording;
    if (own.undo !== undefined) fields.undo = own.undo;
  } else Object.assign(fields, shortFields(own));
  fields.protocol = operation.protocol;
  fields.tier = operation.tier;
  fields.command = operation.command;
  fields.labels = operation.labels;
  fields.rule = verdict.rule;
  if (carrier === "mcp" || carrier === "ssh") fields.carrier = carrier;
  if (subject.client) fields.client = subject.client;
  if (subject.agent) fields.agent = subject.agent;
  return fields;
}

/** The carrier's fields for a row, with a long path cut to PATH_MAX. */
function shortFields(fields: AskFields): AskFields {
  const { path } = fields;
  return path === undefined || path.length <= PATH_MAX ? fields : { ...fields, path: shortPath(path) };
}

function withResult(fields: OpenFields, result: Omit<RequestResult, "decision">): OpenFields {
  fields.outcome = result.outcome;
  if (result.status !== undefined) fields.status = result.status;
  if (result.approvalId) fields.approval_id = result.approvalId;
  if (result.reason) fields.reason = maskValues(result.reason);
  if (result.instead) fields.instead = maskValues(result.instead);
  return fields;
}

function logFields(fields: EntryFields): Record<string, string | number | boolean | undefined> {
  const flat: Record<string, string | number | boolean | undefined> = {};
  for (const [name, value] of Object.entries(fields))
    flat[name] =
      typeof value === "object"
        ? JSON.stringify(value)
        : typeof value === "string"
          ? maskValues(value)
          : (value as number | boolean | undefined);
  return flat;
}
