// From the text of a shell script to the programs that it names: in lists, pipes, loops, functions,
// substitutions and here-documents alike. Nothing is run, and nothing is expanded but variables
// whose value stands in the script. Knows no program and no policy.

import {
  type Command,
  type For,
  forEachChild,
  parse,
  type Redirected,
  type Redirection,
  type SyntaxNode,
  type Word,
} from "unbash";
import { doubtfulCalculation, doubtfulWord } from "./calculations.ts";
import { ExpandedTexts } from "./expanded-texts.ts";
import { NO_VALUES, type ScriptValues, scriptValues } from "./loop-values.ts";
import { givenText, inputOf, producedText, withGiven } from "./produced-text.ts";
import { isRunVariable } from "./programs/text-runners.ts";
import { assignmentWord, programWord, wordOf } from "./read-word.ts";
import { SetVariables, walk } from "./set-variables.ts";
import type { ReadScript, ScriptRedirect, Setting, ShellWord, SimpleCommand } from "./word.ts";
import { sentText } from "./word.ts";

const LENGTH_MAX = 256 * 1024;
const COMMANDS_MAX = 2_000;
const DEPTH_MAX = 200;
/** Files whose text is kept. */
const WRITTEN_MAX = 50;

/** Nodes that make the order of running another one than that of the text. */
const JUMPS: ReadonlySet<string> = new Set(["For", "ArithmeticFor", "While", "Select", "Function"]);

/** Takes a script apart. Never throws. */
export function readScript(text: string): ReadScript {
  if (text.length > LENGTH_MAX) return { commands: [], problem: "it is longer than 256 KiB" };
  if (text.includes("\0")) return { commands: [], problem: "it holds a null byte" };
  let collector = new Collector(NO_VALUES);
  let calculated: string | undefined;
  try {
    const script = parse(text);
    collector.walk(script, 0, undefined);
    const values = scriptValues(text, script, collector.commands);
    if (collector.problem === undefined) calculated = doubtIn(script, collector);
    if (collector.problem === undefined && values.loops.size + values.fixed.size > 0) {
      collector = new Collector(values);
      collector.walk(script, 0, undefined);
    }
  } catch (error) {
    const kind = error instanceof Error ? error.name : typeof error;
    return { commands: collector.commands, problem: `the reader failed with ${kind}` };
  }
  const { commands, redirects, settings, written, hasJumps, hasFunctions, problem } = collector;
  const variables = collector.variables.names;
  const read = {
    commands,
    redirects,
    variables,
    hasJumps,
    hasFunctions,
    settings,
    written,
    expanded: collector.expanded.texts(calculated !== undefined || variables.some(isRunVariable), commands),
    ...(calculated === undefined ? {} : { calculated }),
  };
  return problem === undefined ? read : { ...read, problem };
}

/** The first piece of a calculation that may be more than a number. */
function doubtIn(script: SyntaxNode, { variables, commands }: Collector): string | undefined {
  let found: string | undefined;
  walk(script, (node) => {
    found ??= doubtfulCalculation(node, variables);
  });
  for (const { words } of commands) found ??= doubtfulWord(words, variables);
  return found;
}

class Collector {
  readonly commands: SimpleCommand[] = [];
  readonly redirects: ScriptRedirect[] = [];
  readonly variables = new SetVariables();
  readonly settings: Setting[] = [];
  readonly expanded = new ExpandedTexts();
  readonly written = new Map<string, ShellWord>();
  hasJumps = false;
  hasFunctions = false;
  problem: string | undefined;
  /** No further program is taken. */
  #isFull = false;
  #serial = 0;
  #pipe: number | undefined;
  #chains: readonly number[] = [];
  #isDirect = true;
  #stdin: SimpleCommand["input"];
  /** The program whose output a substitution behind it gets. */
  #writer: { readonly node: Command | Redirected; readonly input: SimpleCommand["input"] } | undefined;
  readonly #loops: ScriptValues["loops"];
  /** The variables with one value, and those of the loops around, with their words of this turn. */
  readonly #known: Map<string, string>;

  constructor({ loops, fixed }: ScriptValues) {
    this.#loops = loops;
    this.#known = new Map(fixed);
  }

  walk(node: SyntaxNode, depth: number, input: SimpleCommand["input"]): void {
    if (this.#isFull) return;
    if (depth > DEPTH_MAX) {
      this.#doubt("it is nested too deeply");
      return;
    }
    if (node.type === "Script" && (node as { errors?: readonly unknown[] }).errors?.length)
      this.#doubt("the shell would not accept it");
    if ("script" in node && node.script === undefined) this.#doubt("a substitution in it cannot be read");
    if (node.type === "ArithmeticExpansion" && node.expression === undefined)
      this.#doubtText(node.text, "an expression in it cannot be read");
    if (node.type === "ArithmeticCommand" && node.expression === undefined)
      this.#doubtText(node.body, "an expression in it cannot be read");
    if (node.type === "ParameterExpansion" && node.operation?.type === "Unknown")
      this.#doubtText(node.text, "an expansion in it cannot be read");
    // As zsh has it, these are no pattern but letters that choose among files, and run what they name.
    if (node.type === "ExtendedGlob") this.#doubt("not every shell reads a pattern in parentheses alike");
    // fish goes on with the text behind such a quote.
    if (node.type === "SingleQuoted" && /(?<!\\)(?:\\\\)*\\'$/.test(node.text))
      this.#doubt("not every shell reads a backslash before a quote alike");
    // In a here-document quotes within an expansion quote nothing.
    if (node.type === "HereDocBody" && node.parts?.some((part) => /^\$\{.*['"]/s.test(part.text)))
      this.#doubt("an expansion in a here-document cannot be read");
    if (node.type === "Command") this.#take(node, input);
    if ("redirects" in node) this.#redirect(node.redirects as readonly Redirection[]);
    if (JUMPS.has(node.type)) this.hasJumps = true;
    if (node.type === "Function") this.hasFunctions = true;
    if (node.type === "Assignment" && this.settings.length < COMMANDS_MAX && node.value.type === "Word")
      this.settings.push({ name: node.name, value: withGiven(node.value, this.#known) });
    this.expanded.take(node);
    if (node.type === "Command" || node.type === "Redirected") {
      this.#write(node, input);
      this.#writer = { node, input };
    }
    this.variables.take(node);
    const outer = { pipe: this.#pipe, chains: this.#chains, isDirect: this.#isDirect };
    this.#enter(node);
    this.#inside(node, depth, input);
    this.#pipe = outer.pipe;
    this.#chains = outer.chains;
    this.#isDirect = outer.isDirect;
  }

  #inside(node: SyntaxNode, depth: number, input: SimpleCommand["input"]): void {
    if (node.type === "Pipeline") {
      let text = sentText(input);
      node.commands.forEach((each, index) => {
        const piped = text === undefined ? "pipe" : ({ script: text, isPiped: true } as const);
        this.walk(each, depth + 1, index === 0 ? input : piped);
        const made = producedText(each, this.#known, text);
        text = made ?? (text === undefined ? undefined : { text: text.text, isSure: false });
      });
      return;
    }
    // A compound command hands its input on to the commands inside.
    const inner =
      node.type === "Redirected"
        ? (inputOf(node.redirects, this.#known) ?? input)
        : node.type === "ProcessSubstitution" && node.operator === ">"
          ? this.#sentTo()
          : inherited(node, input);
    const words = node.type === "For" ? this.#loops.get(node) : undefined;
    if (words !== undefined) this.#eachTurn(node as For, words, depth, inner);
    else forEachChild(node, (child) => this.walk(child, depth + 1, inner));
  }

  #eachTurn(loop: For, words: readonly string[], depth: number, input: SimpleCommand["input"]): void {
    const name = loop.name.text;
    for (const word of words) {
      this.#known.set(name, word);
      this.walk(loop.body, depth + 1, input);
    }
    this.#known.delete(name);
  }

  /** The input of `>(…)`: the output of the program that it stands behind. */
  #sentTo(): SimpleCommand["input"] {
    const { node, input } = this.#writer ?? {};
    const script = node && producedText(node, this.#known, sentText(input));
    return script === undefined ? "pipe" : { script, isPiped: true };
  }

  /** Where what is inside of a node stands. */
  #enter(node: SyntaxNode): void {
    switch (node.type) {
      case "Script":
        return;
      case "Statement":
        if (node.background) this.#isDirect = false;
        return;
      case "AndOr":
        if (node.operators.every((each) => each === "&&")) this.#chains = [...this.#chains, ++this.#serial];
        else this.#isDirect = false;
        return;
      case "Pipeline":
        if (node.commands.length > 1) this.#pipe = ++this.#serial;
        this.#isDirect = false;
        return;
      default:
        this.#isDirect = false;
    }
  }

  #take(node: Command, piped: SimpleCommand["input"]): void {
    if (this.commands.length >= COMMANDS_MAX) {
      this.#doubt(`it starts more than ${COMMANDS_MAX} programs`);
      this.#isFull = true;
      return;
    }
    const assigned = node.prefix.flatMap((each) => (each.type === "Assignment" ? [each.name] : []));
    if (node.name === undefined) return;
    const words = [
      this.#programWord(node.name),
      ...node.args.map((each) =>
        each.type === "Assignment" ? assignmentWord(each, this.#known) : withGiven(each, this.#known),
      ),
    ];
    this.variables.takeProgram(words);
    const place = { pipe: this.#pipe, chains: this.#chains, isDirect: this.#isDirect };
    const own = inputOf(node.redirects, this.#known);
    // From here on the shell and all that it starts read from there.
    if (own !== undefined && node.args.length === 0 && node.name.value === "exec") this.#stdin = own;
    this.commands.push({ words, assigned, input: own ?? piped ?? this.#stdin, place });
  }

  #programWord(name: Word): ShellWord {
    const read = programWord(name, this.#known);
    const gives = read.isSure ? undefined : givenText(name, this.#known);
    return gives === undefined ? read : { ...read, gives };
  }

  /** Keeps the text that goes to files, by `>` or by `tee`. */
  #write(node: Command | Redirected, input: SimpleCommand["input"]): void {
    const targets: Word[] = [];
    for (const each of node.redirects)
      if (each.type === "Redirect" && each.operator.includes(">") && each.target) targets.push(each.target);
    if (node.type === "Command" && /(?:^|\/)tee$/.test(node.name?.value ?? ""))
      for (const each of node.args)
        if (each.type === "Word" && !each.text.startsWith("-")) targets.push(each);
    if (targets.length === 0) return;
    const text = producedText(node, this.#known, sentText(input));
    if (text === undefined) return;
    for (const target of targets) {
      const name = wordOf(target, this.#known).text;
      const before = this.written.get(name);
      if (before === undefined && this.written.size >= WRITTEN_MAX) return;
      this.written.set(name, before === undefined ? text : { text: before.text + text.text, isSure: false });
    }
  }

  #redirect(redirects: readonly Redirection[]): void {
    for (const each of redirects) {
      if (each.type === "HereDoc" || each.type === "HereString" || each.target === undefined) continue;
      const { operator } = each;
      const target = wordOf(each.target, this.#known);
      // `2>&1` and `<&3` name a descriptor.
      if (/^[<>]&$/.test(operator) && target.isSure && /^(?:\d+-?|-)$/.test(target.text)) continue;
      if (this.redirects.length < COMMANDS_MAX)
        this.redirects.push({ isWrite: operator.includes(">"), target });
    }
  }

  #doubt(problem: string): void {
    this.problem ??= problem;
  }

  /** Only where something could be started: an odd expression alone starts nothing. */
  #doubtText(text: string, problem: string): void {
    if (/\$\(|`|[<>]\(/.test(text.slice(2))) this.#doubt(problem);
  }
}

/** The stdin that the programs inside a node inherit from it. */
function inherited(node: SyntaxNode, input: SimpleCommand["input"]): SimpleCommand["input"] {
  // A function gets its input where it is called.
  return node.type === "Coproc" || node.type === "Function" ? "pipe" : input;
}
