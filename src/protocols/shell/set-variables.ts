// The variables that a script sets, by its grammar and by the shell's own programs, each with the
// text that it gets where that stands in the script. A name that is put together when the script
// runs is SOME_NAME: it may be any.

import { forEachChild, parse, type SyntaxNode, type Word, type WordPart } from "unbash";
import { isCount } from "./programs/counting-programs.ts";
import { isPlain, variableOf, wordOf } from "./read-word.ts";
import type { ShellWord } from "./word.ts";

/** In the place of a name that is only known when the script runs. */
export const SOME_NAME = "?";

/** The text of a variable: a whole number, the text of a word, or not known. */
type Value = "number" | "text" | Word;

const NAME = /[A-Za-z_]\w*/g;
const ASSIGNS = /^(?:[-+*/%&|^]|<<|>>|\*\*)?=$/;
/** Programs of a shell that declare variables. */
export const DECLARES = /^(?:declare|typeset|local|export|readonly|integer|float)$/;
/** Programs of a shell whose words are names of variables. */
export const NAMES_VARIABLES = /^(?:read|mapfile|readarray|getopts|unset|vared|sysread)$/;
/** Variables of the shell that are numbers, as long as the script leaves them alone. */
const NUMBERS = /^(?:[#?$!]|RANDOM|SECONDS|LINENO|UID|EUID|PPID)$/;
const NONE: ReadonlyMap<string, string> = new Map();

/** The variables of one script. */
export class SetVariables {
  readonly #values = new Map<string, Value[]>();
  /** Assignments before a program, which are for that one alone. */
  readonly #lent = new WeakSet<SyntaxNode>();
  readonly #names = new Set<string>();
  /** A program of the script's own may have the name of one that counts. */
  #hasFunctions = false;

  /** The names of those that the script sets for itself, in the order of the text. */
  get names(): readonly string[] {
    return [...this.#names];
  }

  /** Takes what a node sets by itself; its children are taken by themselves. */
  take(node: SyntaxNode): void {
    switch (node.type) {
      case "For":
      case "Select":
        for (const value of wordsOf(node.wordlist)) this.#set(node.name.value, value);
        return;
      case "Command":
        if (node.name !== undefined) for (const each of node.prefix) this.#lent.add(each);
        return;
      case "Assignment": {
        const isText = node.value.type === "ArrayValue" || node.index !== undefined;
        this.#set(node.name, isText ? "text" : (node.value as Word), this.#lent.has(node));
        return;
      }
      case "Coproc":
        if (node.name !== undefined) this.#set(node.name.value, "number");
        return;
      case "FileDescriptorVariable":
        this.#set(node.name, "number");
        return;
      case "Function":
        this.#hasFunctions = true;
        return;
      case "ParameterExpansion":
        if (node.operation?.type === "Default" && node.operation.operator.endsWith("="))
          this.#set(node.prefix === "!" ? SOME_NAME : node.parameter, node.operation.operand);
        return;
      case "ArithmeticBinary":
        if (ASSIGNS.test(node.operator)) this.#setByCalculation(node.left);
        return;
      case "ArithmeticUnary":
        if (/^(?:\+\+|--)$/.test(node.operator)) this.#setByCalculation(node.operand);
        return;
      default:
    }
  }

  /** Takes what a program of the shell sets by its words. */
  takeProgram([program, ...args]: readonly ShellWord[]): void {
    const name = program?.text ?? "";
    if (DECLARES.test(name)) this.#declared(args);
    else if (NAMES_VARIABLES.test(name)) this.#named(args);
    else if (name === "printf") {
      const [format] = args;
      // `printf -v name`, also where the first word becomes `-v`.
      if (format?.isSure === true ? format.text.startsWith("-v") : /^[$`*?[{~-]/.test(format?.text ?? ""))
        this.#named(args.slice(0, 2));
    } else if (name === "wait") {
      const at = args.findIndex(({ text, isSure }) => !isSure || text.startsWith("-p"));
      if (at >= 0) this.#named(args.slice(at, at + 2));
    } else if (name === "let")
      for (const { text, isSure } of args) {
        if (isSure) walk(parse(`((${text}))`), (node) => this.take(node));
        else this.#set(SOME_NAME, "text");
      }
  }

  /** Whether a variable is always a whole number where the script reads it. */
  isNumber(name: string, asked: ReadonlySet<string> = new Set()): boolean {
    const values = this.#values.get(name);
    if (this.#values.has(SOME_NAME) || asked.has(name)) return false;
    if (values === undefined) return NUMBERS.test(name);
    const within = new Set([...asked, name]);
    return values.every((value) => value === "number" || (value !== "text" && this.isNumeric(value, within)));
  }

  /** Whether a word is a whole number, or nothing. */
  isNumeric(word: Word, asked: ReadonlySet<string> = new Set()): boolean {
    const { text, isSure } = wordOf(word, NONE);
    if (isSure) return /^[-+]?\d*$/.test(text);
    const [part, ...more] = word.parts ?? [];
    return part !== undefined && more.length === 0 && this.#isNumericPart(part, asked);
  }

  /** Whether a script prints one whole number and nothing else. */
  isCount(script: SyntaxNode | undefined): boolean {
    return script !== undefined && !this.#hasFunctions && isCount(script);
  }

  #isNumericPart(part: WordPart, asked: ReadonlySet<string>): boolean {
    if (isPlain(part)) return "value" in part && /^[-+]?\d*$/.test(part.value);
    switch (part.type) {
      case "DoubleQuoted": {
        const [inner, ...more] = part.parts;
        return inner !== undefined && more.length === 0 && this.#isNumericPart(inner, asked);
      }
      case "ArithmeticExpansion":
        return true;
      case "CommandExpansion":
        return this.isCount(part.script);
      case "BraceExpansion":
        return /^\{-?\d+\.\.-?\d+(?:\.\.-?\d+)?\}$/.test(part.text);
      case "ParameterExpansion":
        if (part.prefix === "#") return true;
        break;
      default:
    }
    const name = variableOf(part);
    return name !== undefined && this.isNumber(name, asked);
  }

  #set(name: string, value: Value, isLent = false): void {
    if (!isLent) this.#names.add(name);
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }

  #setByCalculation(target: SyntaxNode): void {
    const name =
      target.type === "ArithmeticWord" ? /^([A-Za-z_]\w*)(?:\[|$)/.exec(target.value)?.[1] : undefined;
    this.#set(name ?? SOME_NAME, "number");
  }

  /** Words of `declare` that are no assignments of the grammar, which are taken as such. */
  #declared(args: readonly ShellWord[]): void {
    for (const { text, isSure } of args) {
      const name = /^([A-Za-z_]\w*)(?:\[.*\])?(?:\+?=|$)/s.exec(text)?.[1];
      if (/^[-+]/.test(text)) {
        // With -n the variable is another name of one that its value tells.
        if (!isSure || /n/.test(text)) this.#set(SOME_NAME, "text");
      } else if (name === undefined) this.#set(SOME_NAME, "text");
      else if (!isSure && !text.includes("=")) this.#set(SOME_NAME, "text");
      else if (text.includes("=")) this.#set(name, isSure && /=[-+]?\d*$/.test(text) ? "number" : "text");
    }
  }

  /** Every name that stands in the words: which of them is an option's value does not matter. */
  #named(args: readonly ShellWord[]): void {
    for (const { text, isSure } of args) {
      if (!isSure) this.#set(SOME_NAME, "text");
      for (const name of text.match(NAME) ?? []) this.#set(name, "text");
      if (text.startsWith("-")) for (const name of text.slice(2).match(NAME) ?? []) this.#set(name, "text");
    }
  }
}

/** Visits a node and all below it, its parents first. */
export function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  visit(node);
  forEachChild(node, (child) => walk(child, visit));
}

/** The words that a loop goes over; without a list they are the script's own arguments. */
function wordsOf(wordlist: readonly Word[] | undefined): readonly Value[] {
  if (wordlist === undefined) return ["text"];
  return wordlist.length === 0 ? ["number"] : wordlist;
}
