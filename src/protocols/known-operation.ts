// One operation of a vendor's published API, as policies name it. What the catalogues of all
// protocols have in common: the policy tools ask "what would change for each of these?".

import type { Tier } from "../model/tier.ts";

/** An operation that requests of a protocol can carry. */
export interface KnownOperation {
  /** As `Classification.command` has it. */
  readonly command: string;
  /** Other spellings that rules match too. */
  readonly aliases: readonly string[];
  readonly tier: Tier;
}
