// How much an approval is worth against an agent that wants to give it to itself. Owns the words
// and what each means; which one is reached is the guard's to say.

/** Every level, weakest first. */
export const LEVELS = ["L0", "L1", "L2", "L3", "L4"] as const;

/** A level of protection against self-approval. */
export type Level = (typeof LEVELS)[number];

/** The one of two that promises more. */
export function strongerLevel(one: Level, other: Level): Level {
  return LEVELS.indexOf(one) >= LEVELS.indexOf(other) ? one : other;
}

/** Says in one clause how far each level protects. */
export const LEVEL_MEANING: Readonly<Record<Level, string>> = {
  L0: "stops accidents: an agent of the same user can approve for itself",
  L1: "a factor that the agent does not have; the agent could still tamper with iddio",
  L2: "the agent runs in `iddio run`, without the socket, the state and the network",
  L3: "the daemon, its state and its policy belong to another user",
  L4: "the decision is made on another machine",
};
