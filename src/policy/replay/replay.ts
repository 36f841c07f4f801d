// The audit log under another policy. A row keeps the classification of its request (row-facts.ts),
// and both policies decide exactly that, so a difference is the policies' and not the classifier's.
// If method, host and path alone tell a request's classification, that of this version is compared
// separately. Rows that cannot be decided again are counted.

import { ACTIONS, type Action } from "../../model/action.ts";
import type { Classification } from "../../model/classification.ts";
import type { Entry, EntryFields, EntryOp } from "../../model/entry.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { decide } from "../decide/decide.ts";
import { routeOf } from "../decide/route.ts";
import type { Policy } from "../policy.ts";
import { ownLabels, recordedRequest } from "./row-facts.ts";

/** The policy's answer to a replayed request; `splice` where the policy does not inspect the host. */
export type ReplayedAction = Action | "splice";

/** Requests that the candidate decides in another way, all of one operation and one place. */
export interface ReplayChange {
  readonly protocol: Protocol;
  readonly command: string;
  readonly from: ReplayedAction;
  readonly to: ReplayedAction;
  readonly count: number;
  /** Ids of some of them. */
  readonly examples: readonly string[];
  /** Labels of the first of them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Requests that this version of iddio classifies differently, and the effect of that under the policy in force. */
export interface Reclassified {
  readonly protocol: Protocol;
  readonly was: { readonly command: string; readonly tier: TierOrUnknown };
  readonly is: { readonly command: string; readonly tier: TierOrUnknown };
  readonly from: Action;
  readonly to: Action;
  readonly count: number;
}

/** The result of replaying a log. */
export interface ReplayReport {
  /** Requests that were decided. */
  readonly decided: number;
  /** Those of them whose rows have every fact, so that the answer is exact. */
  readonly exact: number;
  /** Widest first, then the most frequent. */
  readonly changes: readonly ReplayChange[];
  /** The most frequent first. */
  readonly reclassified: readonly Reclassified[];
  /** Decided requests that a person or a grant answered, which no policy can. */
  readonly answered: number;
  /** Requests that could not be decided. */
  readonly skipped: number;
  /** Connections that passed unread and that the candidate would look into. */
  readonly newlyInspected: number;
}

/** Rows that say how a judged request ended. */
const JUDGED: ReadonlySet<EntryOp> = new Set<EntryOp>(["mitm", "block", "hook", "mcp", "ssh"]);
/** Requests of one change that are named. */
const EXAMPLES = 3;
/** Different requests that are remembered; an agent sends the same few over and over. */
const MAX_SEEN = 20_000;

type Open<T> = { -readonly [Name in keyof T]: T[Name] };

interface Replayed {
  readonly classification: Classification;
  readonly from: ReplayedAction;
  readonly to: ReplayedAction;
  readonly isExact: boolean;
  readonly other?: Omit<Reclassified, "count">;
}

/** Takes rows one by one; asked for the report at the end. */
export class Replay {
  readonly #before: Policy;
  readonly #after: Policy;
  readonly #version: string;
  readonly #seen = new Map<string, Replayed | undefined>();
  readonly #changes = new Map<string, Open<ReplayChange>>();
  readonly #others = new Map<string, Open<Reclassified>>();
  readonly #counts = { decided: 0, exact: 0, answered: 0, skipped: 0, newlyInspected: 0 };

  /** `version` is that of the program, as rows have it: rows that it classified itself are not classified again. */
  constructor(before: Policy, after: Policy, version: string) {
    this.#before = before;
    this.#after = after;
    this.#version = version;
  }

  /** Decides a row again. Rows that are no end of a judged request are left out. */
  add({ op, fields }: Entry): void {
    const times = typeof fields.repeated === "number" && fields.repeated >= 1 ? fields.repeated : 1;
    if (op === "passthrough") this.#passedThrough(fields, times);
    if (!JUDGED.has(op)) return;
    const replayed = this.#replay(fields);
    if (replayed === undefined) {
      this.#counts.skipped += times;
      return;
    }
    this.#counts.decided += times;
    if (replayed.isExact) this.#counts.exact += times;
    if (fields.approval_id !== undefined) this.#counts.answered += times;
    if (replayed.other !== undefined) this.#countOther(replayed.other, times);
    if (replayed.from !== replayed.to) this.#countChange(replayed, times, fields.request_id);
  }

  /** Returns the result for the rows that were added so far. */
  report(): ReplayReport {
    return {
      ...this.#counts,
      changes: [...this.#changes.values()].sort((a, b) => widthOf(b) - widthOf(a) || b.count - a.count),
      reclassified: [...this.#others.values()].sort((a, b) => b.count - a.count),
    };
  }

  #passedThrough({ host, port = 443 }: EntryFields, times: number): void {
    if (host === undefined || routeOf(this.#before, { host, port }) !== undefined) return;
    if (routeOf(this.#after, { host, port }) !== undefined) this.#counts.newlyInspected += times;
  }

  #countChange({ classification, from, to }: Replayed, times: number, id: string | undefined): void {
    const { protocol, command } = classification;
    const labels = ownLabels(classification);
    const key = `${from} ${to} ${protocol} ${command} ${JSON.stringify(labels)}`;
    const known = this.#changes.get(key) ?? { protocol, command, from, to, count: 0, examples: [], labels };
    known.count += times;
    if (known.examples.length < EXAMPLES && id !== undefined) known.examples = [...known.examples, id];
    this.#changes.set(key, known);
  }

  #countOther(other: Omit<Reclassified, "count">, times: number): void {
    const key = JSON.stringify(other);
    const known = this.#others.get(key) ?? { ...other, count: 0 };
    known.count += times;
    this.#others.set(key, known);
  }

  #replay(fields: EntryFields): Replayed | undefined {
    const { protocol, host, port, method, path, tier, command, labels, aliases } = fields;
    const { unnamed_scopes: unnamed, spanned_scopes: spanned, parts, with_presence: present } = fields;
    const about = [protocol, tier, command, labels, aliases, unnamed, spanned, parts, present];
    const key = JSON.stringify([
      ...about,
      host,
      port,
      method,
      path,
      fields.classifier,
      fields.parts_left_out,
    ]);
    if (this.#seen.has(key)) return this.#seen.get(key);
    const replayed = this.#decide(fields);
    if (this.#seen.size < MAX_SEEN) this.#seen.set(key, replayed);
    return replayed;
  }

  #decide(fields: EntryFields): Replayed | undefined {
    const recorded = recordedRequest(fields);
    if (recorded === undefined) return undefined;
    const { mayWiden, classifier } = recorded;
    // A row for many refusals has only what all of them share.
    if (fields.repeated !== undefined && classifier === undefined) return undefined;
    const fresh = classifier === this.#version ? undefined : classifiedNow(fields, recorded.classification);
    const classification = fresh ?? recorded.classification;
    const to = this.#byCandidate(fields, classification, mayWiden);
    if (to === undefined) return undefined;
    const decided = { classification, from: decide(this.#before, classification, mayWiden).action, to };
    const isExact = classifier !== undefined;
    if (fresh === undefined) return { ...decided, isExact };
    const { protocol, command, tier } = recorded.classification;
    const other = {
      protocol,
      was: { command, tier },
      is: { command: fresh.command, tier: fresh.tier },
      from: decide(this.#before, recorded.classification, mayWiden).action,
      to: decided.from,
    };
    return { ...decided, isExact, other };
  }

  /** By the candidate's own route; undefined where another protocol would judge parts of the request that rows lack. */
  #byCandidate(
    fields: EntryFields,
    classification: Classification,
    mayWiden: boolean,
  ): ReplayedAction | undefined {
    const { host, port = 443 } = fields;
    const was = host === undefined ? undefined : routeOf(this.#before, { host, port });
    // The route may have come from an address or a name that the row does not have.
    if (host === undefined || was?.protocol !== classification.protocol)
      return decide(this.#after, classification, mayWiden).action;
    const is = routeOf(this.#after, { host, port });
    if (is === undefined) return "splice";
    if (is.protocol === classification.protocol) return decide(this.#after, classification, mayWiden).action;
    const request = requestOf(fields);
    if (request === undefined) return undefined;
    const classifier = classifierFor(is.protocol);
    if (classifier.needsBody(request)) return undefined;
    return decide(this.#after, classifier.classify(request), mayWiden).action;
  }
}

/** Whether a change lets through more than before. */
export function isWiderReplay(change: Pick<ReplayChange, "from" | "to">): boolean {
  return widthOf(change) > 0;
}

const WIDTHS: readonly ReplayedAction[] = [...ACTIONS].reverse();

function widthOf({ from, to }: Pick<ReplayChange, "from" | "to">): number {
  const width = (action: ReplayedAction) => (action === "splice" ? WIDTHS.length : WIDTHS.indexOf(action));
  return width(to) - width(from);
}

/**
 * The classification by this version, if it differs from the row's. Undefined if it does not, or if it may
 * depend on header fields or a body, which the row lacks.
 */
function classifiedNow(fields: EntryFields, recorded: Classification): Classification | undefined {
  const request = requestOf(fields);
  if (request === undefined || recorded.parts !== undefined) return undefined;
  const classifier = classifierFor(recorded.protocol);
  if (classifier.needsBody(request)) return undefined;
  const fresh = classifier.classify(request);
  const isSame = fresh.tier === recorded.tier && fresh.command === recorded.command;
  // Without its fields a request is often unknown; so is one that needs them to be more than a path.
  if (isSame || (fresh.tier === "unknown" && recorded.tier !== "unknown")) return undefined;
  const { agent } = recorded.labels;
  return agent === undefined ? fresh : { ...fresh, labels: { ...fresh.labels, agent } };
}

/** The request of a row as far as the row has it; undefined where the path was cut, which names something else. */
function requestOf({ host, port = 443, method, path }: EntryFields) {
  if (host === undefined || method === undefined || path === undefined) return undefined;
  // A command line that a hook asked about.
  if (port === 0) return undefined;
  if (/… \(\d+ characters, sha256 [0-9a-f]{64}\)$/.test(path)) return undefined;
  return { host, port, method, target: path, headers: [], body: { kind: "none" } } as const;
}
