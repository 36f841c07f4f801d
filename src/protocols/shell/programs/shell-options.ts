// Options of a shell, at its start or by `set` and `shopt`. Some make it read a line otherwise than
// it is read here: assignments among arguments (`-k`), lines of the history (`-H`), files that are
// run first (`--rcfile`). What is not known to change nothing about the reading is a doubt.

import type { ShellWord } from "../word.ts";

/** Letters of `set` and of a shell's start. */
const LETTERS = /^[-+][abCefhmnuvxETl]*$/;
/** The same with `-o`, whose name is the next word. */
const WITH_NAME = /^[-+][abCefhmnuvxETl]*o$/;
const NAMES =
  /^(?:allexport|emacs|errexit|errtrace|functrace|monitor|noclobber|noexec|noglob|notify|nounset|pipefail|posix|verbose|vi|xtrace)$/;
const SHOPT_NAMES =
  /^(?:autocd|cdspell|checkhash|checkjobs|checkwinsize|cmdhist|direxpand|dirspell|dotglob|extglob|failglob|globstar|hostcomplete|huponexit|inherit_errexit|lastpipe|mailwarn|nocaseglob|nocasematch|nullglob|progcomp|sourcepath|xpg_echo)$/;

/** The first word of `set` or `shopt` that may change how lines are read; undefined where there is none. */
export function oddSetting(program: string, args: readonly ShellWord[]): string | undefined {
  if (program === "shopt") {
    const isOfSet = args.some(({ text }) => /^-\w*o/.test(text));
    const names = isOfSet ? NAMES : SHOPT_NAMES;
    return args.find(({ text, isSure }) => !isSure || !(/^-[opqsu]+$/.test(text) || names.test(text)))?.text;
  }
  let isName = false;
  for (const { text, isSure } of args) {
    if (isName) {
      if (!isSure || !NAMES.test(text)) return text;
      isName = false;
    } else if (text === "--" || (isSure && !/^[-+]/.test(text))) return undefined;
    else if (!isSure) return text;
    else if (WITH_NAME.test(text)) isName = true;
    else if (!LETTERS.test(text)) return text;
  }
  return undefined;
}

/** The first option of a shell's start that may change what it runs beside its script. */
export function oddStart(args: readonly ShellWord[]): string | undefined {
  for (let at = 0; at < args.length; at += 1) {
    const { text, isSure } = args[at] as ShellWord;
    if (!isSure) return text;
    if (!/^[-+]/.test(text) || text === "-" || text === "--") return undefined;
    if (/^--(?:norc|noprofile|posix|login|version|help)$/.test(text)) continue;
    // The letters may stand in one word with `c`, behind which the script comes.
    const letters = text.replace(/[cs]/g, "");
    if (WITH_NAME.test(letters)) {
      const name = args[++at];
      if (name === undefined || !name.isSure || !NAMES.test(name.text)) return name?.text ?? text;
    } else if (!LETTERS.test(letters)) return text;
    if (text.includes("c")) return undefined;
  }
  return undefined;
}

/** Whether a plain POSIX shell may read a script otherwise than bash: `[[`, `$'…'` and quotes within `${…}` are bash's own. */
export function isForBashAlone(script: string): boolean {
  return /\[\[|\$'|\$\{[^}]*['"]/.test(script);
}
