// Risk tiers, from harmless to worst. Owns their order and nothing else: which request has which
// tier is the classifiers' business, the policy says what follows from a tier. "unknown" is not a
// tier: it is the absence of one, and every reader must treat it as stricter than any rule by tier
// could express.

/** The four tiers in ascending order of risk, spelled as in policy.yaml. */
export const TIERS = ["observe", "modify", "sensitive", "break-glass"] as const;

/** A risk tier, spelled as the user writes it. */
export type Tier = (typeof TIERS)[number];

/** A tier, or the statement that none could be determined; never matches a rule by tier. */
export type TierOrUnknown = Tier | "unknown";

/** Whether an outside value is one of the four tiers ("unknown" is not). */
export function isTier(value: unknown): value is Tier {
  return TIERS.includes(value as Tier);
}

/** The riskier of two; "unknown" wins over every tier because it may hide any of them. */
export function stricterTier(a: TierOrUnknown, b: TierOrUnknown): TierOrUnknown {
  if (a === "unknown" || b === "unknown") return "unknown";
  return TIERS.indexOf(a) >= TIERS.indexOf(b) ? a : b;
}
