// Programs that run a text in a language of their own. Their texts are not read: a text that has a
// way to start programs, and names a guarded one, is a doubt. One without such a way is none.

import type { ShellWord } from "../word.ts";

/** Ways to start a program, or to run a text that is made up. */
const STARTS =
  /system|popen|spawn|subprocess|child_?process|\bexec\w*|\beval\b|\bexecSync|fork|shell|\bsh\b|bash|__import__|import_?module|importlib|\bpty\b|posix|ctypes|runpy|getattr|globals\(|compile\(|passthru|proc_open|pcntl|\bqx\b|%x|Deno\.|\bBun\b|\$`|open3|IO\.popen|open[^;\n]{0,300}\||getline|Function\(|dlopen|binding\(|syscmd|start_?process|do script|call_?process/i;
/** The same where the pieces of a word were put together. */
const STARTS_IN_PIECES = /system|popen|subprocess|childprocess|execsync|execfile/i;
const WITH_BACKTICKS = /`/;
/** An action that hands its output to a program, or reads a program's. */
const AWK = /system\s*\(|\bgetline\b|\|&|\bprintf?\b[^;}\n]{0,300}\||\|\s*"|@\w+\s*\(/;
/** The command `e` of GNU sed, and the flag `e`. */
const SED =
  /(?:^|[;{}\n\d$/!,])\s*e(?=\s+\S|\s*$)|(?:^|[;{}\n\d/$,!\s])s([^\w\s])(?:\\.|(?!\1).)*\1(?:\\.|(?!\1).)*\1[gIimMp\d]*e/s;
/** Editors, debuggers and clients of databases, which have a command for it. */
const ESCAPES = /!|shell|system|spawn|\bpy\w*\b|\blua\b|term|call-process|start-process|exec|pipe|PROGRAM/i;

/** Interpreters, by name without version: the ways of their own. */
const LANGUAGES: ReadonlyMap<string, RegExp> = new Map([
  ..."awk gawk mawk nawk original-awk".split(" ").map((name) => [name, AWK] as const),
  ..."sed gsed ssed".split(" ").map((name) => [name, SED] as const),
  ..."vim vi nvim ex view gvim vimdiff emacs emacsclient ed gdb lldb psql mysql mariadb sqlite sqlite3 dc bc gnuplot octave ftp less expect"
    .split(" ")
    .map((name) => [name, ESCAPES] as const),
  ..."perl ruby php irb".split(" ").map((name) => [name, WITH_BACKTICKS] as const),
  ..."python pypy ipython node nodejs deno bun tsx ts-node lua luajit Rscript R tclsh wish osascript groovy scala jshell swift ghci elixir iex erl julia guile racket sbcl m4 raku crystal nim dart kotlin clj bb"
    .split(" ")
    .map((name) => [name, STARTS] as const),
]);

/** Options that are followed by a text to run. */
const INLINE = /^-[A-Za-z0-9]*[ceEprRn]|^--(?:eval|print|execute|command|exec|expression|source)\b|^eval$/;

/** Whether a program runs a text in another language, which is in its words or in its input. */
export function isInterpreter(program: string): boolean {
  return languageOf(program) !== undefined;
}

/** The text that an interpreter runs; undefined where it is a file. */
export function programText(
  program: string,
  args: readonly ShellWord[],
  input: ShellWord | undefined,
): ShellWord | undefined {
  const ways = languageOf(program);
  const operands = args.filter(({ text }) => !/^-./.test(text));
  const isText =
    ways === AWK || ways === SED || ways === ESCAPES || args.some(({ text }) => INLINE.test(text));
  const readsInput = operands.length === 0 || operands.some(({ text }) => /^(?:-|\/dev\/stdin)$/.test(text));
  if (!isText && !readsInput) return undefined;
  const words = [...args, ...(input === undefined ? [] : [input])];
  return {
    text: words.map(({ text, gives }) => gives?.text ?? text).join("\n"),
    // A pattern of files is no text.
    isSure: words.every(({ text, isSure }) => isSure || !/[$`]/.test(text)),
  };
}

/** Whether a text of this interpreter has a way to start programs. */
export function startsPrograms(program: string, text: string): boolean {
  const ways = languageOf(program);
  if (ways === undefined) return false;
  if (ways.test(text)) return true;
  if (ways === AWK || ways === SED || ways === ESCAPES) return false;
  return STARTS.test(text) || STARTS_IN_PIECES.test(text.replace(/[^A-Za-z0-9]+/g, ""));
}

function languageOf(program: string): RegExp | undefined {
  return LANGUAGES.get(program) ?? LANGUAGES.get(program.replace(/(?<=[A-Za-z])-?\d[\d.]*$/, ""));
}
