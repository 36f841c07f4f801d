// How a shell is started: it runs a text behind `-c`, a file, or its input. A text that it reads
// from elsewhere (`--rcfile <(…)`) counts as its script.

import { type ShellWord, sureText, sureWord } from "../word.ts";
import type { Opened } from "./opened.ts";

/** Shells, by name: `-c` takes a script; without it the first word is a file, and without one stdin is read. */
export const SHELL_NAMES = new Set([
  "sh",
  "bash",
  "dash",
  "zsh",
  "ksh",
  "mksh",
  "ash",
  "rbash",
  "fish",
  "yash",
]);

/** Whether a program is a shell. */
export function isShell(program: string): boolean {
  return SHELL_NAMES.has(program);
}

/** The texts that a shell is started with; undefined for a file or its input. */
export function openShell(args: readonly ShellWord[]): readonly Opened[] | undefined {
  for (let at = 0; at < args.length; at++) {
    const text = sureText(args[at]);
    const given = args[at]?.gives;
    if (text === undefined && given !== undefined) return [{ kind: "script", script: given }];
    if (text === undefined)
      return [{ kind: "unreadable", why: "what the shell is to run is only known when it runs" }];
    if (text === "--" || text === "-" || !/^[-+]/.test(text)) return undefined;
    if (text === "--command") return scriptAt(args, at + 1);
    if (text.startsWith("--command=")) return [{ kind: "script", script: sureWord(text.slice(10)) }];
    if (/^--(?:rcfile|init-file|init-command)$/.test(text)) {
      const given = text === "--init-command" ? args[at + 1] : args[at + 1]?.gives;
      if (given !== undefined) return [{ kind: "script", script: given }];
      at++;
      continue;
    }
    if (text.startsWith("--")) continue;
    if (text.startsWith("-") && text.includes("c")) {
      // `-o pipefail` and `-O globstar` take a word of their own, wherever their letter is in the bundle.
      const taken = [...text].filter((letter) => letter === "o" || letter === "O").length;
      return scriptAfterOptions(args, at + 1 + taken);
    }
    at += [...text].filter((letter) => letter === "o" || letter === "O").length;
  }
  return undefined;
}

/** Options may still come between `-c` and the script. */
function scriptAfterOptions(args: readonly ShellWord[], from: number): readonly Opened[] {
  let at = from;
  for (let text = sureText(args[at]); text !== undefined && /^[-+]./.test(text); text = sureText(args[at])) {
    at += 1 + [...text].filter((letter) => !text.startsWith("--") && /[oO]/.test(letter)).length;
    if (text === "--") break;
  }
  return scriptAt(args, at);
}

function scriptAt(args: readonly ShellWord[], at: number): readonly Opened[] {
  const script = args[at];
  return script === undefined ? [] : [{ kind: "script", script }];
}

/** Whether a shell, or `source`, has no file to read, so that it reads its input. */
export function readsInput(program: string, args: readonly ShellWord[]): boolean {
  const operands = args.filter(({ text }) => !/^[-+]/.test(text));
  const isInput = /^(?:\/dev\/(?:stdin|fd\/\d+)|\/proc\/self\/fd\/\d+|-)$/.test(
    operands[0]?.text ?? args[0]?.text ?? "",
  );
  if (isSource(program)) return isInput && operands[0]?.gives === undefined;
  return (
    isShell(program) &&
    (operands.length === 0 || args.some(({ text }) => /^-[a-z]*s[a-z]*$/.test(text)) || isInput)
  );
}

/** Whether a program runs a file in the shell itself. */
export function isSource(program: string): boolean {
  return program === "source" || program === ".";
}
