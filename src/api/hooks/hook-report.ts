// What a hook is answered with. Apart from the other reports: a hook starts before every command of an agent. A contract
// with older and newer programs, only ever added to.

import { object, optional, text, type Value, words } from "../schema.ts";

/** What the policy says to a command line. */
export const hookVerdict = object({
  action: words(["none", "allow", "escalate", "deny"]),
  reason: text("a clause for the agent and its user"),
  rule: optional(text()),
  command: optional(text("the part of the line that decided")),
  tier: optional(text()),
  hint: optional(text("the narrowest way forward")),
  to_allow: optional(text("the narrowest rule that would have allowed it, or why none does")),
});
/** What the policy says to a command line. */
export type HookVerdict = Value<typeof hookVerdict>;
