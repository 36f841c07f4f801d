// The label of the run of an agent that a request comes from. It is not part of what a request says
// about itself, so no classifier sets it: anyone who judges a request knows its sender.

/** Compared with the names of `agents:`. */
export const AGENT_LABEL = "agent";

/** A request that comes from no run has this name when `agents:` is matched. */
export const NO_AGENT = "-";

/** Who sends a request, as far as the policy cares. */
export interface Asker {
  /** Name of its run; undefined outside of one. */
  readonly run: string | undefined;
  /**
   * Whether a person was there when the run was started: only then may `agents:` allow more than the rest of
   * the block.
   */
  readonly isPresent: boolean;
}

/** A sender outside of any run. */
export const OUTSIDE: Asker = { run: undefined, isPresent: false };

/** The name of a scope that a request is in; undefined when it names none. */
export function scopeName(labels: Readonly<Record<string, string>>, label: string): string | undefined {
  return labels[label] ?? (label === AGENT_LABEL ? NO_AGENT : undefined);
}
