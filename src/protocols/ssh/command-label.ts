// The names under which a policy knows a remote command: as it was typed, by its program, and as a
// template in which `<word>`, `<number>` and `<path>` stand for one plain word each. A template
// means one program and nothing around it.

import { quotePosix } from "../../text/quote-posix.ts";
import type { ShellWord } from "../shell/word.ts";

const LENGTH_MAX = 200;
const SLOTS_MAX = 4;

/** The command as rows and rules have it: its words, or its program where they are not known. */
export function labelOf(words: readonly ShellWord[], key: string): string {
  if (!words.every(({ isSure }) => isSure)) return key === "" ? "unknown" : key;
  const text = words.map(({ text: each }) => quoted(each)).join(" ");
  return text.length <= LENGTH_MAX ? text : key;
}

/** Other names of the same command. */
export function aliasesOf(words: readonly ShellWord[], key: string, command: string): readonly string[] {
  const names = new Set<string>(key === "" ? [] : [key]);
  if (words.every(({ isSure }) => isSure))
    for (const each of templates(words.map(({ text }) => text))) names.add(each);
  names.delete(command);
  return [...names];
}

/** Every way to put placeholders for words that are no options. */
function templates(words: readonly string[]): readonly string[] {
  const [program = "", ...rest] = words;
  const slots = rest.filter((each) => placeholders(each).length > 0).length;
  if (slots === 0 || slots > SLOTS_MAX || rest.length > 12) return [];
  let made: string[] = [quoted(program)];
  for (const word of rest) {
    const spellings = [quoted(word), ...placeholders(word)];
    made = made.flatMap((each) => spellings.map((spelling) => `${each} ${spelling}`));
  }
  return made.filter((each) => each.includes("<"));
}

function placeholders(word: string): readonly string[] {
  return [
    ...(/^[A-Za-z0-9_][\w.@:+-]{0,127}$/.test(word) ? ["<word>"] : []),
    ...(/^\d{1,15}$/.test(word) ? ["<number>"] : []),
    ...(/^\/[\w./@+:-]{0,511}$/.test(word) && !/(?:^|\/)\.\.(?:\/|$)/.test(word) ? ["<path>"] : []),
  ];
}

function quoted(word: string): string {
  return /^[\w./@%+=:,^~-]+$/.test(word) ? word : quotePosix(word);
}
