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
  return original === undefined || !isOwn(command) ? undefined : { command: original, args: rest };
}

/** The server behind a command line that is itself `iddio mcp run`: nobody is to be asked twice. Undefined for others. */
export function innermost(
  command: readonly string[],
): { readonly command: readonly string[]; readonly isSandboxed: boolean } | undefined {
  const [program = "", ...args] = command;
  const at = args.findIndex((word, index) => word === "mcp" && args[index + 1] === "run");
  const end = args.indexOf("--");
  if (!isOwn(program) || at < 0 || at > 1 || end < at || end + 1 >= args.length) return undefined;
  const inner = args.slice(end + 1);
  const isSandboxed = args.slice(at, end).includes("--sandbox");
  const deeper = innermost(inner);
  return deeper === undefined
    ? { command: inner, isSandboxed }
    : { command: deeper.command, isSandboxed: isSandboxed || deeper.isSandboxed };
}

function isOwn(program: string): boolean {
  return /(?:^|[\\/])(?:iddio(?:\.exe)?|bun(?:\.exe)?)$/.test(program);
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
