// Programs that start other programs: which of their words are the other program's. A wrapper that
// is read wrongly would hide a command, so an option that the grammar does not know makes the
// wrapper unreadable.

import { type ShellWord, sureWord } from "../word.ts";
import { appended, openLauncher } from "./launchers.ts";
import type { Opened } from "./opened.ts";
import { isShell, openShell, SHELL_NAMES } from "./shell-start.ts";
import { GRAMMARS, type Grammar } from "./wrapper-grammars.ts";

const FINDERS = new Set(["find", "fd", "fdfind", "gfind"]);
/** Programs that may start another one of any name, or cannot be read. */
export const WRAPPERS = new Set([
  ...SHELL_NAMES,
  ...FINDERS,
  ...Object.keys(GRAMMARS),
  "eval",
  "trap",
  "alias",
  "source",
]);

/** Lists the programs that a program starts; undefined when its words name none. */
export function openWrapper(
  program: string,
  words: readonly ShellWord[],
  isKnown: (program: string) => boolean,
): readonly Opened[] | undefined {
  const args = words.slice(1);
  if (isShell(program)) return openShell(args);
  if (program === "eval") return args.length === 0 ? undefined : [{ kind: "script", script: joined(args) }];
  if (program === "trap") return openTrap(args);
  if (program === "alias") return openAlias(args);
  if (FINDERS.has(program)) return openFind(args);
  const grammar = Object.hasOwn(GRAMMARS, program) ? GRAMMARS[program] : undefined;
  if (grammar !== undefined) return openByGrammar(program, grammar, args, isKnown);
  return openLauncher(program, args, isKnown);
}

function openTrap(args: readonly ShellWord[]): readonly Opened[] | undefined {
  const [first] = args.filter(({ text }) => !/^-(?:[lpP]|-)$/.test(text));
  if (first === undefined || args.length < 2 || first.text === "-" || first.text === "") return undefined;
  return [{ kind: "script", script: first }];
}

/** Reads an alias as if it were run: afterwards its name says nothing. */
function openAlias(args: readonly ShellWord[]): readonly Opened[] | undefined {
  const opened = args.flatMap((word): readonly Opened[] => {
    const equals = word.text.indexOf("=");
    if (equals < 0) return [];
    return [{ kind: "script", script: { text: word.text.slice(equals + 1), isSure: false } }];
  });
  return opened.length === 0 ? undefined : opened;
}

const FIND_EXEC = /^(?:-exec|-execdir|-ok|-okdir|-x|-X|--exec|--exec-batch)$/;

function openFind(args: readonly ShellWord[]): readonly Opened[] | undefined {
  const opened: Opened[] = [];
  for (let at = 0; at < args.length; at++) {
    if (!FIND_EXEC.test(args[at]?.text ?? "")) continue;
    const words: ShellWord[] = [];
    for (at++; at < args.length; at++) {
      const word = args[at];
      if (word === undefined || word.text === ";") break;
      if (word.text === "+" && words.at(-1)?.text === "{}") break;
      words.push(word.text.includes("{}") ? { ...word, isSure: false } : word);
    }
    opened.push({ kind: "words", words });
  }
  return opened.length === 0 ? undefined : opened;
}

function joined(words: readonly ShellWord[]): ShellWord {
  const plain = {
    text: words.map(({ text }) => text).join(" "),
    isSure: words.every(({ isSure }) => isSure),
  };
  if (words.every(({ isSure, isStored }) => isSure || isStored)) return { ...plain, isStored: !plain.isSure };
  if (!words.some(({ gives }) => gives !== undefined)) return plain;
  const given = words.map((word) => word.gives ?? word);
  return {
    ...plain,
    gives: { text: given.map(({ text }) => text).join(" "), isSure: given.every(({ isSure }) => isSure) },
  };
}

const set = (text: string | undefined) => new Set((text ?? "").split(" ").filter((each) => each !== ""));

function openByGrammar(
  program: string,
  grammar: Grammar,
  args: readonly ShellWord[],
  isKnown: (program: string) => boolean,
): readonly Opened[] | undefined {
  const [values, switches, inert, scripts, attached] = [
    set(grammar.values),
    set(grammar.switches),
    set(grammar.inert),
    set(grammar.scripts),
    set(grammar.attached),
  ];
  const opened: Opened[] = [];
  const given: string[] = [];
  let replace: string | undefined;
  let operands = grammar.operands ?? 0;
  let at = 0;
  const unreadable = (text: string): readonly Opened[] => [
    { kind: "unreadable", why: `the program that ${program} starts is not known from '${text}'` },
    ...guesses(args.slice(at), isKnown),
  ];
  const take = (name: string, word: ShellWord | undefined): void => {
    if (word === undefined) return;
    if (name === grammar.replace) replace = word.text;
    if (scripts.has(name)) opened.push({ kind: "script", script: word });
  };
  for (; at < args.length; at++) {
    const word = args[at];
    if (word === undefined) break;
    const { text } = word;
    if (text === "--") {
      if (operands === 0) {
        at++;
        break;
      }
      continue;
    }
    if (!word.isSure && (text.startsWith("-") || operands === 0)) break;
    if (grammar.hasAssignments && /^[A-Za-z_]\w*=/.test(text)) continue;
    if (!text.startsWith("-") || text === "-") {
      if (text === "-" && switches.has("-")) continue;
      if (operands === 0) break;
      operands--;
      continue;
    }
    if (grammar.hasNumbers && /^-\d+$/.test(text)) continue;
    if (text.startsWith("--")) {
      const [name = "", value] = splitAt(text.slice(2), "=");
      if (inert.has(name)) return undefined;
      if (values.has(name) || scripts.has(name))
        take(name, value === undefined ? args[++at] : sureWord(value));
      else if (!switches.has(name)) return unreadable(text);
      given.push(name);
      continue;
    }
    if (switches.has(text.slice(1))) {
      given.push(text.slice(1));
      continue;
    }
    for (let letter = 1; letter < text.length; letter++) {
      const name = text.charAt(letter);
      if (inert.has(name)) return undefined;
      const rest = text.slice(letter + 1);
      if (values.has(name) || scripts.has(name)) {
        take(name, rest === "" ? args[++at] : { text: rest, isSure: word.isSure });
        break;
      }
      if (attached.has(name)) {
        if (name === "i") replace = rest === "" ? "{}" : rest;
        break;
      }
      if (!switches.has(name)) return unreadable(text);
      given.push(name);
    }
  }
  const inner = args.slice(at);
  if (inner.length === 0 || operands > 0) return opened.length === 0 ? undefined : opened;
  // `watch -x` starts the words as they are.
  const isJoined =
    grammar.isShell && !(program === "watch" && given.some((name) => /^(?:x|exec)$/.test(name)));
  if (isJoined) opened.push({ kind: "script", script: joined(inner) });
  else if (grammar.appends) opened.push({ kind: "words", words: appended(inner, replace) });
  else if (program === "env" && opened.length > 0) return [...opened, ...guesses(inner, isKnown)];
  else opened.push({ kind: "words", words: inner });
  return opened;
}

/** Whatever may be the program, for a wrapper that cannot be read: a guess can only make the answer stricter. */
function guesses(words: readonly ShellWord[], isKnown: (program: string) => boolean): readonly Opened[] {
  return words.flatMap(({ text }, at): readonly Opened[] =>
    isKnown(text) || isShell(text) || Object.hasOwn(GRAMMARS, text)
      ? [{ kind: "words", words: words.slice(at).map((each) => ({ ...each, isSure: false })) }]
      : [],
  );
}

function splitAt(text: string, mark: string): readonly [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
