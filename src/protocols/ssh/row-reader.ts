// Reads one line of a program that the table has: its row, the paths that it reads and writes, and
// options that do more than the row knows. Programs with a language of their own have readers.

import type { ShellWord } from "../shell/word.ts";
import type { CommandSurroundings } from "./command-surroundings.ts";
import {
  CONFIG_FILES,
  copiesTrees,
  fileLists,
  PASSES_NAMES,
  READS_MORE,
  startsMore,
} from "./option-effects.ts";
import {
  type ProgramFinding,
  type ProgramTools,
  sensitive,
  strictest,
  texts,
  unknown,
} from "./program-reader.ts";
import { holdsSecrets } from "./remote-paths.ts";
import { readProgram } from "./remote-programs.ts";
import { type FoundRow, findUnixRow } from "./unix-table.ts";

type Row = Exclude<FoundRow, { problem: string }>;

/** The name of the row that holds, and what it says; undefined for a program that the table does not have. */
export function readRow(
  program: string,
  args: readonly ShellWord[],
  place: CommandSurroundings,
  run: ProgramTools["run"],
): { readonly key: string; readonly finding: ProgramFinding } | undefined {
  const found = findUnixRow(program, args);
  if (found === undefined) return undefined;
  if ("problem" in found) return { key: program, finding: unknown(found.problem) };
  const { row } = found;
  const base: ProgramFinding =
    /^(?:less|more|man)$/.test(program) && texts(args).some((each) => each.startsWith("+"))
      ? unknown("a pager runs what stands behind a plus sign")
      : { tier: row.tier ?? "unknown", reason: row.reason };
  // An unquoted variable may become several words, options among them.
  const split = args.find((word) => !word.isSure && mayBecomeOptions(word.text));
  if (
    split !== undefined &&
    base.tier === "observe" &&
    (row.operands === "code" || row.grammar !== undefined)
  )
    return {
      key: row.command,
      finding: unknown(`what '${split.text}' stands for is only known when it runs`),
    };
  const read = operandsOf(program, args, base, { found, place, run });
  const finding = strictest(strictest(read, startsOthers(program, args, base)), loadsConfig(program, found));
  if (!PASSES_NAMES.test(program)) place.makesText();
  return { key: row.command, finding };
}

function startsOthers(
  program: string,
  args: readonly ShellWord[],
  base: ProgramFinding,
): ProgramFinding | undefined {
  const reason = startsMore(program, args);
  if (reason === undefined) return undefined;
  return base.tier === "modify" ? sensitive(reason) : unknown(reason);
}

/** A check of a configuration loads the modules and scripts that it names. */
function loadsConfig(program: string, { read }: Row): ProgramFinding | undefined {
  const files = (CONFIG_FILES[program] ?? []).flatMap((each) => read?.flags.get(each) ?? []);
  const odd = files.find((each) => !/^\/etc\/[\w.-]+(?:\/[\w.@+-]+)*\/?$/.test(each) || each.includes(".."));
  return odd === undefined ? undefined : unknown(`what the configuration '${odd}' loads is not known`);
}

interface Reading {
  readonly found: Row;
  readonly place: CommandSurroundings;
  readonly run: ProgramTools["run"];
}

function operandsOf(
  program: string,
  args: readonly ShellWord[],
  base: ProgramFinding,
  reading: Reading,
): ProgramFinding {
  const { found, place, run } = reading;
  const { row, operands } = found;
  switch (row.operands) {
    case "code":
      return readProgram(program, args, base, {
        pathOf: (word) => place.pathOf(word),
        name: (path) => place.name(path),
        run,
        read: (path, isDeep) => place.read(path, isDeep),
        write: (path, of) => place.write(path, of),
        writeTree: (path, of) => place.writeTree(path, of),
      });
    case "sub":
      // A command of the program that no row knows.
      return base.tier === "observe" && operands.length > 0
        ? unknown(`'${operands[0]?.text}' is no command of ${program} that is known`)
        : base;
    case "none":
      return base.tier === "observe" && operands.length > 0
        ? unknown(`${row.command} takes no words, and '${operands[0]?.text}' is one`)
        : base;
    case "list":
      return listed(program, base, reading);
    case "read":
    case "deep":
      return filesRead(program, base, reading);
    case "write":
      return filesWritten(program, args, base, reading);
    default:
      return base;
  }
}

/** Only names of files are shown. */
function listed(
  program: string,
  base: ProgramFinding,
  { found: { read, operands }, place }: Reading,
): ProgramFinding {
  let finding = base;
  for (const each of fileLists(program, read))
    finding = strictest(finding, place.read(place.pathOf(each), false));
  for (const path of operands.map((each) => place.pathOf(each))) if (path !== undefined) place.name(path);
  // Bare names are those of the folder where the next program looks for them.
  const isGlob = operands.length > 0 && operands.every(({ text }) => /[*?]/.test(text));
  if (place.folder === undefined) place.makesText();
  else if (!isGlob) place.name(`${place.folder}/*`);
  return finding;
}

function filesRead(program: string, base: ProgramFinding, { found, place }: Reading): ProgramFinding {
  const { row, read, operands } = found;
  const has = (...names: readonly string[]) => names.some((each) => read?.flags.has(each));
  const isSearch = /grep$|^rg$/.test(program);
  // The first word of grep is a pattern, unless an option gave one; the first of jq is its program.
  const isFirstFile =
    !(isSearch || program === "jq") || (isSearch && has("e", "regexp", "f", "file", "files"));
  const files = isFirstFile ? operands : operands.slice(1);
  const isRecursive = program === "rg" || has("r", "R", "recursive", "dereference-recursive");
  const values =
    row.operands === "deep" ? ["f", "file", "x"].flatMap((each) => read?.flags.get(each) ?? []) : [];
  const all = [...files, ...fileLists(program, read), ...values.map((text) => ({ text, isSure: true }))].map(
    (each) => place.pathOf(each),
  );
  if (isRecursive && files.length === 0) all.push(place.folder);
  const isDeep = row.operands === "deep" && isRecursive && !has("include", "g", "glob");
  let finding = base;
  for (const path of all) finding = strictest(finding, place.read(path, isDeep));
  if (/^(?:jq|yq)$/.test(program) && READS_MORE.test(operands[0]?.text ?? ""))
    finding = strictest(finding, sensitive("its program reads variables or other files"));
  if (has("l", "L", "files-with-matches", "files-without-match")) {
    for (const path of all) if (path !== undefined) place.name(path);
  } else if (all.length > 0) place.makesText();
  return finding;
}

function filesWritten(
  program: string,
  args: readonly ShellWord[],
  base: ProgramFinding,
  reading: Reading,
): ProgramFinding {
  const { found, place } = reading;
  let finding =
    program === "rm" && texts(args).some((each) => /^-\w*[rR]|^--recursive/.test(each))
      ? sensitive("removes folders with all that is in them")
      : base;
  const isTree = copiesTrees(program, args);
  for (const path of found.operands.map((each) => place.pathOf(each))) {
    finding = place.write(path, finding);
    if (isTree && path !== undefined && holdsSecrets(path))
      finding = strictest(finding, sensitive(`below ${path} may be secrets`));
  }
  return finding;
}

/** A glob that does not begin with a dash, and a home directory, stay what they are. */
function mayBecomeOptions(text: string): boolean {
  const rest = text.replace(/^\$(?:HOME|\{HOME\})(?=\/|$)/, "~");
  return /[$`]/.test(rest) || /^[-{(<]/.test(rest);
}
