// Fills the variables of an agent with what is passed on of the person's own. Only `iddio run` sees
// those, and it does this while the agent waits: no imports.

/** The variables of an agent. */
export interface Variables {
  /** Names of the person's variables that it is given. */
  readonly passes: readonly string[];
  /** Further ones, which win. */
  readonly sets: Readonly<Record<string, string>>;
}

/** The environment of the agent. */
export function passedOn(
  env: Readonly<Record<string, string | undefined>>,
  { passes, sets }: Variables,
): Record<string, string> {
  const wanted = new Set(passes);
  const through: Record<string, string> = {};
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && (wanted.has(name) || /^LC_[A-Z]+$/.test(name))) through[name] = value;
  return { ...through, ...sets };
}
