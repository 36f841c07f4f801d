// Reads a log for requests that the policy does not let through: which of them people allowed, or
// ran in observe mode, how often and where, and which of them a person denied. Every row is decided
// again by the policy in force, so a request that is allowed already is no observation.

import type { Classification } from "../../model/classification.ts";
import type { Entry, EntryFields, EntryOp } from "../../model/entry.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { TierOrUnknown } from "../../model/tier.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { decide } from "../decide/decide.ts";
import { type DecidingTable, decidingTables, describeWay, wayToAllow } from "../explain/way-to-allow.ts";
import { scopeKeywords } from "../parse/block-keys.ts";
import type { Policy } from "../policy.ts";
import { ownLabels, recordedRequest } from "../replay/row-facts.ts";

/** Where a rule would have to stand. */
export interface RulePlace {
  readonly protocol: Protocol;
  /** Path of the rules block that decides now: the protocol's own, or an entry of a scope list. */
  readonly path: string;
  /** The list that names the scope; undefined where the request has none. */
  readonly scope: { readonly keyword: string; readonly label: string } | undefined;
  /** Place of the deciding entry in that list; undefined where the rules of the block decide. */
  readonly index: number | undefined;
}

/** Requests of one operation, tier and scope. */
export interface Observation {
  readonly place: RulePlace;
  /** One of the requests, as a policy decides it. */
  readonly asked: Classification;
  readonly command: string;
  readonly tier: TierOrUnknown;
  /** The name of the scope. */
  readonly name: string | undefined;
  readonly hosts: ReadonlySet<string>;
  /** How often it was allowed by a person, or ran in observe mode. */
  readonly count: number;
  /** How often a person denied it. */
  readonly denied: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Ids of some of its requests. */
  readonly examples: readonly string[];
  /** Whether its body can raise the tier. */
  readonly readsBody: boolean;
  /** Why no rule of the policy could allow it. */
  readonly hindrance: string | undefined;
}

type Open = { -readonly [Name in keyof Observation]: Observation[Name] } & { readonly hosts: Set<string> };

/** Rows that say how a request ended on the wire; a hook's command line is seen there again. */
const WIRE: ReadonlySet<EntryOp> = new Set<EntryOp>(["mitm", "block", "mcp", "ssh"]);
const EXAMPLES = 3;
/** Different operations and scopes that are remembered. */
const MAX_OBSERVATIONS = 50_000;

/** Where several lists could name a scope, the label to use, narrowest first; else the order of the policy's keys. */
const NARROWEST: Partial<Readonly<Record<Protocol, readonly string[]>>> = {
  aws: ["bucket", "account", "region"],
  cloudflare: ["zone", "account"],
};

/** Takes rows one by one, in any order. */
export class Observations {
  readonly #policy: Policy;
  readonly #found = new Map<string, Open>();
  #rows = 0;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  /** Rows about judged requests. */
  get rows(): number {
    return this.#rows;
  }

  /** Everything that was seen and is not allowed, the most frequent first. */
  get all(): readonly Observation[] {
    return [...this.#found.values()].sort((a, b) => b.count - a.count || a.firstMs - b.firstMs);
  }

  /** Learns from a row; those that say nothing are left out. */
  add({ op, fields, timestamp_ms: atMs }: Entry): void {
    if (!WIRE.has(op)) return;
    const recorded = recordedRequest(fields);
    if (recorded === undefined) return;
    this.#rows += 1;
    const answer = answerOf(fields);
    if (answer === undefined) return;
    const key = this.#keyOf(fields, recorded.classification);
    const known = this.#found.get(key) ?? this.#begin(key, fields, recorded.classification);
    if (known === undefined) return;
    const times = typeof fields.repeated === "number" ? fields.repeated : 1;
    if (answer === "denied") known.denied += times;
    else known.count += times;
    if (fields.host !== undefined) known.hosts.add(fields.host);
    known.firstMs = Math.min(known.firstMs, atMs);
    known.lastMs = Math.max(known.lastMs, atMs);
    if (answer === "allowed" && known.examples.length < EXAMPLES && fields.request_id !== undefined)
      known.examples = [...known.examples, fields.request_id];
  }

  #keyOf({ method }: EntryFields, { protocol, tier, command, ...rest }: Classification): string {
    const { unnamedScopes, spannedScopes, parts } = rest;
    return JSON.stringify([
      protocol,
      tier,
      command,
      ownLabels(rest),
      unnamedScopes,
      spannedScopes,
      parts,
      method,
    ]);
  }

  #begin(key: string, fields: EntryFields, recorded: Classification): Open | undefined {
    const classification = { ...recorded, labels: ownLabels(recorded) };
    if (this.#found.size >= MAX_OBSERVATIONS || decide(this.#policy, classification).action === "allow")
      return undefined;
    const { command, tier } = classification;
    const where = this.#placeOf(classification);
    const begun: Open = {
      ...where,
      asked: classification,
      command,
      tier,
      hosts: new Set(),
      count: 0,
      denied: 0,
      firstMs: Number.POSITIVE_INFINITY,
      lastMs: 0,
      examples: [],
      readsBody: readsBody(fields, classification),
    };
    this.#found.set(key, begun);
    return begun;
  }

  #placeOf(classification: Classification): Pick<Observation, "place" | "name" | "hindrance"> {
    const { protocol, labels } = classification;
    const block = this.#policy.blocks.get(protocol);
    const path = protocol;
    const nowhere = { protocol, path, scope: undefined, index: undefined };
    const way = wayToAllow(this.#policy, classification);
    if (block === undefined || way?.kind === "none")
      return { place: nowhere, name: undefined, hindrance: describeWay(way) };
    const inTheWay = decidingTables(block, classification).filter(({ action }) => action !== "allow");
    const [table] = inTheWay;
    if (table === undefined || inTheWay.length > 1 || (classification.parts?.length ?? 0) > 0)
      return { place: nowhere, name: undefined, hindrance: "several rules would have to change" };
    const scope = scopeOf(protocol, table, labels);
    const place = { protocol, path: table.path, scope, index: table.entry?.index };
    const name = scope === undefined ? undefined : labels[scope.label];
    const isScoped = scopeKeywords(protocol).length > 1;
    // Only of Kubernetes is it certain that what names no namespace is in none.
    if (name === undefined && isScoped && protocol !== "kubectl")
      return { place, name, hindrance: "it names no scope that a rule could be about" };
    return { place, name, hindrance: undefined };
  }
}

/**
 * Whether a person allowed or denied the row's request. A request that ran in observe mode, where nobody is
 * asked, counts as allowed.
 */
function answerOf({ outcome, status, ...fields }: EntryFields): "allowed" | "denied" | undefined {
  // A request that the upstream refused did not happen.
  const isDone = status === undefined || status < 400;
  if (fields.would_be_decision === "deny" || outcome === "denied") return "denied";
  if (fields.would_be_decision !== undefined) return status !== undefined && isDone ? "allowed" : undefined;
  return (outcome === "approved" || outcome === "granted") && isDone ? "allowed" : undefined;
}

function scopeOf(
  protocol: Protocol,
  { entry }: DecidingTable,
  labels: Readonly<Record<string, string>>,
): RulePlace["scope"] {
  if (entry !== undefined) return { keyword: entry.list.keyword, label: entry.list.label };
  const keywords = scopeKeywords(protocol);
  const order = NARROWEST[protocol] ?? keywords.map(({ label }) => label);
  const label = order.find((one) => labels[one] !== undefined);
  return keywords.find((one) => one.label === label);
}

function readsBody(
  { host, port = 443, method, path }: EntryFields,
  { protocol, command, labels }: Classification,
): boolean {
  const { isJudgedByBody } = classifierFor(protocol);
  if (isJudgedByBody !== undefined) return isJudgedByBody(command, labels);
  if (host === undefined || method === undefined || path === undefined) return true;
  return classifierFor(protocol).needsBody({ host, port, method, target: path, headers: [] });
}
