// Holds the three accounts of every request against each other: what its client saw, what reached
// the upstream, and what the audit log says. Each claim is a function that says whether one request
// keeps it.

import type { Outcome } from "../../src/model/outcome.ts";
import type { AuditTally } from "./audit-tally.ts";
import { type Kind, kindOf } from "./kinds.ts";
import { ARRIVED, type Ledger, SEEN } from "./ledger.ts";
import type { Report } from "./report.ts";

/** One request in all three accounts. */
interface Case {
  readonly id: number;
  readonly kind: Kind;
  readonly seen: number;
  /** How often its head reached the upstream. */
  readonly heads: number;
  readonly arrived: number;
  readonly results: number;
  readonly intents: number;
  readonly hasLateIntent: boolean;
  readonly outcome: Outcome | undefined;
  readonly status: number;
}

type Claim = readonly [claim: string, applies: (request: Case) => boolean, holds: (request: Case) => boolean];

/** How a request may end when its client left, its upstream was killed, or both. */
const ENDINGS: Readonly<Record<Kind["ends"], readonly Outcome[]>> = {
  allowed: ["allowed", "failed"],
  refused: ["refused"],
  approved: ["approved", "failed", "withdrawn"],
  denied: ["denied", "withdrawn"],
  withdrawn: ["withdrawn"],
  undecided: ["withdrawn", "denied", "approved", "failed"],
};

/** Whether the gateway must have judged it: a client that left may have done so before anybody could. */
function isJudged({ seen }: Case): boolean {
  return seen !== SEEN.left;
}

const CLAIMS: readonly Claim[] = [
  [
    "every request that reached the upstream has a row",
    ({ heads }) => heads > 0,
    ({ results }) => results === 1,
  ],
  ["every request has exactly one result", isJudged, ({ results }) => results === 1],
  ["no request has two results", () => true, ({ results }) => results <= 1],
  [
    "every result is the one that the policy and the approver meant",
    ({ results }) => results > 0,
    ({ kind, outcome }) => outcome !== undefined && ENDINGS[kind.ends].includes(outcome),
  ],
  ["what was served is recorded as let through", ({ seen }) => seen === SEEN.served, wasLetThrough],
  [
    "what was refused is recorded as refused",
    ({ seen }) => seen === SEEN.refused,
    ({ outcome, status }) =>
      status === 403 && outcome !== undefined && ["refused", "denied", "withdrawn"].includes(outcome),
  ],
  [
    "what failed is recorded as failed",
    ({ seen }) => seen === SEEN.failed,
    ({ outcome, status }) => outcome === "failed" && status === 502,
  ],
  [
    "every write that was forwarded has one intent before its result",
    ({ kind, heads }) => kind.isWrite && heads > 0,
    ({ intents, hasLateIntent }) => intents === 1 && !hasLateIntent,
  ],
  [
    "nothing that was refused, denied or withdrawn reached the upstream",
    ({ outcome }) => outcome === "refused" || outcome === "denied" || outcome === "withdrawn",
    ({ heads }) => heads === 0,
  ],
  ["no write reached the upstream twice", ({ kind }) => kind.isWrite, ({ heads }) => heads <= 1],
  [
    "every body that reached the upstream is the client's",
    ({ heads }) => heads > 0,
    ({ arrived }) => (arrived & ARRIVED.wrong) === 0,
  ],
  [
    "what was served had reached the upstream whole",
    ({ seen }) => seen === SEEN.served,
    ({ arrived }) => (arrived & ARRIVED.whole) !== 0,
  ],
  ["no reply belongs to another request", () => true, ({ seen }) => seen !== SEEN.foreign],
  ["no broken reply looked complete", () => true, ({ seen }) => seen !== SEEN.deceptive],
  ["every request was answered, and as it should be", () => true, isAnswered],
];

function wasLetThrough({ kind, outcome, status }: Case): boolean {
  const wanted = kind.ends === "approved" || kind.ends === "undecided" ? "approved" : "allowed";
  return outcome === wanted && status === (kind.upgrade ? 101 : 200);
}

function isAnswered({ kind, seen }: Case): boolean {
  if (seen === SEEN.left || seen === SEEN.held) return true;
  if (seen === SEEN.refused) return kind.ends === "refused" || kind.ends === "denied";
  if (seen === SEEN.served) return kind.ends === "allowed" || kind.ends === "approved";
  return (seen === SEEN.failed || seen === SEEN.broken) && kind.ends !== "refused" && kind.ends !== "denied";
}

/** Checks every claim on every request, and prints them. */
export function judgeRequests(report: Report, ledger: Ledger, tally: AuditTally): void {
  const counts = CLAIMS.map(() => ({ cases: 0, broken: 0, samples: [] as string[] }));
  const endings = new Map<string, number>();
  // The last number is the scene's own.
  for (let id = 1; id < ledger.size - 1; id++) {
    const request = caseOf(id, ledger, tally);
    if (request === undefined) {
      if ((tally.results[id] ?? 0) + (tally.intents[id] ?? 0) > 0)
        tally.strangers.push(`rows of request ${id}, which nobody sent`);
      continue;
    }
    const ending = `${nameOf(request.seen)}, ${request.outcome ?? "no row"}`;
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
    for (const [index, [, applies, holds]] of CLAIMS.entries()) {
      const count = counts[index];
      if (count === undefined || !applies(request)) continue;
      count.cases += 1;
      if (holds(request)) continue;
      count.broken += 1;
      if (count.samples.length < 5) count.samples.push(describe(request));
    }
  }
  const sorted = [...endings].sort(([, a], [, b]) => b - a);
  report.note(
    `seen by the client, recorded: ${sorted.map(([name, count]) => `${name} ${count}`).join("; ")}`,
  );
  for (const [index, [claim]] of CLAIMS.entries()) {
    const { cases = 0, broken = 0, samples = [] } = counts[index] ?? {};
    const numbers =
      broken === 0 ? `${cases} requests` : `${broken} of ${cases} are otherwise: ${samples.join("; ")}`;
    report.claim(claim, broken === 0, numbers);
  }
}

function caseOf(id: number, ledger: Ledger, tally: AuditTally): Case | undefined {
  const kind = kindOf(ledger.kinds[id]);
  if (kind === undefined) return undefined;
  const arrived = ledger.arrived[id] ?? 0;
  return {
    id,
    kind,
    seen: ledger.seen[id] ?? 0,
    heads: arrived & ARRIVED.count,
    arrived,
    results: tally.results[id] ?? 0,
    intents: tally.intents[id] ?? 0,
    hasLateIntent: tally.lateIntents[id] === 1,
    outcome: tally.outcomeOf(id),
    status: tally.statusOf(id),
  };
}

function nameOf(seen: number): string {
  return Object.entries(SEEN).find(([, value]) => value === seen)?.[0] ?? "nothing";
}

function describe({ id, kind, seen, heads, results, intents, outcome, status }: Case): string {
  const recorded = `${results} results (${outcome ?? "none"} ${status}), ${intents} intents`;
  return `request ${id} (${kind.name}): seen ${nameOf(seen)}, arrived ${heads} times, ${recorded}`;
}
