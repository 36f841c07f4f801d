// Shared parts of the readers of programs: findings, words by kind, and the contract for judging
// paths. A program is called a read only when it plainly is one.

import type { TierOrUnknown } from "../../model/tier.ts";
import type { ShellWord } from "../shell/word.ts";

/** The tier of one program and the reason. */
export interface ProgramFinding {
  readonly tier: TierOrUnknown;
  readonly reason: string;
}

/** The callbacks of a reader for the paths and programs that it finds. */
export interface ProgramTools {
  /** A path as the shell would have it; undefined when it is not known. */
  pathOf(word: ShellWord): string | undefined;
  /** Remembers a place: a pipe may name files below it. */
  name(path: string): void;
  /** Judges another program that this one starts, in a folder where it is another one. */
  run(words: readonly ShellWord[], folder?: string): void;
  /** Returns the finding for reading a path, if that is more than a plain read. */
  read(path: string | undefined, isDeep: boolean): ProgramFinding | undefined;
  /** Returns the finding for writing to a path: `base`, or a stricter one. */
  write(path: string | undefined, base: ProgramFinding): ProgramFinding;
  /** The same for a tree of files below a path. */
  writeTree(path: string | undefined, base: ProgramFinding): ProgramFinding;
}

/** Reads one program's words; `base` is the table's finding. */
export type Reader = (
  args: readonly ShellWord[],
  base: ProgramFinding,
  tools: ProgramTools,
  program: string,
) => ProgramFinding;

/** A read. */
export const observe = (reason: string): ProgramFinding => ({ tier: "observe", reason });
/** A change. */
export const modify = (reason: string): ProgramFinding => ({ tier: "modify", reason });
/** A change that loses something, or a read of secrets. */
export const sensitive = (reason: string): ProgramFinding => ({ tier: "sensitive", reason });
/** A change of who may do what. */
export const breakGlass = (reason: string): ProgramFinding => ({ tier: "break-glass", reason });
/** It is not known. */
export const unknown = (reason: string): ProgramFinding => ({ tier: "unknown", reason });

/** The words as text. */
export const texts = (args: readonly ShellWord[]) => args.map(({ text }) => text);
/** The words that are no options. */
export const operandsOf = (args: readonly ShellWord[]) => args.filter(({ text }) => !/^-./.test(text));
/** The first word that is only known when it runs. */
export const vagueOf = (args: readonly ShellWord[]) => args.find(({ isSure }) => !isSure);
/** The stricter of two; an unknown read beats a change, and is beaten by what is known to be worse. */
export const strictest = (one: ProgramFinding, other: ProgramFinding | undefined): ProgramFinding =>
  other !== undefined && rankOf(other.tier) > rankOf(one.tier) ? other : one;

const ORDER: readonly TierOrUnknown[] = ["observe", "modify", "unknown", "sensitive", "break-glass"];

/** How risky a tier is among the others, here. */
export const rankOf = (tier: TierOrUnknown): number => ORDER.indexOf(tier);

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
