// The variable of `for name in word word …; do …; done`, where nothing in the script can give it
// another value: the body is then read once for each word. Whatever could set a variable under a
// name that does not stand in the text, or that a shell other than bash would read differently,
// leaves the loop unread, and its words are guesses as before.

import { type For, forEachChild, type SyntaxNode, type WordPart } from "unbash";
import { variableOf } from "./read-word.ts";
import type { ShellWord, SimpleCommand } from "./word.ts";

/** Words of one loop, and of all loops around one command together. */
const WORDS_MAX = 64;
/** Shells give variables in capitals a value of their own, and `_`; zsh these as well. */
const NAME =
  /^(?!(?:aliases|argv|builtins|cdpath|commands|dirstack|dis_\w+|epochtime|errnos|fignore|fpath|func\w+|galiases|hist\w*|job\w+|keymaps|langinfo|mailpath|manpath|mapfile|match|mbegin|mend|module\w*|nameddirs|options|parameters|patchars|path|pipestatus|prompt|psvar|reply|reswords|saliases|signals|status|sysparams|term\w+|tty\w*|usergroups|userdirs|watch|widgets|words|zcurses_\w+|zle_\w+|zsh_\w+)$)[a-z][a-z0-9_]*$/;
/** No word that the shell, a glob or another value of IFS could change. */
const WORD = /^[A-Za-z0-9_/][A-Za-z0-9_./:@%+=,-]*$/;

/** Grammar in which a variable is set only by its name in the text. */
const READABLE: ReadonlySet<string> = new Set(
  "Script Statement CompoundList AndOr Pipeline Negation Command If Elif For While Case CaseItem Subshell BraceGroup Redirected Word Literal SingleQuoted DoubleQuoted AnsiCQuoted Glob SimpleExpansion ParameterExpansion CommandExpansion Assignment Redirect FileDescriptor HereDoc HereDocDelimiter HereDocBody HereString".split(
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

const NONE: LoopValues = new Map();

/** Finds them. `commands`: all programs of the script, as they are read without this. */
export function loopValues(text: string, script: SyntaxNode, commands: readonly SimpleCommand[]): LoopValues {
  const loops = new Map<For, readonly string[]>();
  if (!readAll(script, loops, 1) || loops.size === 0) return NONE;
  // The end of a line in the middle of a name hides it; IFS takes words apart.
  if (/\\\r?\n/.test(text) || text.includes("IFS") || !commands.every(leavesVariables)) return NONE;
  for (const loop of [...loops.keys()]) if (!isOnlyRead(loop.name.text, text)) loops.delete(loop);
  return loops;
}

/** Collects the loops over known words; false when there is anything in the script that is not understood. */
function readAll(node: SyntaxNode, loops: Map<For, readonly string[]>, times: number): boolean {
  if (!READABLE.has(node.type)) return false;
  if (node.type === "Assignment" && (node.index !== undefined || node.value.type === "ArrayValue"))
    return false;
  if (node.type === "ParameterExpansion" && variableOf(node as WordPart) === undefined) return false;
  let within = times;
  if (node.type === "For") {
    const words = node.wordlist?.map((word) => (word.parts === undefined ? word.value : ""));
    const isKnown = words?.every((word) => WORD.test(word)) === true && NAME.test(node.name.text);
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

/** Whether the name stands in the text only where it is read or is an option, and once as that of a loop. */
function isOnlyRead(name: string, text: string): boolean {
  const all = text.match(new RegExp(`(?<!\\w)${name}(?!\\w)`, "g"))?.length ?? 0;
  const heads = text.match(new RegExp(`(?<!\\S)for[ \\t]+${name}[ \\t]+in[ \\t]`, "g"))?.length ?? 0;
  const read = text.match(new RegExp(`\\$${name}(?!\\w)|\\$\\{${name}\\}`, "g"))?.length ?? 0;
  const options = text.match(new RegExp(`(?<=\\s-)${name}(?!\\w)`, "g"))?.length ?? 0;
  return heads === 1 && all === heads + read + options;
}
