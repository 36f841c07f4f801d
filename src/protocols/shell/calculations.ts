// Calculations of a script. bash reads a text that it calculates with as an expression, and an
// index in it may hold a command: `x='a[$(reboot)]'; echo $((x))` runs it. So a calculation is
// known only where all its parts are numbers: in the text, or in variables that hold nothing else.

import { type ArithmeticWord, type ParameterExpansionPart, parse, type SyntaxNode, type Word } from "unbash";
import { wordOf } from "./read-word.ts";
import { DECLARES, NAMES_VARIABLES, type SetVariables, walk } from "./set-variables.ts";
import type { ShellWord } from "./word.ts";

const NUMBER = /^(?:0[xX][\da-fA-F]+|\d+(?:#[\w@]+)?)?$/;
const COMPARES_NUMBERS = /^-(?:eq|ne|lt|le|gt|ge)$/;
/** Programs beside those whose words are names, that take one behind an option. */
const TAKES_A_NAME = /^(?:printf|wait|test|\[)$/;

/** The part of a node's own calculation that may be a command; undefined where there is none. */
export function doubtfulCalculation(node: SyntaxNode, variables: SetVariables): string | undefined {
  const among = (...words: (Word | undefined)[]) =>
    words.find((word) => word !== undefined && !isNumber(word.text, word, variables))?.text;
  switch (node.type) {
    case "ArithmeticWord":
      return isNumber(node.value, node, variables) ? undefined : node.value;
    case "ArithmeticCommandExpansion":
      return variables.isCount(node.script) ? undefined : node.text;
    case "ArithmeticExpansion":
      return node.expression === undefined && /\w/.test(node.text) ? node.text : undefined;
    case "ArithmeticCommand":
      return node.expression === undefined && /\w/.test(node.body) ? node.body : undefined;
    case "TestBinary":
      return COMPARES_NUMBERS.test(node.operator) ? among(node.left, node.right) : undefined;
    case "TestUnary":
      return node.operator === "-v" && !isName(wordOf(node.operand, new Map()))
        ? node.operand.text
        : undefined;
    case "Assignment":
      return among(node.index);
    case "ParameterExpansion":
      return inExpansion(node, among);
    default:
      return undefined;
  }
}

/** The same for the words of a program of the shell, which calculates the indexes in them. */
export function doubtfulWord(
  [program, ...args]: readonly ShellWord[],
  variables: SetVariables,
): string | undefined {
  const name = program?.text ?? "";
  if (name === "let")
    return args.find((word) => !word.isSure || doubtfulText(word.text, variables) !== undefined)?.text;
  if (DECLARES.test(name)) {
    // With -i, what is assigned later is calculated.
    const option = args.find(({ text }) => /^-[A-Za-z]*i/.test(text));
    if (option !== undefined) return option.text;
  }
  if (!DECLARES.test(name) && !NAMES_VARIABLES.test(name) && !TAKES_A_NAME.test(name)) return undefined;
  const isTest = name === "[" || name === "test";
  return args.find(({ text, isSure }, index) => {
    if (isTest && args[index - 1]?.text !== "-v") return false;
    if (name === "printf" && !(index < 2 && (args[0]?.text.startsWith("-v") ?? false))) return false;
    return !isSure ? isTest : /^\w+\[/.test(text) && !/^\w+\[(?:\d+|[@*])\](?:=.*)?$/s.test(text);
  })?.text;
}

function doubtfulText(text: string, variables: SetVariables): string | undefined {
  let found: string | undefined;
  walk(parse(`((${text}))`), (node) => {
    found ??= doubtfulCalculation(node, variables);
  });
  return found;
}

function inExpansion(
  { parameter, prefix, index, operation, text }: ParameterExpansionPart,
  among: (...words: (Word | undefined)[]) => string | undefined,
): string | undefined {
  const isWhole = index !== undefined && /^[@*]$/.test(index.text);
  // The text of the variable is the name of another, with its index.
  if (prefix === "!" && !isWhole && operation?.type !== "Names") return text;
  // As a prompt, it is expanded once more.
  if (operation?.type === "Transform" && !/^[UuLQEAaKk]$/.test(operation.operand.text)) return text;
  if (operation?.type === "Slice") return among(operation.offset, operation.length);
  return isWhole || parameter === "" ? undefined : among(index);
}

function isName({ text, isSure }: ShellWord): boolean {
  return isSure && /^\w+(?:\[(?:\d+|[@*])\])?$/.test(text);
}

/** Whether a piece of a calculation is a number. */
function isNumber(text: string, node: Word | ArithmeticWord, variables: SetVariables): boolean {
  const plain = text
    .trim()
    .replace(/^"(.*)"$/s, "$1")
    .trim();
  if (NUMBER.test(plain) || /^-\d+$/.test(plain)) return true;
  const name = /^\$?([A-Za-z_]\w*)$|^\$\{([A-Za-z_]\w*)\}$|^\$([#?$!])$/.exec(plain);
  const found = name?.[1] ?? name?.[2] ?? name?.[3];
  if (found !== undefined) return variables.isNumber(found);
  if (/^\$\{#\w+(?:\[[@*]\])?\}$/.test(plain)) return true;
  return node.type === "Word" && variables.isNumeric(node);
}
