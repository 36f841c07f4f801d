// The text that a part of a script prints or hands on, where that can be told without running it:
// what `echo`, `printf` and `cat` write, here-documents, and the simple codes. It is sure only
// where every shell prints exactly this.

import { forEachChild, type Redirection, type SyntaxNode, type Word, type WordPart } from "unbash";
import { hereDocument, type KnownValues, variableOf, wordOf } from "./read-word.ts";
import { isStored } from "./stored-text.ts";
import { type ProgramInput, type ShellWord, sentText } from "./word.ts";

/** How deeply substitutions are followed into each other. */
const DEPTH_MAX = 12;
const LENGTH_MAX = 64 * 1024;

/** The text that a node writes to its stdout, given its stdin; undefined where nothing of it is known. */
export function producedText(
  node: SyntaxNode | undefined,
  known: KnownValues,
  input?: ShellWord,
  depth = 0,
): ShellWord | undefined {
  if (node === undefined || depth > DEPTH_MAX) return undefined;
  const within = (each: SyntaxNode | undefined, from = input) => producedText(each, known, from, depth + 1);
  switch (node.type) {
    case "Command":
      return producedByCommand(node, known, input, depth);
    case "Pipeline": {
      let text = input;
      for (const each of node.commands) {
        const made = within(each, text);
        text = made ?? guessOf(text);
      }
      return text;
    }
    case "Statement":
      return within(node.command);
    case "Redirected":
      return within(node.command, sentText(inputOf(node.redirects, known, depth)) ?? input);
    case "Subshell":
    case "BraceGroup":
      return within(node.body);
    case "Script":
    case "CompoundList":
    case "AndOr": {
      const made = node.commands.map((each) => within(each));
      const readable = made.filter((each) => each !== undefined);
      if (readable.length === 0) return undefined;
      return {
        text: readable
          .map(({ text }) => text)
          .join("")
          .slice(0, LENGTH_MAX),
        isSure: made.length === readable.length && readable.every(({ isSure }) => isSure),
      };
    }
    case "If":
    case "For":
    case "While":
    case "Case": {
      let text = "";
      forEachChild(node, (child) => {
        text += within(child)?.text ?? "";
      });
      return text === "" ? undefined : { text: text.slice(0, LENGTH_MAX), isSure: false };
    }
    default:
      return undefined;
  }
}

/** The text in the place of a word whose substitutions print what is known; undefined where there are none of these. */
export function givenText(word: Word, known: KnownValues, depth = 0): ShellWord | undefined {
  const parts = word.parts ?? [];
  if (!parts.some(hasSubstitution)) return undefined;
  let isSure = true;
  let isGiven = false;
  const textOf = (part: WordPart): string => {
    if (part.type === "DoubleQuoted") return part.parts.map(textOf).join("");
    if (part.type === "CommandExpansion" || part.type === "ProcessSubstitution") {
      const made = producedText(part.script, known, undefined, depth + 1);
      if (made === undefined) {
        isSure = false;
        return part.text;
      }
      isGiven = true;
      isSure &&= made.isSure;
      return made.text.replace(/\n+$/, "");
    }
    if ("value" in part) return String(part.value);
    const value = known.get(variableOf(part) ?? "");
    if (value === undefined) isSure = false;
    return value ?? part.text;
  };
  const text = parts.map(textOf).join("");
  return isGiven ? { text, isSure } : undefined;
}

function hasSubstitution(part: WordPart): boolean {
  if (part.type === "DoubleQuoted") return part.parts.some(hasSubstitution);
  return part.type === "CommandExpansion" || part.type === "ProcessSubstitution";
}

/** The stdin that redirections give; undefined when they say nothing about it. */
export function inputOf(
  redirects: readonly Redirection[],
  known: KnownValues,
  depth = 0,
): ProgramInput | undefined {
  let found: ProgramInput | undefined;
  for (const each of redirects) {
    const descriptor = each.descriptor?.type === "FileDescriptor" ? each.descriptor.value : undefined;
    if (each.descriptor !== undefined && descriptor !== 0) continue;
    if (each.type === "HereDoc") found = { script: hereDocument(each) };
    else if (each.type === "HereString")
      found = each.target === undefined ? "pipe" : { script: withGiven(each.target, known, depth + 1) };
    else if (each.operator === "<" || each.operator === "<>" || each.operator === "<&") {
      const [part] = each.target?.parts ?? [];
      if (part?.type === "ProcessSubstitution") {
        const text = producedText(part.script, known, undefined, depth + 1);
        found = text === undefined ? "pipe" : { script: text, isPiped: true };
      } else if (each.target !== undefined) {
        // A descriptor that was opened before.
        const isOpen = each.operator === "<&" || /^\/dev\/fd\/[3-9]/.test(each.target.value);
        if (!isOpen) found = { file: wordOf(each.target, known) };
        else if (!/^[0-2]-?$/.test(each.target.value)) found = "pipe";
      }
    }
  }
  return found;
}

/** A word, with what its substitutions print. */
export function withGiven(word: Word, known: KnownValues, depth = 0): ShellWord {
  const read = wordOf(word, known);
  if (read.isSure) return read;
  const gives = givenText(word, known, depth);
  if (gives !== undefined) return { ...read, gives };
  return isStored(word) ? { ...read, isStored: true } : read;
}

function guessOf(text: ShellWord | undefined): ShellWord | undefined {
  return text === undefined ? undefined : { text: text.text, isSure: false };
}

function producedByCommand(
  node: Extract<SyntaxNode, { type: "Command" }>,
  known: KnownValues,
  piped: ShellWord | undefined,
  depth: number,
): ShellWord | undefined {
  if (node.name === undefined) return undefined;
  const words = [node.name, ...node.args].map((each) =>
    each.type === "Word" ? withGiven(each, known, depth + 1) : { text: each.text, isSure: false },
  );
  while (/^(?:command|builtin|exec)$/.test(words[0]?.text ?? "") && words.length > 1) words.shift();
  const [program, ...args] = words;
  const name = (program?.text ?? "").replace(/^.*\//, "");
  const own = inputOf(node.redirects, known, depth + 1);
  const input = own === undefined ? piped : sentText(own);
  const texts = args.map((each) => each.gives?.text ?? each.text);
  const areSure = args.every((each) => each.isSure);
  if (name === "echo") return echoed(texts, areSure);
  if (name === "printf") return printed(texts, areSure);
  if (name === "yes") return { text: `${texts.join(" ")}\n`, isSure: false };
  if (name === "cat" || name === "tee")
    return texts.every((each) => each.startsWith("-")) || name === "tee" ? input : guessOf(input);
  if (input === undefined) return undefined;
  const decoded = decodedBy(name, texts, input.text);
  return decoded === undefined ? guessOf(input) : { text: decoded, isSure: input.isSure };
}

function echoed(texts: readonly string[], areSure: boolean): ShellWord {
  let from = 0;
  let isEscaped = false;
  while (/^-[neE]+$/.test(texts[from] ?? "")) {
    isEscaped ||= (texts[from] ?? "").includes("e");
    from += 1;
  }
  const text = texts.slice(from).join(" ");
  // Some shells read backslashes without `-e`, and print `-n` in some.
  const isPlain = areSure && !text.includes("\\") && (from === 0 || texts[0] === "-n");
  return { text: `${isEscaped || text.includes("\\") ? resolved(text) : text}\n`, isSure: isPlain };
}

/** As `printf` has it, for the directives that put a text in as it is. */
function printed(all: readonly string[], areSure: boolean): ShellWord | undefined {
  const texts = all[0] === "--" ? all.slice(1) : all;
  const [format, ...args] = texts;
  if (format === undefined || /^-v/.test(format)) return undefined;
  const isPlain = areSure && /^(?:[^%\\]|%s|%%|\\n|\\t)*$/.test(format);
  const directives = format.match(/%(?:[-+ #0]*[\d.*]*)[a-zA-Z]/g)?.length ?? 0;
  let text = "";
  let at = 0;
  do {
    text += resolved(format).replace(/%%|%([-+ #0]*[\d.*]*)[a-zA-Z]/g, (each) =>
      each === "%%" ? "%" : /b$/.test(each) ? resolved(args[at++] ?? "") : (args[at++] ?? ""),
    );
  } while (directives > 0 && at < args.length && text.length < LENGTH_MAX);
  return { text, isSure: isPlain };
}

const LETTERS: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  e: "\x1b",
  a: "\x07",
};

function resolved(text: string): string {
  return text.replace(
    /\\(?:x([\da-fA-F]{1,2})|u([\da-fA-F]{1,4})|0?([0-7]{1,3})|([ntrea\\]))/g,
    (_, x, u, octal, letter) =>
      letter !== undefined
        ? (LETTERS[letter] ?? "")
        : String.fromCharCode(octal === undefined ? Number.parseInt(x ?? u, 16) : Number.parseInt(octal, 8)),
  );
}

/** The text that a program makes of its input, for the programs that undo a simple code. */
function decodedBy(name: string, args: readonly string[], text: string): string | undefined {
  const has = (pattern: RegExp) => args.some((each) => pattern.test(each));
  if ((/^g?base64$/.test(name) && has(/^-[a-z]*[dD]|^--decode/)) || (name === "openssl" && has(/^-d$/)))
    return bytesText(text.replace(/\s+/g, ""), "base64");
  if (name === "xxd" && has(/^-[a-z]*r/)) return bytesText(text.replace(/\s+/g, ""), "hex");
  if (name === "rev")
    return text
      .split("\n")
      .map((line) => [...line].reverse().join(""))
      .join("\n");
  if (name === "tac") return text.trimEnd().split("\n").reverse().join("\n");
  if (name === "tr" && args.length === 2) return translated(text, args[0] ?? "", args[1] ?? "");
  return undefined;
}

function bytesText(text: string, code: "base64" | "hex"): string {
  return Buffer.from(text, code).toString("utf8");
}

function translated(text: string, from: string, to: string): string | undefined {
  const [source, target] = [setOf(from), setOf(to)];
  if (source === undefined || target === undefined) return undefined;
  const last = target.at(-1) ?? "";
  const map = new Map(source.map((each, at) => [each, target[at] ?? last] as const));
  return [...text].map((each) => map.get(each) ?? each).join("");
}

/** The characters of a set of `tr`; undefined for classes. */
function setOf(text: string): readonly string[] | undefined {
  if (text.startsWith("-") || /\[[:=.]/.test(text)) return undefined;
  const found: string[] = [];
  const all = [...resolved(text)];
  for (let at = 0; at < all.length; at += 1) {
    const [first = "", dash, end] = all.slice(at, at + 3);
    if (dash === "-" && end !== undefined) {
      for (let code = first.charCodeAt(0); code <= end.charCodeAt(0); code += 1)
        found.push(String.fromCharCode(code));
      at += 2;
    } else found.push(first);
  }
  return found;
}
