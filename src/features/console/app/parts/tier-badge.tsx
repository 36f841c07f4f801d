// A tier, as a word with a colour and a shape of its own: nobody has to tell colours apart.

import type { TierOrUnknown } from "../../../../model/tier.ts";

/** The meaning of each tier, in a clause. */
export const TIER_MEANINGS: Readonly<Record<TierOrUnknown, string>> = {
  observe: "reads, changes nothing",
  modify: "changes something that can be changed back",
  sensitive: "reads or changes secrets, or much at once",
  "break-glass": "may be beyond repair, or gives access",
  unknown: "could not be classified",
};

/** The badge. */
export function TierBadge({ tier }: { readonly tier: TierOrUnknown }) {
  return (
    <span class={`tier tier-${tier}`} title={TIER_MEANINGS[tier]}>
      {tier}
    </span>
  );
}
