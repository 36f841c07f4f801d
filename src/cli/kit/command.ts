// The contract between a command's file and the machinery that finds, parses and runs it. A command
// is a spec object, then `run`; its context is handed in. Anything heavy it imports by `await
// import()` inside run, because every command's file is loaded at every start.

import type { ControlClient } from "../../api/client.ts";
import type { StatePaths } from "../../state/paths.ts";
import type { Feature } from "./feature.ts";
import type { Flags } from "./flags.ts";
import type { Output } from "./output.ts";

/** The kind of an argument's or flag's values, for completion; most are asked of the daemon. */
export type Completes =
  | "approval"
  | "grant"
  | "host"
  | "inspect-entry"
  | "pin"
  | "suspect"
  | "upstream"
  | "setting"
  | "method"
  | "filter"
  | "file";

/** One `--flag`. Without `value` it is a switch. */
export interface FlagSpec {
  readonly name: string;
  /** Another name, which is taken and not shown. */
  readonly alias?: string;
  /** Placeholder of the value in help, e.g. `text`. */
  readonly value?: string;
  /** The value's kind, checked before the command runs. Text if absent. */
  readonly kind?: "text" | "count" | "duration";
  readonly choices?: readonly string[];
  /** May be given several times. */
  readonly isRepeatable?: boolean;
  readonly completes?: Completes;
  readonly summary: string;
}

/** One positional argument. */
export interface ArgumentSpec {
  readonly name: string;
  readonly isOptional?: boolean;
  /** Takes everything from here on; only the last argument may. */
  readonly isRest?: boolean;
  readonly choices?: readonly string[];
  readonly completes?: Completes;
}

/** The surroundings of a running command. */
export interface CommandContext {
  /** Positional arguments, as many as the spec demands. */
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly output: Output;
  readonly paths: StatePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The daemon; nothing is sent before its first call. */
  readonly daemon: ControlClient;
  /** Loads every feature, for commands that are about all of them. */
  readonly features: () => Promise<readonly Feature[]>;
  /** Aborted by SIGINT and SIGTERM; for commands that follow something and end quietly then. */
  readonly interrupted: () => AbortSignal;
}

/** One command of the program. */
export interface Command {
  /** One to three words, as typed: `policy show`. */
  readonly name: string;
  /** One line for the list of commands; no full stop. */
  readonly summary: string;
  readonly args?: readonly ArgumentSpec[];
  readonly flags?: readonly FlagSpec[];
  /** Lines shown below the usage in `--help`. */
  readonly details?: readonly string[];
  /** Full command lines. */
  readonly examples?: readonly string[];
  /** From the first positional argument on, nothing is read as a flag: the rest is another program's command line. */
  readonly isRaw?: boolean;
  /** Left out of help and documentation: for programs, not for people. */
  readonly isHidden?: boolean;
  /** Resolves to the exit code, 0 when nothing is returned. Throws UserError to fail. */
  run(context: CommandContext): Promise<number | undefined> | Promise<void>;
}

/** The flag that most commands share. */
export const JSON_FLAG: FlagSpec = { name: "json", summary: "Print JSON instead of text" };
