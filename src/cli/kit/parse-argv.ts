// Reads the words after a command's name by that command's spec. Strict: words that the spec does
// not name are wrong usage, with the probably meant word. Values stay the text that was typed:
// `--reason 007` is not a number.

import { UserError } from "../../model/user-error.ts";
import { parseDuration } from "../../text/duration.ts";
import type { ArgumentSpec, Command, FlagSpec } from "./command.ts";
import { Flags } from "./flags.ts";
import { suggestWord } from "./suggest.ts";

/** The words after the command's name; with `--help`, `wantsHelp` is set and the rest is unchecked. */
export interface ParsedArgv {
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly wantsHelp: boolean;
}

/** Throws a UserError with exit code 2 on anything that the spec does not allow. */
export function parseArgv(command: Command, argv: readonly string[]): ParsedArgv {
  const words = readWords(command, argv);
  if (words === "help") return { args: [], flags: new Flags(new Map()), wantsHelp: true };
  const { args, values, unknown } = words;
  if (unknown !== undefined) throw unknownFlag(command, unknown);
  for (const spec of command.flags ?? [])
    for (const value of values.get(spec.name) ?? []) checkValue(command, spec, value);
  checkArguments(command, args);
  return { args, flags: new Flags(values), wantsHelp: false };
}

/** A command line taken apart; nothing of it is checked. */
interface Words {
  readonly args: readonly string[];
  /** By flag, in the order typed; an empty text for a switch that is on. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The first flag that the spec does not have, as typed. */
  readonly unknown: string | undefined;
}

function readWords(command: Command, argv: readonly string[]): Words | "help" {
  const args: string[] = [];
  const values = new Map<string, string[]>();
  let unknown: string | undefined;
  let isFlagsOver = false;
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (isFlagsOver || word === "-" || !word.startsWith("-")) {
      args.push(word);
      if (command.isRaw === true) isFlagsOver = true;
    } else if (word === "--") {
      isFlagsOver = true;
    } else if (word === "--help" || word === "-h") {
      return "help";
    } else {
      const equals = word.indexOf("=");
      const name = equals < 0 ? word : word.slice(0, equals);
      const spec = command.flags?.find((each) => isFlagName(each, name));
      if (spec === undefined) {
        unknown ??= name;
        continue;
      }
      const given = values.get(spec.name);
      if (given !== undefined && spec.isRepeatable !== true)
        throw wrong(command, `flag '--${spec.name}' is given twice`);
      if (spec.value === undefined && equals >= 0)
        throw wrong(command, `flag '--${spec.name}' takes no value`);
      const value =
        spec.value === undefined
          ? ""
          : equals < 0
            ? nextValue(command, spec, argv[++at])
            : word.slice(equals + 1);
      if (given === undefined) values.set(spec.name, [value]);
      else given.push(value);
    }
  }
  return { args, values, unknown };
}

/** Whether a word is the flag, by either of its names. */
export function isFlagName({ name, alias }: FlagSpec, word: string | undefined): boolean {
  return word === `--${name}` || (alias !== undefined && word === `--${alias}`);
}

/** A usage error of one command; the hint shows its help unless another is given. */
export function wrong(command: Command, message: string, hint?: string): UserError {
  return new UserError(message, { hint: hint ?? `see: iddio ${command.name} --help`, exitCode: 2 });
}

function unknownFlag(command: Command, typed: string): UserError {
  const names = (command.flags ?? []).map(({ name }) => name);
  const near = suggestWord(typed.replace(/^-+/, ""), [...names, "help"]);
  return wrong(
    command,
    `unknown flag '${typed}' for 'iddio ${command.name}'`,
    near === undefined ? undefined : `did you mean '--${near}'? see: iddio ${command.name} --help`,
  );
}

function nextValue(command: Command, spec: FlagSpec, next: string | undefined): string {
  // A following flag of this command means that the value was forgotten; anything else may be meant.
  const isOwnFlag = command.flags?.some((each) => isFlagName(each, next)) === true;
  if (next !== undefined && !isOwnFlag) return next;
  throw wrong(command, `flag '--${spec.name}' needs a value`, `type: --${spec.name} <${spec.value}>`);
}

function checkValue(command: Command, spec: FlagSpec, value: string): void {
  if (spec.kind === "count" && !/^\d{1,9}$/.test(value)) {
    throw wrong(
      command,
      `flag '--${spec.name}' needs a whole number, not '${value}'`,
      `type: --${spec.name} 20`,
    );
  }
  if (spec.kind === "duration" && parseDuration(value) === undefined) {
    throw wrong(
      command,
      `flag '--${spec.name}' needs a duration, not '${value}'`,
      `type: --${spec.name} 1h30m (units: ms, s, m, h, d)`,
    );
  }
  if (spec.choices !== undefined) checkChoice(command, `flag '--${spec.name}'`, spec.choices, value);
}

function checkArguments(command: Command, args: readonly string[]): void {
  const specs = command.args ?? [];
  for (const [index, spec] of specs.entries()) {
    const value = args[index];
    if (value === undefined) {
      if (spec.isOptional === true) break;
      throw wrong(command, `'iddio ${command.name}' needs <${spec.name}>`, missingHint(command, spec, args));
    }
    if (spec.choices !== undefined) checkChoice(command, `<${spec.name}>`, spec.choices, value);
  }
  const extra = args[specs.length];
  if (extra !== undefined && specs.at(-1)?.isRest !== true) {
    throw wrong(command, `'iddio ${command.name}' takes no argument '${extra}'`);
  }
}

function missingHint(command: Command, spec: ArgumentSpec, args: readonly string[]): string {
  const [first = ""] = args;
  if (command.args?.[0]?.completes === "method" && /[./:]/.test(first))
    return `the method comes first: iddio ${command.name} GET ${first}`;
  if (spec.choices !== undefined) return `one of: ${spec.choices.join(", ")}`;
  return `usage: ${usageOf(command)}`;
}

function checkChoice(command: Command, what: string, choices: readonly string[], value: string): void {
  if (choices.includes(value)) return;
  const near = suggestWord(value, choices);
  const meant = near === undefined ? "" : `did you mean '${near}'? `;
  throw wrong(command, `${what} cannot be '${value}'`, `${meant}one of: ${choices.join(", ")}`);
}

/** Longer lists of choices are told apart from the usage line. */
const INLINE_CHOICES = 40;

/** Whether the usage line lists the values of an argument, instead of its name. */
export function hasInlineChoices({ choices }: ArgumentSpec): boolean {
  return choices !== undefined && choices.join("|").length <= INLINE_CHOICES;
}

/** The usage line: `iddio approval allow <id> [--reason <text>]`. */
export function usageOf(command: Command): string {
  const words = [`iddio ${command.name}`];
  const flags = (command.flags ?? []).map((flag) => {
    const text = flag.value === undefined ? `--${flag.name}` : `--${flag.name} <${flag.value}>`;
    return flag.isRepeatable === true ? `[${text}]...` : `[${text}]`;
  });
  const args = (command.args ?? []).map((spec) => {
    const name = hasInlineChoices(spec) ? (spec.choices ?? []).join("|") : spec.name;
    const text = spec.isRest === true ? `${name}...` : name;
    return spec.isOptional === true ? `[${text}]` : `<${text}>`;
  });
  return (command.isRaw === true ? [...words, ...flags, ...args] : [...words, ...args, ...flags]).join(" ");
}
