// Finds the command of a command line, and its help: the longest name that argv begins with, or the
// one that was probably meant. Loads every command; cli/quick-commands.ts knows those that start
// too often for that.

import { UserError } from "../model/user-error.ts";
import { BUILD_VERSION } from "../version.ts";
import { renderCommand, renderNoun, renderOverview } from "./help.ts";
import type { Command } from "./kit/command.ts";
import type { Output } from "./kit/output.ts";
import { suggestWord } from "./kit/suggest.ts";
import { COMMANDS } from "./registry.ts";

const VISIBLE = COMMANDS.filter(({ isHidden }) => isHidden !== true);
const LONGEST_NAME = Math.max(...COMMANDS.map(({ name }) => name.split(" ").length));

/** Prints what `iddio` alone prints. */
export function overview(output: Output): void {
  output.write(renderOverview(VISIBLE, BUILD_VERSION));
}

/** Answers `iddio help <words>`. */
export function help(words: readonly string[], output: Output): number {
  if (words.length === 0) overview(output);
  else {
    const { command } = findCommand([...words, "--help"], output);
    if (command !== undefined) output.write(renderCommand(command));
  }
  return 0;
}

/** The longest command name that argv begins with. `undefined` when only a noun's help was wanted, and printed. */
export function findCommand(
  argv: readonly string[],
  output: Output,
): { readonly command: Command | undefined; readonly rest: readonly string[] } {
  const command = commandAt(argv);
  if (command !== undefined) return { command, rest: argv.slice(command.name.split(" ").length) };
  const depth = nounDepth(argv);
  if (depth === 0) throw unknownCommand(argv[0] ?? "", argv[1]);
  const noun = argv.slice(0, depth).join(" ");
  const next = argv[depth];
  if (next === "--help" || next === "-h") {
    output.write(renderNoun(noun, VISIBLE));
    return { command: undefined, rest: [] };
  }
  const verbs = verbsOf(noun);
  if (next === undefined || next.startsWith("-")) {
    throw new UserError(`'iddio ${noun}' needs one of: ${verbs.join(", ")}`, {
      hint: `see: iddio help ${noun}`,
      exitCode: 2,
    });
  }
  const near = suggestWord(next, verbs);
  throw new UserError(`unknown command 'iddio ${noun} ${next}'`, {
    hint: near === undefined ? `one of: ${verbs.join(", ")}` : `did you mean 'iddio ${noun} ${near}'?`,
    exitCode: 2,
  });
}

function commandAt(argv: readonly string[]): Command | undefined {
  for (let words = Math.min(argv.length, LONGEST_NAME); words > 0; words -= 1) {
    const name = argv.slice(0, words).join(" ");
    const command = COMMANDS.find((each) => each.name === name);
    if (command !== undefined) return command;
  }
  return undefined;
}

/** How many of the first words begin a command's name: 2 for `approval grants nonsense`. */
function nounDepth(argv: readonly string[]): number {
  let depth = 0;
  while (
    depth < argv.length &&
    VISIBLE.some(({ name }) => name.startsWith(`${argv.slice(0, depth + 1).join(" ")} `))
  )
    depth += 1;
  return depth;
}

/** The words that may follow a noun, each once. */
function verbsOf(noun: string): string[] {
  const rests = VISIBLE.filter(({ name }) => name.startsWith(`${noun} `)).map(({ name }) =>
    name.slice(noun.length + 1),
  );
  return [...new Set(rests.map((rest) => rest.split(" ")[0] ?? ""))];
}

function unknownCommand(first: string, second: string | undefined): UserError {
  if (first.startsWith("-")) {
    return new UserError(`unknown flag '${first}'`, {
      hint: "flags come after the command; see: iddio help",
      exitCode: 2,
    });
  }
  const firsts = [...new Set(VISIBLE.map(({ name }) => name.split(" ")[0] ?? ""))];
  // `iddio list` and `iddio tail`: the verb without its noun.
  const byVerb = VISIBLE.filter(({ name }) => name.endsWith(` ${first}`)).map(
    ({ name }) => `'iddio ${name}'`,
  );
  const near = suggestWord(first, [...firsts, "help"]);
  const whole = VISIBLE.find(({ name }) => name === `${near} ${second}`)?.name ?? near;
  const meant = near === undefined ? byVerb.join(" or ") : `'iddio ${whole}'`;
  return new UserError(`unknown command 'iddio ${first}'`, {
    hint: meant === "" ? "see all commands: iddio help" : `did you mean ${meant}?`,
    exitCode: 2,
  });
}
