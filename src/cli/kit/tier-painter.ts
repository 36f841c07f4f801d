// The colour of a tier, the same wherever one is printed.

import type { Paint, Paints } from "./output.ts";

/** Paints a tier's name: observe is plain, modify is yellow, everything above is red. */
export function tierPainter(paints: Pick<Paints, "warn" | "bad">): Paint {
  return (tier) => (tier === "observe" ? tier : tier === "modify" ? paints.warn(tier) : paints.bad(tier));
}
