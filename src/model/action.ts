// The answers that a policy can give (allow, escalate, deny), and their order of strictness. Owns
// no rules; policy/decide applies them.

/** The three actions in ascending strictness, spelled as in policy.yaml. */
export const ACTIONS = ["allow", "escalate", "deny"] as const;

/** allow: forward at once. escalate: hold until a person decides. deny: refuse at once. */
export type Action = (typeof ACTIONS)[number];

/** Whether an outside value is one of the three actions. */
export function isAction(value: unknown): value is Action {
  return ACTIONS.includes(value as Action);
}

/** The stricter of two actions: deny over escalate over allow. */
export function stricterAction(a: Action, b: Action): Action {
  return ACTIONS.indexOf(a) >= ACTIONS.indexOf(b) ? a : b;
}
