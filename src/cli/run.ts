// From argv to a command that has run. Finds the command, says what was meant when there is none,
// and hands it what it needs. Knows no command by name; throws UserError, prints no error itself.

import { ControlClient } from "../ipc/client.ts";
import { UserError } from "../model/user-error.ts";
import { statePaths } from "../state/paths.ts";
import { BUILD_VERSION } from "../version.ts";
import type { Command } from "./command.ts";
import { renderCommand, renderNoun, renderOverview } from "./help.ts";
import { Output } from "./output.ts";
import { parseArgv } from "./parse-argv.ts";
import { COMMANDS } from "./registry.ts";
import { suggest } from "./suggest.ts";

/** What the program was started with. */
export interface Start {
  /** Arguments without the program itself. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by SIGINT and SIGTERM, which do nothing else once this was called. */
  readonly interrupted: () => AbortSignal;
}

/** Runs one command line and gives its exit code. */
export async function run({ argv, env, interrupted }: Start): Promise<number> {
  const output = new Output(env);
  const [first] = argv;
  if (first === undefined || first === "--help" || first === "-h") {
    output.write(renderOverview(COMMANDS, BUILD_VERSION));
    return 0;
  }
  if (first === "--version" || first === "-V") {
    output.line(`iddio ${BUILD_VERSION}`);
    return 0;
  }
  if (first === "help") return help(argv.slice(1), output);
  const { command, rest } = findCommand(argv, output);
  if (command === undefined) return 0;
  const parsed = parseArgv(command, rest);
  if (parsed.wantsHelp) {
    output.write(renderCommand(command));
    return 0;
  }
  const paths = statePaths(env);
  const daemon = new ControlClient(paths.socket);
  const context = { args: parsed.args, flags: parsed.flags, output, paths, env, daemon, interrupted };
  return (await command.run(context)) ?? 0;
}

function help(words: readonly string[], output: Output): number {
  if (words.length === 0) output.write(renderOverview(COMMANDS, BUILD_VERSION));
  else {
    const { command } = findCommand([...words, "--help"], output);
    if (command !== undefined) output.write(renderCommand(command));
  }
  return 0;
}

/** The longest command name that argv begins with. `undefined` when only a noun's help was wanted, and printed. */
function findCommand(
  argv: readonly string[],
  output: Output,
): { readonly command: Command | undefined; readonly rest: readonly string[] } {
  const [first = "", second] = argv;
  const two = COMMANDS.find(({ name }) => name === `${first} ${second}`);
  if (two !== undefined) return { command: two, rest: argv.slice(2) };
  const one = COMMANDS.find(({ name }) => name === first);
  if (one !== undefined) return { command: one, rest: argv.slice(1) };
  const verbs = COMMANDS.filter(({ name }) => name.startsWith(`${first} `)).map(({ name }) =>
    name.slice(first.length + 1),
  );
  if (verbs.length === 0) throw unknownCommand(first, second);
  if (second === "--help" || second === "-h") {
    output.write(renderNoun(first, COMMANDS));
    return { command: undefined, rest: [] };
  }
  if (second === undefined || second.startsWith("-")) {
    throw new UserError(`'iddio ${first}' needs one of: ${verbs.join(", ")}`, {
      hint: `see: iddio help ${first}`,
      exitCode: 2,
    });
  }
  const near = suggest(second, verbs);
  throw new UserError(`unknown command 'iddio ${first} ${second}'`, {
    hint: near === undefined ? `one of: ${verbs.join(", ")}` : `did you mean 'iddio ${first} ${near}'?`,
    exitCode: 2,
  });
}

function unknownCommand(first: string, second: string | undefined): UserError {
  if (first.startsWith("-")) {
    return new UserError(`unknown flag '${first}'`, {
      hint: "flags come after the command; see: iddio help",
      exitCode: 2,
    });
  }
  const firsts = [...new Set(COMMANDS.map(({ name }) => name.split(" ")[0] ?? ""))];
  // `iddio list` and `iddio tail`: the verb without its noun.
  const byVerb = COMMANDS.filter(({ name }) => name.endsWith(` ${first}`)).map(
    ({ name }) => `'iddio ${name}'`,
  );
  const near = suggest(first, [...firsts, "help"]);
  const whole = COMMANDS.find(({ name }) => name === `${near} ${second}`)?.name ?? near;
  const meant = near === undefined ? byVerb.join(" or ") : `'iddio ${whole}'`;
  return new UserError(`unknown command 'iddio ${first}'`, {
    hint: meant === "" ? "see all commands: iddio help" : `did you mean ${meant}?`,
    exitCode: 2,
  });
}
