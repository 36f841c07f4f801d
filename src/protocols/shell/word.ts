// A word of a command line as far as its text is known without running anything. Parts that the
// shell would replace (variables, globs, braces, substitutions) make a word unsure; its text is
// then a guess, good for a stricter answer and never for a milder one.

/** One word. */
export interface ShellWord {
  /** The text after quotes and backslashes; for an unsure word as typed. */
  readonly text: string;
  /** Whether the program gets exactly this text, as one word. */
  readonly isSure: boolean;
  /** The text that takes its place where its substitutions print what stands in the line, as `$(echo x)` does. */
  readonly gives?: ShellWord;
  /** Its substitutions print files as they are, or the set-up of a known tool. */
  readonly isStored?: boolean;
}

/** The stdin of a program: a text of the line, a pipe, or a file. */
export type ProgramInput =
  | {
      readonly script: ShellWord;
      /** Another program writes it, which may be a function of that name. */
      readonly isPiped?: true;
    }
  | { readonly file: ShellWord }
  | "pipe";

/** A variable that a line sets, with its text. */
export interface Setting {
  readonly name: string;
  readonly value: ShellWord;
}

/** One program that a command line starts. */
export interface SimpleCommand {
  /** The program first. */
  readonly words: readonly ShellWord[];
  /** Names of the variables set for it alone. */
  readonly assigned: readonly string[];
  /** Its stdin; undefined when the line says nothing. */
  readonly input: ProgramInput | undefined;
  /** Where it stands among the others. */
  readonly place?: CommandPlace;
}

/** Where a program stands in its line. */
export interface CommandPlace {
  /** The pipe that it is a part of, by number. */
  readonly pipe: number | undefined;
  /** The lists of `&&` alone that it stands in, by number, the innermost last: it runs only after what came before there. */
  readonly chains: readonly number[];
  /** It is itself a member of the innermost of them, or of the line where there is none: no pipe, subshell or loop between. */
  readonly isDirect: boolean;
}

/** A file that a line reads or writes by `<`, `>` and the like. */
export interface ScriptRedirect {
  readonly isWrite: boolean;
  readonly target: ShellWord;
}

/** A command line taken apart. */
export interface ReadScript {
  /** Every program it names, wherever in it, whether or not it would be reached. */
  readonly commands: readonly SimpleCommand[];
  /** Every redirection to or from a file, wherever in it. */
  readonly redirects?: readonly ScriptRedirect[];
  /** Names of the variables that it sets for itself, not for one program; SOME_NAME where a name is only known when it runs. */
  readonly variables?: readonly string[];
  /** A piece of a calculation that may be more than a number: bash would run a command in it. */
  readonly calculated?: string;
  /** It has loops or functions: what stands first may run last. */
  readonly hasJumps?: boolean;
  /** The variables that it sets, for itself or for one program. */
  readonly settings?: readonly Setting[];
  /** Texts in which the shell may run the substitutions although they stand in quotes. */
  readonly expanded?: readonly string[];
  /** Texts that it writes to files, by the name of the file. */
  readonly written?: ReadonlyMap<string, ShellWord>;
  /** It defines functions: a program's name may be one of them. */
  readonly hasFunctions?: boolean;
  /** Why it cannot be read; `commands` is then what could be. */
  readonly problem?: string;
}

/** The text of an input that stands in the line. */
export function sentText(input: ProgramInput | undefined): ShellWord | undefined {
  if (typeof input !== "object" || !("script" in input)) return undefined;
  return input.script.gives ?? input.script;
}

/** A word whose text is known. */
export function sureWord(text: string): ShellWord {
  return { text, isSure: true };
}

/** The word's text, undefined when it is only a guess. */
export function sureText(word: ShellWord | undefined): string | undefined {
  return word?.isSure ? word.text : undefined;
}

/** The word with `{}` for each part that is only known when it runs, as `xargs -I` has it. */
export function wordWithHoles(word: ShellWord, part: string): ShellWord {
  return word.text.includes(part) ? { text: word.text.replaceAll(part, "{}"), isSure: false } : word;
}
