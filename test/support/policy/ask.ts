// Asks and operations for tests that need one and do not care which.

import type { Ask } from "../../../src/model/ask.ts";
import type { Classification } from "../../../src/model/classification.ts";

/** A POST that is a change; `given` says what matters. */
export function madeUpOperation(given: Partial<Classification> = {}): Classification {
  return {
    protocol: "generic",
    tier: "modify",
    command: "POST",
    aliases: [],
    labels: {},
    reason: "",
    ...given,
  };
}

/** An ask for it. */
export function madeUpAsk(given: Partial<Ask> = {}): Ask {
  return {
    id: "r",
    carrier: "http",
    target: { name: "h", port: 443 },
    operation: madeUpOperation(),
    subject: { client: undefined, credential: "c" },
    fields: { method: "POST", path: "/" },
    evidence: [{ label: "Request", text: "POST /" }],
    digest: "d",
    canRecur: true,
    startedMs: 0,
    ...given,
  };
}
