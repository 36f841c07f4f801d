// The table of common Unix programs (unix-commands.tsv) and the finding of a row for a command
// line. A row that reads only holds for the options that it lists; anything else on the line, and
// the row is not the answer.

import { isTier, type Tier } from "../../model/tier.ts";
import { type ArgvGrammar, type ReadArgv, readArgv } from "../argv.ts";
import type { ShellWord } from "../shell/word.ts";
import table from "./unix-commands.tsv" with { type: "text" };

/** The meaning of a command's operands. */
export type OperandKind = "none" | "any" | "read" | "deep" | "list" | "write" | "sub" | "code";

/** A row. */
export interface UnixRow {
  readonly command: string;
  /** Undefined for the options that all commands of a program share. */
  readonly tier: Tier | undefined;
  readonly operands: OperandKind;
  /** Undefined: any option. */
  readonly grammar: ArgvGrammar | undefined;
  readonly reason: string;
}

/** A row that fits a command line, or why none does. */
export type FoundRow =
  | { readonly row: UnixRow; readonly read: ReadArgv | undefined; readonly operands: readonly ShellWord[] }
  | { readonly problem: string };

/** The lines of each program, taken apart at the first question: most starts of iddio ask none. */
let lines: ReadonlyMap<string, readonly string[]> | undefined;
const rowsRead = new Map<string, readonly UnixRow[]>();

/** Whether the table has a program. */
export function isUnixProgram(program: string): boolean {
  lines ??= linesByProgram(table as unknown as string);
  return lines.has(program);
}

/** Every row, for tests. */
export function unixRows(): readonly UnixRow[] {
  lines ??= linesByProgram(table as unknown as string);
  return [...lines.keys()].flatMap((program) => rowsOf(program) ?? []);
}

/** A program's rows, the longest name first; undefined for a program that the table does not have. */
function rowsOf(program: string): readonly UnixRow[] | undefined {
  lines ??= linesByProgram(table as unknown as string);
  const own = lines.get(program);
  if (own === undefined) return undefined;
  const known = rowsRead.get(program);
  if (known !== undefined) return known;
  const rows = own
    .map((line) => readUnixRow(line, program))
    .sort((a, b) => b.command.split(" ").length - a.command.split(" ").length);
  rowsRead.set(program, rows);
  return rows;
}

/** The row for a program with these words; undefined for a program that the table does not have. */
export function findUnixRow(program: string, args: readonly ShellWord[]): FoundRow | undefined {
  const rows = rowsOf(program);
  if (rows === undefined) return undefined;
  const shared = rows.find(({ command }) => command === program);
  let problem: string | undefined;
  for (const row of rows) {
    if (row === shared || row.tier === undefined) continue;
    // `docker compose -f file ps`: a command of several words may have options of its own in between.
    const group = rows.find(
      (each) => each !== shared && each.tier === undefined && row.command.startsWith(`${each.command} `),
    );
    const rest = withoutSubcommand(row, args, [shared?.tier === undefined ? shared : undefined, group, row]);
    if (rest === undefined) continue;
    const found = accept(row, rest, shared?.tier === undefined ? shared : undefined);
    if (!("problem" in found)) return found;
    problem ??= found.problem;
    // A command of a program that has nothing to say by itself is no other command because of an option.
    if (!row.command.includes(" -")) break;
  }
  if (shared === undefined || shared.tier === undefined) {
    if (shared?.operands === "code") return accept(shared, args, undefined);
    return { problem: problem ?? `no command of ${program} that is known` };
  }
  const general = accept(shared, args, undefined);
  return "problem" in general && problem !== undefined ? { problem } : general;
}

/** The words behind the row's own; undefined when the row is about another command. */
function withoutSubcommand(
  { command }: UnixRow,
  args: readonly ShellWord[],
  shared: readonly (UnixRow | undefined)[],
): readonly ShellWord[] | undefined {
  const own = command.split(" ").slice(1);
  const [first = ""] = own;
  if (first.startsWith("-")) {
    const isThere = args.some(
      ({ text, isSure }) =>
        isSure &&
        (text === first ||
          text.startsWith(`${first}=`) ||
          // One letter may stand in a bundle.
          (first.length === 2 && /^-[A-Za-z]+$/.test(text) && text.includes(first.charAt(1)))),
    );
    return isThere
      ? args.filter(({ text }) => !(first.length > 2 && text === first && !first.startsWith("--")))
      : undefined;
  }
  const rest: ShellWord[] = [];
  let at = 0;
  for (let index = 0; index < args.length; index++) {
    const word = args[index] as ShellWord;
    if (at < own.length && word.text.startsWith("-") && word.text.length > 1) {
      rest.push(word);
      const name = word.text.replace(/^--?/, "");
      const next = args[index + 1];
      if (shared.some((each) => each?.grammar?.values.has(name)) && next !== undefined) {
        rest.push(next);
        index++;
      }
    } else if (at < own.length) {
      if (!word.isSure || word.text !== own[at]) return undefined;
      at++;
    } else rest.push(word);
  }
  return at === own.length ? rest : undefined;
}

function accept(row: UnixRow, args: readonly ShellWord[], shared: UnixRow | undefined): FoundRow {
  const own = row.grammar;
  // A row with `code` operands is read, and refused, by code elsewhere.
  if (own === undefined || row.operands === "code")
    return { row, read: undefined, operands: args.filter(({ text }) => !/^-./.test(text)) };
  const grammar = shared?.grammar === undefined ? own : joined(own, shared.grammar);
  // `head -20`: a number is an option of its own with these.
  const hasNumbers = /^(?:head|tail|fmt|nl|journalctl|last|lastb)$/.test(row.command);
  const read = readArgv(
    args.map(({ text }) => text).filter((text) => !(hasNumbers && /^-\d+f?$/.test(text))),
    grammar,
  );
  // `-s=false` is no `-s`.
  const valued = args.find(({ text }) => {
    const [, name] = /^--?([\w-]+)=/.exec(text) ?? [];
    return name !== undefined && grammar.switches.has(name) && !takes(grammar, name);
  });
  const strange = read.strange[0] ?? valued?.text;
  if (strange !== undefined)
    return { problem: `'${strange}' is no option of ${row.command} that is known to change nothing` };
  const vague = args.find(
    ({ text, isSure }) =>
      !isSure && /^(?:[-$`{]|\()/.test(text) && !/^\$(?:HOME|\{HOME\})(?:\/|$)/.test(text),
  );
  if (vague !== undefined) return { problem: `what '${vague.text}' stands for is only known when it runs` };
  const values = new Set([...read.words, ...(read.rest ?? [])]);
  return { row, read, operands: args.filter(({ text }) => values.has(text)) };
}

/** Whether an option has a value, or may have one. */
function takes(grammar: ArgvGrammar, name: string): boolean {
  return grammar.values.has(name) || grammar.optional?.has(name) === true;
}

function joined(one: ArgvGrammar, other: ArgvGrammar): ArgvGrammar {
  const both = (a: ReadonlySet<string> | undefined, b: ReadonlySet<string> | undefined) =>
    new Set([...(a ?? []), ...(b ?? [])]);
  return {
    ...one,
    values: both(one.values, other.values),
    switches: both(one.switches, other.switches),
    optional: both(one.optional, other.optional),
  };
}

function linesByProgram(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const program = /^[^\t ]*/.exec(line)?.[0] ?? "";
    const known = found.get(program);
    if (known === undefined) found.set(program, [line]);
    else known.push(line);
  }
  return found;
}

function readUnixRow(line: string, program: string): UnixRow {
  const [command = "", tier = "", operands = "", options = "", reason = ""] = line.split("\t");
  return {
    command,
    tier: isTier(tier) ? tier : undefined,
    operands: operands as OperandKind,
    grammar: options === "*" ? undefined : grammarOf(options, /^(?:openssl|lshw|jstat|java)$/.test(program)),
    reason,
  };
}

/** `a b= c? long long=`; one with `!` is known and never accepted. */
function grammarOf(options: string, singleDashLong: boolean): ArgvGrammar {
  const names = options.split(" ").filter((each) => each !== "" && !each.endsWith("!"));
  const ending = (mark: string) =>
    names.filter((each) => each.endsWith(mark)).map((each) => each.slice(0, -1));
  return {
    singleDashLong,
    values: new Set(ending("=")),
    switches: new Set([
      ...names.filter((each) => !/[=?]$/.test(each)),
      ...(names.includes("help") ? [] : ["help", "version"]),
    ]),
    optional: new Set(ending("?")),
  };
}
