// Remembers chains that were verified, so that a new connection to the same server does not pay
// again. Only successful verifications are remembered, for the same bytes, name and trust; never
// beyond the certificates' own time.

import { createHash } from "node:crypto";
import type { TrustAnchors } from "./trust-anchors.ts";
import { type ChainVerdict, verifyChain } from "./verify-chain.ts";

/** Long enough for a burst of connections, short enough that a clock that was set right is noticed. */
const REMEMBER_MS = 10 * 60_000;
const MOST_REMEMBERED = 1_000;

/** Verifies chains against the clock that it is given. */
export class ChainVerifier {
  readonly #now: () => number;
  /** When each verdict ends, the longest unused first; by trust, so that the verdicts of a removed trust go with it. */
  readonly #verified = new WeakMap<
    TrustAnchors,
    Map<string, { readonly untilMs: number; readonly verdict: ChainVerdict }>
  >();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The verdict on the chain that the server named `name` presented, its own certificate first, in DER. */
  verify(presented: readonly Uint8Array[], name: string, anchors: TrustAnchors): ChainVerdict {
    const nowMs = this.#now();
    const known = this.#verified.get(anchors) ?? new Map();
    this.#verified.set(anchors, known);
    const key = keyOf(presented, name);
    const entry = known.get(key);
    if (entry && nowMs < entry.untilMs && nowMs >= entry.untilMs - REMEMBER_MS) return entry.verdict;
    known.delete(key);
    const verdict = verifyChain(presented, { name, anchors, nowMs });
    if (verdict.kind === "refused") return verdict;
    const oldest = known.size >= MOST_REMEMBERED ? known.keys().next().value : undefined;
    if (oldest !== undefined) known.delete(oldest);
    known.set(key, { untilMs: Math.min(nowMs + REMEMBER_MS, verdict.validUntilMs), verdict });
    return verdict;
  }
}

function keyOf(presented: readonly Uint8Array[], name: string): string {
  const hash = createHash("sha256");
  // A certificate tells its own length, so no two chains have the same bytes.
  for (const der of presented) hash.update(der);
  return `${hash.digest("base64")} ${name}`;
}
