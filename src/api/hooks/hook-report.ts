// Replies to a hook. Apart from the other reports: a hook starts before every command of an agent.
// A contract with older and newer programs: fields are only added.

import { object, optional, text, type Value, words } from "../schema.ts";

/** The policy's answer to a command line. */
export const hookVerdict = object({
  action: words(["none", "allow", "escalate", "deny"]),
  reason: text("a clause for the agent and its user"),
  rule: optional(text()),
  command: optional(text("the part of the line that decided")),
  tier: optional(text()),
  hint: optional(text("the narrowest way forward")),
  to_allow: optional(text("the narrowest rule that would have allowed it, or why none does")),
});
/** The policy's answer to a command line. */
export type HookVerdict = Value<typeof hookVerdict>;
