// The audit log under another policy. A row keeps what its request was taken for, not the request itself, so each is
// classified again from its method, host and path; where only the body tells, the row's own words count. Both policies
// decide the same classification, so a difference is the policies' and not the classifier's.

import { ACTIONS, type Action } from "../../model/action.ts";
import type { Classification } from "../../model/classification.ts";
import type { Entry } from "../../model/entry.ts";
import type { Protocol } from "../../model/protocol.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { decide } from "../decide/decide.ts";
import type { Policy } from "../policy.ts";

/** Requests that the candidate decides in another way, all of one operation and one place. */
export interface ReplayChange {
  readonly protocol: Protocol;
  readonly command: string;
  readonly from: Action;
  readonly to: Action;
  readonly count: number;
  /** Ids of some of them. */
  readonly examples: readonly string[];
  /** Labels of the first of them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What came of a log. */
export interface ReplayReport {
  /** Rows that were decided. */
  readonly decided: number;
  /** Widest first, then the most frequent. */
  readonly changes: readonly ReplayChange[];
  /** Rows that this version of iddio takes for another operation or tier than the row says. */
  readonly reclassified: number;
  /** Rows that were decided by their own words, because the body is not in the log. */
  readonly byRow: number;
  /** Rows about requests that could not be decided: no protocol, a cut or unreadable path. */
  readonly skipped: number;
}

const EXAMPLES = 3;

/** Takes rows one by one; asked for the report at the end. */
export class Replay {
  readonly #before: Policy;
  readonly #after: Policy;
  readonly #seen = new Map<string, Replayed>();
  readonly #changes = new Map<string, { -readonly [Name in keyof ReplayChange]: ReplayChange[Name] }>();
  #decided = 0;
  #reclassified = 0;
  #byRow = 0;
  #skipped = 0;

  constructor(before: Policy, after: Policy) {
    this.#before = before;
    this.#after = after;
  }

  /** Decides a row again. Rows that are no end of a judged request are left out. */
  add({ op, fields }: Entry): void {
    if (op !== "mitm" && op !== "block") return;
    const replayed = this.#classify(fields);
    if (replayed === undefined) {
      this.#skipped += 1;
      return;
    }
    this.#decided += 1;
    if (replayed.isReclassified) this.#reclassified += 1;
    if (replayed.isByRow) this.#byRow += 1;
    const { from, to, classification } = replayed;
    if (from === to) return;
    const { protocol, command, labels } = classification;
    const key = `${from} ${to} ${protocol} ${command} ${JSON.stringify(labels)}`;
    const known = this.#changes.get(key) ?? { protocol, command, from, to, count: 0, examples: [], labels };
    known.count += 1;
    if (known.examples.length < EXAMPLES && fields.request_id !== undefined)
      known.examples = [...known.examples, fields.request_id];
    this.#changes.set(key, known);
  }

  /** What came of the rows so far. */
  report(): ReplayReport {
    const step = ({ from, to }: ReplayChange) => ACTIONS.indexOf(to) - ACTIONS.indexOf(from);
    return {
      decided: this.#decided,
      changes: [...this.#changes.values()].sort((a, b) => step(a) - step(b) || b.count - a.count),
      reclassified: this.#reclassified,
      byRow: this.#byRow,
      skipped: this.#skipped,
    };
  }

  #classify(fields: Entry["fields"]): Replayed | undefined {
    const { protocol, host, port, method, path, tier, command = "", labels = {} } = fields;
    if (
      protocol === undefined ||
      host === undefined ||
      method === undefined ||
      path === undefined ||
      tier === undefined
    )
      return undefined;
    // A path that was cut in the row names something else.
    if (/… \(\d+ characters, sha256 [0-9a-f]{64}\)$/.test(path)) return undefined;
    const key = `${protocol} ${host} ${method} ${path} ${tier} ${command} ${JSON.stringify(labels)}`;
    const seen = this.#seen.get(key);
    if (seen !== undefined) return seen;
    const classifier = classifierFor(protocol);
    const request = {
      host,
      port: port ?? 443,
      method,
      target: path,
      headers: [],
      body: { kind: "none" },
    } as const;
    const fresh = classifier.classify(request);
    const isSame = fresh.tier === tier && fresh.command === command;
    const isByRow = !isSame && classifier.needsBody(request);
    const recorded: Classification = {
      protocol,
      tier,
      command,
      aliases: [],
      labels,
      reason: "as the row says",
    };
    const classification = isByRow ? recorded : fresh;
    const replayed = {
      classification,
      isReclassified: !isSame && !isByRow,
      isByRow,
      from: decide(this.#before, classification).action,
      to: decide(this.#after, classification).action,
    };
    if (this.#seen.size < MAX_SEEN) this.#seen.set(key, replayed);
    return replayed;
  }
}

/** Different requests that are remembered; an agent sends the same few over and over. */
const MAX_SEEN = 50_000;

interface Replayed {
  readonly classification: Classification;
  readonly isReclassified: boolean;
  readonly isByRow: boolean;
  readonly from: Action;
  readonly to: Action;
}
