// Reads the words after a command's name by that command's spec. Strict: what the spec does not name
// is wrong usage, with what was probably meant. cac matches flags; it never sees a value, because it
// turns `--reason 007` into 7: a token stands for each value until cac is done.

import { type CAC, cac } from "cac";
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
  const masked = maskValues(command, argv);
  if (masked.wantsHelp) return { args: [], flags: new Flags(new Map()), wantsHelp: true };
  const parsed = parseWithCac(command, masked);
  const values = new Map<string, string[]>();
  for (const spec of command.flags ?? []) {
    const given = valuesOf(spec, parsed.options).map((word) => masked.typed.get(word) ?? word);
    for (const value of given) checkValue(command, spec, value);
    if (given.length > 0) values.set(spec.name, given);
  }
  const args = parsed.args.map((word) => masked.typed.get(word) ?? word);
  checkArguments(command, args);
  return { args, flags: new Flags(values), wantsHelp: false };
}

/** A command line in which a token stands for every value and argument, so that cac sees none of them. */
interface MaskedArgv {
  readonly words: readonly string[];
  readonly typed: ReadonlyMap<string, string>;
  /** The first flag that the spec does not have, as typed. */
  readonly unknown: string | undefined;
  readonly wantsHelp: boolean;
}

function maskValues(command: Command, argv: readonly string[]): MaskedArgv {
  const words: string[] = [];
  // Behind everything else: cac takes the word after a switch whose name has a hyphen for its value.
  const switches: string[] = [];
  const typed = new Map<string, string>();
  const seen = new Set<string>();
  let unknown: string | undefined;
  let isFlagsOver = false;
  const mask = (value: string): string => {
    const token = `\u0001v${typed.size}\u0001`;
    typed.set(token, value);
    return token;
  };
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (isFlagsOver || word === "-" || !word.startsWith("-")) {
      words.push(mask(word));
      if (command.isRaw === true) isFlagsOver = true;
    } else if (word === "--") {
      isFlagsOver = true;
    } else if (word === "--help" || word === "-h") {
      return { words: [], typed, unknown: undefined, wantsHelp: true };
    } else {
      const equals = word.indexOf("=");
      const name = equals < 0 ? word : word.slice(0, equals);
      const spec = command.flags?.find((each) => name === `--${each.name}`);
      if (spec === undefined) {
        unknown ??= name;
        words.push(name);
        continue;
      }
      if (seen.has(spec.name) && spec.isRepeatable !== true)
        throw wrong(command, `flag '--${spec.name}' is given twice`);
      seen.add(spec.name);
      if (spec.value === undefined) {
        if (equals >= 0) throw wrong(command, `flag '--${spec.name}' takes no value`);
        switches.push(name);
      } else {
        const value = equals < 0 ? nextValue(command, spec, argv[++at]) : word.slice(equals + 1);
        words.push(`${name}=${mask(value)}`);
      }
    }
  }
  return { words: [...words, ...switches], typed, unknown, wantsHelp: false };
}

/** A flag's name that cac reads as it is: `--no-x`, `--x.y`, `-xyz` and `--constructor` it takes for something else. */
const PLAIN_FLAG = /^--(?!no-|constructor$|prototype$)[a-z][a-z0-9-]*$/;

function parseWithCac(command: Command, { words, unknown }: MaskedArgv): ReturnType<CAC["parse"]> {
  if (unknown !== undefined && !PLAIN_FLAG.test(unknown)) throw unknownFlag(command, unknown);
  const cli = cac("iddio");
  const declared = cli.command(command.name, command.summary).ignoreOptionDefaultValue();
  for (const { name, value, summary } of command.flags ?? [])
    declared.option(value === undefined ? `--${name}` : `--${name} <${value}>`, summary);
  const parsed = cli.parse(["", "iddio", command.name, ...words], { run: false });
  try {
    declared.checkUnknownOptions();
  } catch (error) {
    if (unknown === undefined) throw error;
    throw unknownFlag(command, unknown);
  }
  return parsed;
}

/** What cac found for a flag, in the order typed; an empty text for a switch that is on. */
function valuesOf({ name, value }: FlagSpec, options: Readonly<Record<string, unknown>>): string[] {
  const camelCase = (text: string) => text.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  // cac takes `--no-service` for the switch `service` turned off.
  if (name.startsWith("no-") && value === undefined)
    return options[camelCase(name.slice(3))] === false ? [""] : [];
  const found = options[camelCase(name)];
  if (found === undefined) return [];
  return [found].flat().map((each) => (each === true ? "" : String(each)));
}

/** A usage error of one command; the hint shows its help unless another is given. */
export function wrong(command: Command, message: string, hint?: string): UserError {
  return new UserError(message, { hint: hint ?? `see: iddio ${command.name} --help`, exitCode: 2 });
}

function unknownFlag(command: Command, typed: string): UserError {
  const names = (command.flags ?? []).map(({ name }) => name);
  const near = suggest(typed.replace(/^-+/, ""), [...names, "help"]);
  return wrong(
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
