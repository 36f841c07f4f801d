// The environment variables that a part of the program is given, instead of reading the process's own.

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;
