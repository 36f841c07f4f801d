// Texts in quotes in which the shell runs substitutions after all: it calculates with them, takes
// them for the name of a variable, or prints them as a prompt. `test -v 'a[$(reboot)]'` reboots.

import { forEachChild, type SyntaxNode, type Word, type WordPart } from "unbash";
import { walk } from "./set-variables.ts";
import type { SimpleCommand } from "./word.ts";

/** A substitution in a text. */
const SUBSTITUTES = /\$\(|`|\$\{/;
/** Programs of the shell that calculate with their words, or take them for names of variables. */
const EVALUATES = new Set(
  "test [ let read unset declare typeset local export readonly integer float getopts mapfile readarray wait vared".split(
    " ",
  ),
);
const TEXTS_MAX = 200;

/** The texts of one script. */
export class ExpandedTexts {
  readonly #found = new Set<string>();
  /** Every other text with a substitution: it counts where the script calculates with texts that it does not show. */
  readonly #others = new Set<string>();

  /** Takes what a node holds; its children are taken by themselves. */
  take(node: SyntaxNode): void {
    switch (node.type) {
      case "Assignment":
        if (node.index !== undefined) this.#take(node.index);
        if (node.value.type === "Word") this.#take(node.value);
        else for (const each of node.value.elements) this.#take(each);
        return;
      case "TestUnary":
      case "TestBinary":
      case "ParameterExpansion":
        forEachChild(node, (child) => walk(child, (each) => this.#takeNode(each)));
        return;
      case "ArithmeticWord":
        this.#add(node.value);
        return;
      case "ArithmeticCommand":
        if (node.expression === undefined) this.#add(node.body);
        return;
      case "ArithmeticExpansion":
        if (node.expression === undefined) this.#add(node.text.slice(3, -2));
        return;
      case "SingleQuoted":
      case "AnsiCQuoted":
        this.#other(node.value);
        return;
      case "Literal":
        if (node.text.includes("\\")) this.#other(node.value);
        return;
      case "Word":
        if (node.parts === undefined && node.text.includes("\\")) this.#other(node.value);
        return;
      case "HereDocBody":
        this.#other(node.text);
        return;
      default:
    }
  }

  /** The texts; with `isCalculating` all that the script holds. */
  texts(isCalculating: boolean, commands: readonly SimpleCommand[]): readonly string[] {
    const found = new Set(this.#found);
    for (const { words } of commands) {
      const [program, ...args] = words;
      const name = program?.text ?? "";
      const isNamed = name === "printf" && /^-v/.test(args[0]?.text ?? "");
      if (!EVALUATES.has(name) && !isNamed) continue;
      for (const { text } of isNamed ? args.slice(0, 2) : args) if (SUBSTITUTES.test(text)) found.add(text);
    }
    if (isCalculating) for (const each of this.#others) found.add(each);
    return [...found].slice(0, TEXTS_MAX);
  }

  #takeNode(node: SyntaxNode): void {
    if (node.type === "Word") this.#take(node);
  }

  /** The text of the quoted parts of a word; what stands open is read as the script's own. */
  #take({ parts, value }: Word): undefined {
    if (parts === undefined) return this.#add(value);
    const quoted = (part: WordPart): string => {
      switch (part.type) {
        case "SingleQuoted":
        case "AnsiCQuoted":
        case "Literal":
          return part.value;
        case "DoubleQuoted":
          return part.parts.map(quoted).join("");
        default:
          return "";
      }
    };
    this.#add(parts.map(quoted).join(""));
  }

  /** Its signs may be written as escapes, which `printf` and the like resolve. */
  #other(text: string): void {
    const plain = text.replace(/\\(?:x24|0?44|u0024)/g, "$").replace(/\\(?:x60|0?140|u0060)/g, "`");
    if (SUBSTITUTES.test(plain) && this.#others.size < TEXTS_MAX) this.#others.add(plain);
  }

  #add(text: string): undefined {
    if (SUBSTITUTES.test(text) && this.#found.size < TEXTS_MAX) this.#found.add(text);
  }
}

/** The scripts of the substitutions in a text, the inner ones within theirs. */
export function substitutionsIn(text: string): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length && found.length < TEXTS_MAX; at += 1) {
    if (text.startsWith("$(", at)) {
      const end = closing(text, at + 2);
      found.push(text.slice(at + 2, end));
      at = end;
    } else if (text[at] === "`") {
      const end = text.indexOf("`", at + 1);
      found.push(text.slice(at + 1, end < 0 ? text.length : end));
      at = end < 0 ? text.length : end;
    }
  }
  return found;
}

/** Where the parenthesis ends that is open; quotes are not looked at, so that the text may be cut too late. */
function closing(text: string, from: number): number {
  let open = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "(") open += 1;
    else if (text[at] === ")" && --open === 0) return at;
  }
  return text.length;
}
