// Variables whose value stands in the script: that of `for name in word word …; do …; done`, whose
// body is then read once for each word, and that of `name=word` at the top of the script, before
// its first use. Whatever could set a variable under a name that does not stand in the text, or
// that a shell other than bash would read differently, leaves them unread, guesses as before.

import { type For, forEachChild, type SyntaxNode, type Word, type WordPart } from "unbash";
import { type KnownValues, variableOf, wordOf } from "./read-word.ts";
import type { ShellWord, SimpleCommand } from "./word.ts";

/** Words of one loop, and of all loops around one command together. */
const WORDS_MAX = 64;
/** Shells give variables in capitals a value of their own, and `_`; zsh these as well. */
const NAME =
  /^(?!(?:aliases|argv|builtins|cdpath|commands|dirstack|dis_\w+|epochtime|errnos|fignore|fpath|func\w+|galiases|hist\w*|job\w+|keymaps|langinfo|mailpath|manpath|mapfile|match|mbegin|mend|module\w*|nameddirs|options|parameters|patchars|path|pipestatus|prompt|psvar|reply|reswords|saliases|signals|status|sysparams|term\w+|tty\w*|usergroups|userdirs|watch|widgets|words|zcurses_\w+|zle_\w+|zsh_\w+)$)[a-z][a-z0-9_]*$/;
/** No word that the shell, a glob or another value of IFS could change. */
const WORD = /^[A-Za-z0-9_/][A-Za-z0-9_./:@%+=,-]*$/;

/** Files of a pattern, none of which begins with a dash; as a variable they are one word in double quotes alone. */
const PATTERN = /^(?:[A-Za-z0-9_/]|~\/|\.{1,2}\/|\*\.)[\w./:@%+=,*?[\]-]*$/;
/** Names in capitals that no shell fills, or turns into a number, by itself. */
const CAPITALS =
  /^(?!(?:BASH\w*|COMP\w*|CDPATH|COLUMNS|LINES|CPUTYPE|DIRSTACK\w*|EGID|EUID|UID|GID|PPID|EPOCH\w*|ERRNO|FCEDIT|FIGNORE|FPATH|FUNC\w*|GLOBIGNORE|GROUPS|HIST\w*|HOME|HOST\w*|IFS|IGNOREEOF|INPUTRC|KEY\w*|LANG|LANGUAGE|LC_\w*|LINENO|LISTMAX|LOG\w*NAME|LOGCHECK|MACHTYPE|MAIL\w*|MANPATH|MAPFILE|MATCH|MBEGIN|MEND|MODULE_PATH|NULLCMD|OLDPWD|OPT(?:ARG|ERR|IND)|OSTYPE|PATH|PIPESTATUS|POSIXLY_CORRECT|PROMPT\w*|PS\d|PWD|RANDOM|READ\w*|REPLY|REPORT\w*|SAVEHIST|SECONDS|SHELL\w*|SHLVL|SIGNALS|SPROMPT|SRANDOM|STATUS|STTY|TERM\w*|TIMEFMT|TIMEFORMAT|TMOUT|TMPDIR|TMPPREFIX|TRY_\w*|TTY\w*|TZ|USERNAME|VENDOR|WATCH\w*|WORDCHARS|ZDOTDIR|ZSH\w*|ZLE\w*)$)[A-Z][A-Z0-9_]*$/;

/** Grammar in which a variable is set only by its name in the text. */
const READABLE: ReadonlySet<string> = new Set(
  "ProcessSubstitution Script Statement CompoundList AndOr Pipeline Negation Command If Elif For While Case CaseItem Subshell BraceGroup Redirected Word Literal SingleQuoted DoubleQuoted AnsiCQuoted Glob SimpleExpansion ParameterExpansion CommandExpansion Assignment Redirect FileDescriptor HereDoc HereDocDelimiter HereDocBody HereString".split(
    " ",
  ),
);

/** Programs of a shell that set variables, or run a text that may. */
const SETTERS: ReadonlySet<string> = new Set(
  "- . alias autoload bind builtin cd command compdef compgen complete compopt compound coproc declare dirs emulate enable enum eval exec export fc float functions getopts hash integer let local mapfile nameref nocorrect noglob popd print printf pushd read readarray readonly repeat sched set setopt shopt source sysread trap typeset unalias unset unsetopt vared wait zcompile zle zmodload zparseopts zstyle".split(
    " ",
  ),
);
/** Of those, the ones that do so only with other arguments than these. */
const HARMLESS: Readonly<Record<string, (args: readonly ShellWord[]) => boolean>> = {
  cd: () => true,
  printf: ([format]) => format?.isSure === true && !format.text.startsWith("-"),
  set: (args) => args.length > 0 && args.every(({ text }) => /^[-+][efux]+$/.test(text)),
};
/** Comparisons of numbers, in which ksh calculates. */
const CALCULATES = /^-(?:eq|ne|lt|le|gt|ge|v)$/;

/** The loops whose words are known, with them. */
export type LoopValues = ReadonlyMap<For, readonly string[]>;

/** The variables of a script whose values stand in it. */
export interface ScriptValues {
  readonly loops: LoopValues;
  /** The variables that have one value wherever they are used. */
  readonly fixed: KnownValues;
}

/** Nothing is known. */
export const NO_VALUES: ScriptValues = { loops: new Map(), fixed: new Map() };

/** Finds them. `commands`: all programs of the script, as they are read without this. */
export function scriptValues(
  text: string,
  script: SyntaxNode,
  commands: readonly SimpleCommand[],
): ScriptValues {
  const loops = new Map<For, readonly string[]>();
  const fixed = assignedAtTop(script);
  if (fixed.size === 0 && !/\bfor\b/.test(text)) return NO_VALUES;
  if (!readAll(script, loops, 1) || loops.size + fixed.size === 0) return NO_VALUES;
  // The end of a line in the middle of a name hides it; IFS takes words apart.
  if (/\\\r?\n/.test(text) || text.includes("IFS") || !commands.every(leavesVariables)) return NO_VALUES;
  for (const loop of [...loops.keys()])
    if (!isOnlyRead(loop.name.text, text, (name) => `(?<!\\S)for[ \\t]+${name}[ \\t]+in[ \\t]`))
      loops.delete(loop);
  for (const name of [...fixed.keys()])
    if (!isOnlyRead(name, text, (each) => `(?<![^\\s;&])${each}=`) || !isSetFirst(name, text))
      fixed.delete(name);
  return { loops, fixed };
}

/** `name=word` that surely runs: a whole command of the script itself, the first of its list. */
function assignedAtTop(script: SyntaxNode): Map<string, string> {
  const found = new Map<string, string>();
  forEachChild(script, (statement) => {
    if (statement.type !== "Statement" || statement.background) return;
    let node: SyntaxNode = statement.command;
    if (node.type === "AndOr") node = node.commands[0] as SyntaxNode;
    if (node.type !== "Command" || node.name !== undefined || node.redirects.length > 0) return;
    for (const each of node.prefix) {
      if (each.type !== "Assignment" || !each.text.startsWith(`${each.name}=`)) continue;
      if (each.value.type === "ArrayValue" || !(NAME.test(each.name) || CAPITALS.test(each.name))) continue;
      const { text, isSure } = wordOf(each.value as Word, new Map());
      if (isSure && WORD.test(text)) found.set(each.name, text);
    }
  });
  return found;
}

/** Whether it is set before it is used. */
function isSetFirst(name: string, text: string): boolean {
  return new RegExp(`(?<!\\w)${name}(?!\\w)=?`).exec(text)?.[0].endsWith("=") === true;
}

/** Collects the loops over known words; false when there is anything in the script that is not understood. */
function readAll(node: SyntaxNode, loops: Map<For, readonly string[]>, times: number): boolean {
  if (!READABLE.has(node.type)) return false;
  if (node.type === "Assignment" && (node.index !== undefined || node.value.type === "ArrayValue"))
    return false;
  if (node.type === "ParameterExpansion" && variableOf(node as WordPart) === undefined) return false;
  let within = times;
  if (node.type === "For") {
    const words = node.wordlist?.map(plainText);
    const isKnown =
      words?.every((word) => WORD.test(word) || PATTERN.test(word)) === true && NAME.test(node.name.text);
    if (isKnown && words.length > 0 && words.length * times <= WORDS_MAX) {
      loops.set(node, words);
      within = times * words.length;
    }
  }
  let isReadable = true;
  forEachChild(node, (child) => {
    isReadable &&= readAll(child, loops, within);
  });
  return isReadable;
}

/** The text of a word without quotes and expansions; patterns are no expansion. */
function plainText({ parts, value, text }: Word): string {
  if (parts === undefined) return value;
  return parts.every(({ type }) => type === "Literal" || type === "Glob") ? text : "";
}

function leavesVariables({ words }: SimpleCommand): boolean {
  const [program, ...args] = words;
  if (program === undefined || !program.isSure) return false;
  if (program.text === "[" || program.text === "test") return args.every(comparesNoNumbers);
  return !SETTERS.has(program.text) || HARMLESS[program.text]?.(args) === true;
}

/** A word of a test that is no comparison of numbers, whatever its variables hold. */
function comparesNoNumbers({ text, isSure }: ShellWord): boolean {
  return isSure ? !CALCULATES.test(text) : /^[^$`*?[\]]*\/[^`*?[\]]*$/.test(text);
}

/** Whether the name stands in the text only where it is read or is an option, and once where it gets its value. */
function isOnlyRead(name: string, text: string, head: (name: string) => string): boolean {
  const all = text.match(new RegExp(`(?<!\\w)${name}(?!\\w)`, "g"))?.length ?? 0;
  const heads = text.match(new RegExp(head(name), "g"))?.length ?? 0;
  const read = text.match(new RegExp(`\\$${name}(?!\\w)|\\$\\{${name}\\}`, "g"))?.length ?? 0;
  const options = text.match(new RegExp(`(?<=\\s-)${name}(?!\\w)`, "g"))?.length ?? 0;
  return heads === 1 && all === heads + read + options;
}
