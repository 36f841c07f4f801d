// How a request ended, in the words used by reply, audit and events alike.

/** Outcomes of requests; `denied` is a person, `refused` is policy, `blocked` is a broken rule of the wire or of trust; `asked`: the agent asks its own user. */
export const OUTCOMES = [
  "allowed",
  "approved",
  "granted",
  "denied",
  "timed_out",
  "withdrawn",
  "refused",
  "blocked",
  "failed",
  "asked",
] as const;

/** One word for how a request ended. */
export type Outcome = (typeof OUTCOMES)[number];
