// Several readings of one request made into one answer. Knows nothing of where the readings came
// from. The readings stay in `parts`: an unknown reading must not hide a break-glass one, because a
// policy may deny break-glass and only hold unknown requests.

import type { Classification } from "../model/classification.ts";
import { stricterTier } from "../model/tier.ts";

/**
 * The strictest of several classifications of the same request or of its parts. One stays as it is; of more
 * the first with the strictest tier gives command, labels and reason, and all of them become `parts`.
 */
export function strictestOf(first: Classification, ...others: readonly Classification[]): Classification {
  if (others.length === 0) return first;
  let strictest = first;
  for (const other of others)
    if (other.tier !== strictest.tier && stricterTier(other.tier, strictest.tier) === other.tier)
      strictest = other;
  const parts = [first, ...others].flatMap((one) => one.parts ?? [one]);
  return { ...strictest, parts };
}

/**
 * The same request with a circumstance that makes every reading of it break-glass. An unknown classification
 * stays unknown and gets a break-glass reading beside it.
 */
export function raisedToBreakGlass(answer: Classification, reason: string): Classification {
  const { parts, ...whole } = answer;
  const [first = whole, ...others] = (parts ?? [whole]).flatMap((part): readonly Classification[] => {
    const raised: Classification = { ...part, tier: "break-glass", reason, circumstance: reason };
    return part.tier === "unknown" ? [part, raised] : [raised];
  });
  return strictestOf(first, ...others);
}
