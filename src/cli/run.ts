// From argv to a command that has run. Finds the command, says what was meant when there is none,
// and hands it what it needs. Knows no command by name; throws UserError, prints no error itself.

import { ControlClient } from "../api/client.ts";
import { FEATURES } from "../features/features.ts";
import { UserError } from "../model/user-error.ts";
import { type StatePaths, statePaths, systemStatePaths } from "../state/paths.ts";
import { BUILD_VERSION } from "../version.ts";
import { renderCommand, renderNoun, renderOverview } from "./help.ts";
import type { Command } from "./kit/command.ts";
import { Output } from "./kit/output.ts";
import { parseArgv } from "./kit/parse-argv.ts";
import { suggest } from "./kit/suggest.ts";
import { COMMANDS } from "./registry.ts";

const VISIBLE = COMMANDS.filter(({ isHidden }) => isHidden !== true);
const LONGEST_NAME = Math.max(...COMMANDS.map(({ name }) => name.split(" ").length));

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
    output.write(renderOverview(VISIBLE, BUILD_VERSION));
    return 0;
  }
  if (first === "--version" || first === "-V") {
    output.line(`iddio ${BUILD_VERSION}`);
    return 0;
  }
  if (first === "help") return help(argv.slice(1), output);
  if (first.startsWith("--appimage-")) {
    const { answerAppImage, appDirectory } = await import("./app-image.ts");
    const files = () => appDirectory(COMMANDS, BUILD_VERSION);
    output.write(await answerAppImage(first, files));
    return 0;
  }
  const { command, rest } = findCommand(argv, output);
  if (command === undefined) return 0;
  const parsed = parseArgv(command, rest);
  if (parsed.wantsHelp) {
    output.write(renderCommand(command));
    return 0;
  }
  const paths = await pathsFor(env);
  const daemon = new ControlClient(paths.socket, {
    prove: async (question, last) =>
      (await import("./kit/show-presence.ts")).showPresence(question, last, env),
  });
  const { args, flags } = parsed;
  const context = { args, flags, output, paths, env, daemon, features: FEATURES, interrupted };
  return (await command.run(context)) ?? 0;
}

/** The user's own state directory; the system's where that is what is installed. Costs a look at one file. */
async function pathsFor(env: Start["env"]): Promise<StatePaths> {
  const own = statePaths(env);
  if (env.IDDIO_HOME || process.platform !== "linux") return own;
  const system = systemStatePaths();
  const isSystem = await Bun.file(system.installMode).exists();
  return isSystem && !(await Bun.file(own.installMode).exists()) ? system : own;
}

function help(words: readonly string[], output: Output): number {
  if (words.length === 0) output.write(renderOverview(VISIBLE, BUILD_VERSION));
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
  const near = suggest(next, verbs);
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
  const near = suggest(first, [...firsts, "help"]);
  const whole = VISIBLE.find(({ name }) => name === `${near} ${second}`)?.name ?? near;
  const meant = near === undefined ? byVerb.join(" or ") : `'iddio ${whole}'`;
  return new UserError(`unknown command 'iddio ${first}'`, {
    hint: meant === "" ? "see all commands: iddio help" : `did you mean ${meant}?`,
    exitCode: 2,
  });
}
