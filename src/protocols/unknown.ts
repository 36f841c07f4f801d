// The answer "cannot tell". Owns its shape so that every classifier fails closed in
// the same words; what becomes of an unknown request is the policy's business.

import type { Classification } from "../model/classification.ts";
import type { Protocol } from "../model/protocol.ts";

/** The parts of a classification that may be known although the tier is not. */
export type KnownParts = Partial<Pick<Classification, "command" | "aliases" | "labels" | "parts">>;

/**
 * A classification with tier "unknown"; `extra` keeps the findings, so that rules naming a command or scope
 * still match.
 */
export function unknownClassification(
  protocol: Protocol,
  reason: string,
  extra: KnownParts = {},
): Classification {
  return { protocol, tier: "unknown", command: "", aliases: [], labels: {}, reason, ...extra };
}

/**
 * A classification on which some doubt lies: unknown, keeping the findings. A reading of more than a read
 * stays as a part, so that doubt (which may be provoked) never turns a denial into a question.
 */
export function doubtful(plain: Classification, reason: string): Classification {
  const unknown: Classification = { ...plain, tier: "unknown", reason };
  if (plain.tier === "observe" || plain.tier === "unknown") return unknown;
  return { ...unknown, parts: [...(plain.parts ?? [plain]), unknown] };
}
