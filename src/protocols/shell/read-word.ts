// From a word of the shell's grammar to its text: quotes and backslashes removed, and nothing
// expanded but variables whose value is known (loop-values.ts), and substitutions that can only
// give one kind of text: a program's place, the number of a process.

import type { HereDoc, Word, WordPart } from "unbash";
import type { ShellWord } from "./word.ts";

/** Variables that hold one folder, whose use before a `/` leaves the program's name readable. */
const FOLDER = /^\$(?:HOME|PWD|OLDPWD|TMPDIR|\{(?:HOME|PWD|OLDPWD|TMPDIR)\})$/;

/** The variables whose value is known where a word stands, by name. */
export type KnownValues = ReadonlyMap<string, string>;

/** Reads a word. */
export function wordOf(word: Word, known: KnownValues): ShellWord {
  const parts = word.parts ?? [];
  const isSure = !/(?:^|[=:])~/.test(word.text) && areKnown(parts, known);
  if (parts.length === 1 && parts[0]?.type === "ProcessSubstitution" && word.text.startsWith("<("))
    return { text: INPUT, isSure: false };
  if (!isSure || parts.every(isPlain)) return { text: word.value, isSure };
  return {
    text: parts.map((part) => textOf(part, known)).join(""),
    isSure: !parts.some((part) => isKind(part, known)),
  };
}

/** In the place of `<(…)`: what is read there are the words of a program that is read by itself. */
const INPUT = "/dev/stdin";
/** Programs in `$(…)` whose answer has one shape, and an answer of that shape. */
const SHAPES: readonly (readonly [RegExp, (name: string) => string])[] = [
  [/^\$\((?:which|command -v|type -p) ([A-Za-z0-9][\w.+-]*)\)$/, (name) => `/usr/bin/${name}`],
  [
    /^\$\((?:pidof(?: -s)?|pgrep(?: -(?:[onfx]+|d ?,))*) ([A-Za-z0-9][\w./+-]*)(?: \| head -(?:n ?)?1)?\)$/,
    () => "1",
  ],
];

function shapeOf({ type, text }: WordPart): string | undefined {
  if (type !== "CommandExpansion") return undefined;
  for (const [pattern, answer] of SHAPES) {
    const name = pattern.exec(text)?.[1];
    if (name !== undefined) return answer(name);
  }
  return undefined;
}

/** Whether its text is one of a kind: a pattern of files, or the answer of a program. */
function isKind(part: WordPart, known: KnownValues): boolean {
  if (part.type === "DoubleQuoted") return part.parts.some((each) => isKind(each, known));
  return shapeOf(part) !== undefined || isPattern(known.get(variableOf(part) ?? ""));
}

function isPattern(value: string | undefined): boolean {
  return value !== undefined && /[*?[]/.test(value);
}

/** Reads the name of a program: its last part is enough where the part before it can only be a folder. */
export function programWord(word: Word, known: KnownValues): ShellWord {
  // The answer of a program may be any file.
  const plain = word.parts?.some((part) => shapeOf(part) !== undefined)
    ? { text: word.value, isSure: false }
    : wordOf(word, known);
  if (plain.isSure || word.parts === undefined) return plain.text.startsWith("~/") ? sure(plain.text) : plain;
  const isFolder = (part: WordPart) =>
    isPlain(part) || part.type === "DoubleQuoted" || FOLDER.test((part as { text: string }).text);
  const last = word.parts.at(-1);
  if (last === undefined || !word.parts.every(isFolder)) return plain;
  const tail = last.type === "DoubleQuoted" ? last.parts.at(-1) : last;
  const text = tail !== undefined && "value" in tail ? String(tail.value) : "";
  return text.includes("/") ? sure(text) : plain;
}

/** Reads `name=value` where it stands among the arguments of a program. */
export function assignmentWord(
  each: {
    readonly name: string;
    readonly text: string;
    readonly value: Word | { readonly type: "ArrayValue" };
  },
  known: KnownValues,
): ShellWord {
  if (each.value.type === "ArrayValue") return { text: each.text, isSure: false };
  const value = wordOf(each.value, known);
  const before = each.text.slice(0, each.text.length - each.value.text.length);
  return { text: before + value.text, isSure: value.isSure && /^[A-Za-z_]\w*=$/.test(before) };
}

/** Reads the text of a here-document; one in which anything is expanded is only a guess. */
export function hereDocument({ body, delimiter, closing, operator }: HereDoc): ShellWord {
  const text = operator === "<<-" ? body.text.replace(/^\t+/gm, "") : body.text;
  const isLiteral = delimiter?.quoted === true || !/[$`\\]/.test(text);
  return { text, isSure: isLiteral && closing !== undefined };
}

/** Gives the name of a part that is one variable and nothing else, as in `$name` and `${name}`. */
export function variableOf(part: WordPart): string | undefined {
  if (part.type === "SimpleExpansion") return part.text.slice(1);
  if (part.type !== "ParameterExpansion") return undefined;
  return part.text === `\${${part.parameter}}` ? part.parameter : undefined;
}

function sure(text: string): ShellWord {
  return { text, isSure: true };
}

/** Whether the text of all parts is known. */
function areKnown(parts: readonly WordPart[], known: KnownValues, isQuoted = false): boolean {
  return parts.every((part, index) => {
    if (isPlain(part) || shapeOf(part) !== undefined) return true;
    if (part.type === "DoubleQuoted") return areKnown(part.parts, known, true);
    const name = variableOf(part);
    // The name of a file may hold blanks, and a part of it may look like an option.
    if (!isQuoted && isPattern(known.get(name ?? ""))) return false;
    // zsh reads `$name:t` and `$name[1]` as more than the variable.
    const next = parts[index + 1];
    const goesOn = part.type === "SimpleExpansion" && next !== undefined && /^[:[]/.test(next.text);
    return name !== undefined && known.has(name) && !goesOn;
  });
}

function textOf(part: WordPart, known: KnownValues): string {
  if (part.type === "DoubleQuoted") return part.parts.map((each) => textOf(each, known)).join("");
  const name = variableOf(part);
  if (name !== undefined) return known.get(name) ?? "";
  const shape = shapeOf(part);
  if (shape !== undefined) return shape;
  return "value" in part ? part.value : part.text;
}

/** Parts whose text the program gets as it stands. */
export function isPlain(part: WordPart): boolean {
  switch (part.type) {
    case "Literal":
    case "SingleQuoted":
    case "AnsiCQuoted":
      return true;
    case "DoubleQuoted":
      return part.parts.every((each) => each.type === "Literal");
    default:
      return false;
  }
}
