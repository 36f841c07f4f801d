// From a word of the shell's grammar to its text: quotes and backslashes removed, and nothing
// expanded but the variable of a loop over words that are known (loop-values.ts).

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
  if (!isSure || parts.every(isPlain)) return { text: word.value, isSure };
  return sure(parts.map((part) => textOf(part, known)).join(""));
}

/** Reads the name of a program: its last part is enough where the part before it can only be a folder. */
export function programWord(word: Word, known: KnownValues): ShellWord {
  const plain = wordOf(word, known);
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
function areKnown(parts: readonly WordPart[], known: KnownValues): boolean {
  return parts.every((part, index) => {
    if (isPlain(part)) return true;
    if (part.type === "DoubleQuoted") return areKnown(part.parts, known);
    const name = variableOf(part);
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
