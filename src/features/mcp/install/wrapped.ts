// One server of a client's settings, as it was and as it is behind iddio. The command line behind
// `--` is the original one, so that a wrapped entry holds its original. Pure.

/** A server that a client starts. */
export interface ServerEntry {
  readonly command: string;
  readonly args: readonly string[];
}

/** The words that call `iddio mcp run`. */
const WORDS = ["mcp", "run", "--name"];

/** The entry behind iddio. `program`: the words that start this program. */
export function wrap(program: readonly string[], name: string, { command, args }: ServerEntry): ServerEntry {
  const [first = "iddio", ...rest] = program;
  return { command: first, args: [...rest, ...WORDS, name, "--", command, ...args] };
}

/** The entry as it was; undefined for one that is not behind iddio. */
export function unwrap({ command, args }: ServerEntry): ServerEntry | undefined {
  const at = args.findIndex((_, index) => WORDS.every((word, offset) => args[index + offset] === word));
  // `bun src/main.ts mcp run …`: a program of two words.
  if (at < 0 || at > 1 || args[at + 4] !== "--") return undefined;
  const [original, ...rest] = args.slice(at + 5);
  const isOurs = /(?:^|[\\/])(?:iddio(?:\.exe)?|bun(?:\.exe)?)$/.test(command);
  return original === undefined || !isOurs ? undefined : { command: original, args: rest };
}

/** A name for rules and lists, from the client's own. */
export function nameFrom(key: string): string {
  const name = key
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, 64);
  return name === "" ? "server" : name;
}
