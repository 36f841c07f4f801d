// From argv to a command that has run: hands the command its context. Knows no command by name;
// throws UserError, prints no error itself. The list of all commands is loaded only for those that
// are not started all the time.

import { ControlClient } from "../api/client.ts";
import { type StatePaths, statePaths, systemStatePaths } from "../state/paths.ts";
import { BUILD_VERSION } from "../version.ts";
import { Output } from "./kit/output.ts";
import { parseArgv } from "./kit/parse-argv.ts";
import { quickCommand } from "./quick-commands.ts";

/** The inputs of a start of the program. */
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
  if (first === "--version" || first === "-V") {
    output.line(`iddio ${BUILD_VERSION}`);
    return 0;
  }
  if (first === undefined || first === "--help" || first === "-h") {
    (await import("./find-command.ts")).overview(output);
    return 0;
  }
  if (first === "help") return (await import("./find-command.ts")).help(argv.slice(1), output);
  if (first.startsWith("--appimage-")) {
    const { answerAppImage, appDirectory } = await import("./app-image.ts");
    const { COMMANDS } = await import("./registry.ts");
    const files = () => appDirectory(COMMANDS, BUILD_VERSION);
    output.write(await answerAppImage(first, files));
    return 0;
  }
  const { command, rest } =
    (await quickCommand(argv)) ?? (await import("./find-command.ts")).findCommand(argv, output);
  if (command === undefined) return 0;
  const parsed = parseArgv(command, rest);
  if (parsed.wantsHelp) {
    output.write((await import("./help.ts")).renderCommand(command));
    return 0;
  }
  const paths = pathsFor(env);
  const daemon = new ControlClient(paths.socket, {
    prove: async (question, last) =>
      (await import("./kit/show-presence.ts")).showPresence(question, last, env),
  });
  const { args, flags } = parsed;
  const features = async () => (await import("../features/features.ts")).FEATURES;
  const context = { args, flags, output, paths, env, daemon, features, interrupted };
  return (await command.run(context)) ?? 0;
}

/** The user's own state directory; the system's where that one is installed. Costs a look at one file. */
function pathsFor(env: Start["env"]): StatePaths {
  const own = statePaths(env);
  if (env.IDDIO_HOME || process.platform !== "linux") return own;
  const system = systemStatePaths();
  return isWritten(system.installMode) && !isWritten(own.installMode) ? system : own;
}

/** Asked for its size, a file is looked at here and now; whether it exists, by a thread that must be started first. */
function isWritten(path: string): boolean {
  return Bun.file(path).size > 0;
}
