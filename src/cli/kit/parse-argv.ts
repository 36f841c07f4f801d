// Reads the words after a command's name by that command's spec. Strict: what the spec does not name
// is wrong usage, with what was probably meant. An own reader rather than a library, because flags
// hold reasons and host names, which must arrive as typed: `--reason 007`, `--reason ""`.

import { UserError } from "../../model/user-error.ts";
import { parseDuration } from "../../text/duration.ts";
import type { ArgumentSpec, Command, FlagSpec } from "./command.ts";
import { Flags } from "./flags.ts";
import { suggest } from "./suggest.ts";

/** What was typed after the command's name; `wantsHelp` stands for `--help` and then the rest is unchecked. */
export interface ParsedArgv {
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly wantsHelp: boolean;
}

/** Throws a UserError with exit code 2 on anything that the spec does not allow. */
export function parseArgv(command: Command, argv: readonly string[]): ParsedArgv {
  const args: string[] = [];
  const values = new Map<string, string[]>();
  let isFlagsOver = false;
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i] ?? "";
    if (isFlagsOver || word === "-" || !word.startsWith("-")) {
      args.push(word);
      if (command.isRaw === true) isFlagsOver = true;
    } else if (word === "--") {
      isFlagsOver = true;
    } else if (word === "--help" || word === "-h") {
      return { args: [], flags: new Flags(new Map()), wantsHelp: true };
    } else {
      const { spec, inline } = findFlag(command, word);
      let value = inline;
      if (spec.value === undefined) {
        if (value !== undefined) throw wrong(command, `flag '--${spec.name}' takes no value`);
      } else if (value === undefined) {
        i += 1;
        value = nextValue(command, spec, argv[i]);
      }
      add(command, values, spec, value ?? "");
    }
  }
  checkArguments(command, args);
  return { args, flags: new Flags(values), wantsHelp: false };
}

/** A usage error of one command; the hint shows its help unless another is given. */
export function wrong(command: Command, message: string, hint?: string): UserError {
  return new UserError(message, { hint: hint ?? `see: iddio ${command.name} --help`, exitCode: 2 });
}

function findFlag(command: Command, word: string): { spec: FlagSpec; inline: string | undefined } {
  const equals = word.indexOf("=");
  const typed = equals < 0 ? word : word.slice(0, equals);
  const specs = command.flags ?? [];
  const spec = specs.find(({ name }) => typed === `--${name}`);
  if (spec !== undefined) return { spec, inline: equals < 0 ? undefined : word.slice(equals + 1) };
  const near = suggest(typed.replace(/^-+/, ""), [...specs.map(({ name }) => name), "help"]);
  throw wrong(
    command,
    `unknown flag '${typed}' for 'iddio ${command.name}'`,
    near === undefined ? undefined : `did you mean '--${near}'? see: iddio ${command.name} --help`,
  );
}

function nextValue(command: Command, spec: FlagSpec, next: string | undefined): string {
  // A following flag of this command means that the value was forgotten; anything else may be meant.
  const isOwnFlag = command.flags?.some(({ name }) => next === `--${name}`) === true;
  if (next !== undefined && !isOwnFlag) return next;
  throw wrong(command, `flag '--${spec.name}' needs a value`, `type: --${spec.name} <${spec.value}>`);
}

function add(command: Command, values: Map<string, string[]>, spec: FlagSpec, value: string): void {
  const before = values.get(spec.name);
  if (before !== undefined && spec.isRepeatable !== true) {
    throw wrong(command, `flag '--${spec.name}' is given twice`);
  }
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
  if (before === undefined) values.set(spec.name, [value]);
  else before.push(value);
}

function checkArguments(command: Command, args: readonly string[]): void {
  const specs = command.args ?? [];
  for (const [index, spec] of specs.entries()) {
    const value = args[index];
    if (value === undefined) {
      if (spec.isOptional === true) break;
      throw wrong(command, `'iddio ${command.name}' needs <${spec.name}>`, missingHint(command, spec));
    }
    if (spec.choices !== undefined) checkChoice(command, `<${spec.name}>`, spec.choices, value);
  }
  const extra = args[specs.length];
  if (extra !== undefined && specs.at(-1)?.isRest !== true) {
    throw wrong(command, `'iddio ${command.name}' takes no argument '${extra}'`);
  }
}

function missingHint(command: Command, spec: ArgumentSpec): string {
  if (spec.choices !== undefined) return `one of: ${spec.choices.join(", ")}`;
  return `usage: ${usageOf(command)}`;
}

function checkChoice(command: Command, what: string, choices: readonly string[], value: string): void {
  if (choices.includes(value)) return;
  const near = suggest(value, choices);
  const meant = near === undefined ? "" : `did you mean '${near}'? `;
  throw wrong(command, `${what} cannot be '${value}'`, `${meant}one of: ${choices.join(", ")}`);
}

/** Longer lists of choices are told apart from the usage line. */
const INLINE_CHOICES = 40;

/** Whether the usage line says what an argument may be, instead of its name. */
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
