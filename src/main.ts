// argv in, exit code out. The only place that prints an error and the only one that ends the
// process. It must stay light: `iddio status --quiet` runs at every shell start.

import "./reflect.ts"; // before anything that may load @peculiar/x509
import { Output, OutputClosed } from "./cli/kit/output.ts";
import { UserError } from "./model/user-error.ts";
import { escapeLinesForTerminal } from "./text/escape.ts";

let interrupt: AbortController | undefined;

/** Installed when a command asks for it; until then a signal ends the process as usual. */
function interrupted(): AbortSignal {
  if (interrupt !== undefined) return interrupt.signal;
  const controller = new AbortController();
  const onSignal = () => {
    // The second time somebody means it: end at once.
    if (controller.signal.aborted) process.exit(130);
    controller.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, onSignal);
  interrupt = controller;
  return controller.signal;
}

/** Prints an error once: message, then what to type. A stack only for what is a mistake in iddio itself. */
function printError(error: unknown): number {
  if (error instanceof OutputClosed) return 0;
  const output = new Output(process.env);
  if (error instanceof UserError) {
    output.note(`Error: ${printable(error.message)}`);
    if (error.hint !== undefined) output.note(`hint: ${printable(error.hint)}`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  output.note(`Error: iddio made a mistake: ${printable(text)}`);
  output.note("hint: please report it with this text");
  return 1;
}

/** Further lines are indented, so that no text from outside can pass for a line of ours. */
function printable(text: string): string {
  return escapeLinesForTerminal(text).replaceAll("\n", "\n  ");
}

/** An agent waits for its bridge, which needs nothing of the command line. */
async function start(argv: readonly string[]): Promise<number> {
  if (argv.length === 1 && argv[0] === "run-bridge")
    return (await import("./features/run/bridge/bridge.ts")).runBridge();
  const { run } = await import("./cli/run.ts");
  return run({ argv, env: process.env, interrupted });
}

start(process.argv.slice(2))
  .catch(printError)
  // stderr is closed as well: nobody is left to tell.
  .catch(() => 1)
  .then((code) => process.exit(code));
