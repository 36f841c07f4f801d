// The answer "cannot tell". Owns its shape so that every classifier fails closed in
// the same words; what becomes of an unknown request is the policy's business.

import type { Classification } from "../model/classification.ts";
import type { Protocol } from "../model/protocol.ts";

/** What may still be told about a request whose tier cannot be. */
export type KnownParts = Partial<Pick<Classification, "command" | "aliases" | "labels" | "parts">>;

/** A classification with tier "unknown"; `extra` keeps what was found, so that rules naming a command or scope still match. */
export function unknownClassification(
  protocol: Protocol,
  reason: string,
  extra: KnownParts = {},
): Classification {
  return { protocol, tier: "unknown", command: "", aliases: [], labels: {}, reason, ...extra };
}
