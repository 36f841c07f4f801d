// What readers of program words share: findings, words by kind, and the contract with anyone who knows paths. What is not
// plainly a read is not called one.

import type { ShellWord } from "../shell/word.ts";
import type { Finding } from "./remote-command.ts";

/** What reading a program's words may lead to. */
export interface ProgramTools {
  /** A path as the shell would have it; undefined when it cannot be told. */
  pathOf(word: ShellWord): string | undefined;
  /** Remembers a place below which what a pipe names may be. */
  name(path: string): void;
  /** Judges another program that this one starts. */
  run(words: readonly ShellWord[]): void;
  /** What reading a path adds. */
  read(path: string | undefined, isDeep: boolean): Finding | undefined;
  /** What writing to a path makes of a finding. */
  write(path: string | undefined, base: Finding): Finding;
}

/** Reads one program's words; `base` is what the table says. */
export type Reader = (
  args: readonly ShellWord[],
  base: Finding,
  tools: ProgramTools,
  program: string,
) => Finding;

/** A read. */
export const observe = (reason: string): Finding => ({ tier: "observe", reason });
/** A change. */
export const modify = (reason: string): Finding => ({ tier: "modify", reason });
/** A change that loses something, or a read of secrets. */
export const sensitive = (reason: string): Finding => ({ tier: "sensitive", reason });
/** A change of who may do what. */
export const breakGlass = (reason: string): Finding => ({ tier: "break-glass", reason });
/** It cannot be told. */
export const unknown = (reason: string): Finding => ({ tier: "unknown", reason });

/** The words as text. */
export const texts = (args: readonly ShellWord[]) => args.map(({ text }) => text);
/** The words that are no options. */
export const operandsOf = (args: readonly ShellWord[]) => args.filter(({ text }) => !/^-./.test(text));
/** The first word that is only known when it runs. */
export const vagueOf = (args: readonly ShellWord[]) => args.find(({ isSure }) => !isSure);
/** The stricter of two. */
export const strictest = (one: Finding, other: Finding | undefined): Finding => {
  const order = ["observe", "modify", "unknown", "sensitive", "break-glass"];
  return other !== undefined && order.indexOf(other.tier) > order.indexOf(one.tier) ? other : one;
};

/** Whether no other options than these are there; switches may bundle, `values` take the next word. */
export function isOnly(args: readonly ShellWord[], switches: string, values: string): boolean {
  const [plain, taking] = [new Set(switches.split(" ")), new Set(values.split(" "))];
  for (let at = 0; at < args.length; at++) {
    const { text, isSure } = args[at] as ShellWord;
    if (!isSure && /^[-$`]/.test(text)) return false;
    if (!/^-./.test(text)) continue;
    if (text.startsWith("--")) {
      const [name = "", value] = text.slice(2).split("=", 2);
      if (taking.has(name)) at += value === undefined ? 1 : 0;
      else if (!plain.has(name)) return false;
      continue;
    }
    for (let letter = 1; letter < text.length; letter++) {
      const name = text.charAt(letter);
      if (taking.has(name)) {
        if (letter === text.length - 1) at++;
        break;
      }
      if (!plain.has(name)) return false;
    }
  }
  return true;
}
