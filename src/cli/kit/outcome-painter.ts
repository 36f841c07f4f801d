// The colour of a decision, an outcome or an event's tag, the same wherever one is printed.

import type { Paint, Paints } from "./output.ts";

const GOOD = new Set(["allow", "allowed", "approved", "granted", "approval_replied", "grant_added"]);
const WARN = new Set([
  "escalate",
  "asked",
  "timed_out",
  "withdrawn",
  "failed",
  "approval_requested",
  "approval_timed_out",
  "approval_withdrawn",
  "host_suspected",
]);
const BAD = new Set([
  "deny",
  "denied",
  "refused",
  "blocked",
  "block",
  "policy_reload_failed",
  "settings_reload_failed",
]);

/** Paints a word that says how something went; every other word stays as it is. */
export function outcomePainter(paints: Pick<Paints, "good" | "warn" | "bad">): Paint {
  return (word) => {
    if (GOOD.has(word)) return paints.good(word);
    if (WARN.has(word)) return paints.warn(word);
    return BAD.has(word) ? paints.bad(word) : word;
  };
}
