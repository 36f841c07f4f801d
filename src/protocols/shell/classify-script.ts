// Classifies a shell script by the services that iddio knows: each program in it, read by the
// protocol whose command line it has, wrappers opened. A program that no protocol knows gives no
// answer; a script that cannot be read gives "unknown". Used by the hooks of agents, and for
// commands that arrive over SSH.

import { classifierForProgram } from "../registry.ts";
import { unknownClassification } from "../unknown.ts";
import { calledProgram, changeIn, classifyProgram, isChange, type ScriptPart } from "./classify-program.ts";
import { substitutionsIn } from "./expanded-texts.ts";
import { guardedNameIn } from "./guarded-names.ts";
import { LineDoubts } from "./line-doubts.ts";
import { namesGivenBy } from "./programs/given-names.ts";
import { isInterpreter, programText, startsPrograms } from "./programs/interpreters.ts";
import { isFileOf, plainPath, runsLater, shebangOf } from "./programs/run-files.ts";
import { isShell, isSource, readsInput } from "./programs/shell-start.ts";
import {
  commandOfSetting,
  isRunVariable,
  linesOfInput,
  settingsIn,
  textsRunBy,
} from "./programs/text-runners.ts";
import { takesTexts } from "./programs/text-takers.ts";
import { openWrapper } from "./programs/wrappers.ts";
import { readScript } from "./read-script.ts";
import { DECLARES } from "./set-variables.ts";
import {
  type ProgramInput,
  type Setting,
  type ShellWord,
  type SimpleCommand,
  sentText,
  sureWord,
} from "./word.ts";

/** Looks at every program of a script, also those that others start. */
export type ProgramVisitor = (name: string, words: readonly ShellWord[]) => void;

/** How deeply scripts and wrappers may be nested in each other. */
const DEPTH_MAX = 12;
const PARTS_MAX = 500;
/** Characters that are read for one line, its inner scripts included. */
const READ_MAX = 512 * 1024;

/** Classifies every program of a script. Never throws; an empty list means that nothing in it concerns any protocol. */
export function classifyScript(text: string, visit?: ProgramVisitor): readonly ScriptPart[] {
  const classifier = new ScriptClassifier(visit);
  classifier.script(text, true, 0, undefined);
  classifier.finish();
  return classifier.parts;
}

class ScriptClassifier {
  readonly parts: ScriptPart[] = [];
  readonly #visit: ProgramVisitor | undefined;
  readonly #doubts = new LineDoubts();
  /** Programs by their place, of no known name. */
  readonly #strangers: (readonly string[])[] = [];
  /** Names that the line gives to a program: aliases, links, copies, entries of the shell's table. */
  readonly #otherNames = new Map<string, readonly ShellWord[]>();
  /** Texts that the line writes to files. */
  readonly #written = new Map<string, ShellWord>();
  #hasFunctions = false;
  #left = READ_MAX;

  constructor(visit: ProgramVisitor | undefined) {
    this.#visit = visit;
  }

  script(text: string, isSure: boolean, depth: number, input: ProgramInput | undefined): undefined {
    this.#left -= text.length + 100;
    if (this.#left < 0) return this.#unknown([text.slice(0, 200)], "the command line is too much to read");
    const read = readScript(text);
    const { commands, problem, settings = [], expanded = [], written = [] } = read;
    if (problem !== undefined) this.#unknown([text], `${NOT_READ}: ${problem}`);
    if (depth > DEPTH_MAX) return this.#unknown([text], "the command line is nested too deeply");
    if (read.hasFunctions) this.#hasFunctions = true;
    for (const [path, content] of written) {
      this.#written.set(plainPath(path), content);
      if (runsLater(path) && changeIn([content.text]) !== undefined)
        this.#unknown([`> ${path}`], `what is written to ${path} is run later`);
    }
    for (const each of expanded)
      for (const inner of substitutionsIn(each)) this.#guarded([each], sureWord(inner), depth, undefined);
    for (const each of settings) this.#setting(each, depth);
    const odd = read.variables?.find(
      (name) => isRunVariable(name) && !settings.some((each) => each.name === name),
    );
    if (odd !== undefined) this.#doubts.add([text], `${odd} is set to a text that a program runs`);
    for (const command of commands) {
      if (this.parts.length > PARTS_MAX)
        return this.#unknown([text], "the command line starts too many programs");
      const whole = command.input === undefined && input !== undefined ? { ...command, input } : command;
      this.#command(isSure ? whole : unsure(whole), depth, settings);
    }
  }

  /** Adds the doubts that the whole line tells. */
  finish(): void {
    const { argv, reason } = this.#doubts.found ?? {};
    if (argv !== undefined && reason !== undefined) this.#unknown(argv, reason);
    const tool = this.#strangers.length === 0 ? undefined : this.#doubts.copied;
    const copy = tool && this.#strangers.find(([, ...args]) => isChange([tool, ...args]));
    if (copy) this.#unknown(copy, `${copy[0]} may be ${tool} under another name`);
  }

  #command(command: SimpleCommand, depth: number, settings: readonly Setting[] = []): undefined {
    const { words, input } = command;
    const [first, ...args] = words;
    if (first === undefined) return;
    const argv = words.map(({ text }) => text);
    const name = calledProgram(first.text);
    this.#visit?.(name, words);
    if (depth > DEPTH_MAX) return this.#unknown(argv, "the command line is nested too deeply");
    this.#left -= 100;
    if (this.#left < 0) return this.#unknown(argv.slice(0, 20), "the command line is too much to read");
    const classifier = classifierForProgram(name);
    if (classifier === undefined && !first.isSure) this.#vagueProgram(first, args, argv, depth, input);
    if (classifier !== undefined) this.parts.push(classifyProgram(name, command));
    if (classifier === undefined && first.text.includes("/") && this.#strangers.length < PARTS_MAX)
      this.#strangers.push(argv);
    const isKnown = (each: string) => classifierForProgram(calledProgram(each)) !== undefined;
    const opened = openWrapper(name, words, isKnown);
    if (classifier === undefined && opened === undefined) this.#keepData(name, command);
    for (const each of opened ?? []) {
      if (each.kind === "unreadable") this.#unknown(argv, each.why);
      else if (each.kind === "script") this.#script(each.script, argv, depth, input);
      else if (each.words.length > 0) this.#command({ ...command, words: each.words }, depth + 1, settings);
    }
    if (opened === undefined) this.#runInput(name, args, argv, depth, input);
    this.#runNamed(name, command, depth);
    for (const [given, target] of namesGivenBy(name, args, isKnown)) this.#otherNames.set(given, target);
    const isTaker = takesTexts(name);
    if (!isTaker || DECLARES.test(name)) for (const each of settingsIn(args)) this.#setting(each, depth);
    const before = this.parts.length;
    for (const text of textsRunBy(name, args)) this.#guarded(argv, text, depth, undefined);
    if (isTaker) return undefined;
    const given = settings.filter((each) => command.assigned.includes(each.name));
    this.#guessedCalls(
      name,
      given.filter((each) => !isRunVariable(each.name)).map(({ value }) => value),
      argv,
    );
    // `python -m awscli`.
    const module = args.slice(args.findIndex(({ text }) => text === "-m") + 1);
    if (isInterpreter(name) && module.length < args.length && isKnown(module[0]?.text ?? ""))
      this.#command({ ...command, words: module }, depth + 1);
    if (isInterpreter(name)) this.#interpreter(name, args, argv, input);
    else if (
      classifier === undefined &&
      name !== "git" &&
      !isSource(name) &&
      opened === undefined &&
      this.parts.length === before
    )
      this.#guessed(name, command, depth);
  }

  /** The program's name is made by a substitution; it is read where that prints what stands in the line. */
  #vagueProgram(
    { gives }: ShellWord,
    args: readonly ShellWord[],
    argv: readonly string[],
    depth: number,
    input: ProgramInput | undefined,
  ): void {
    if (gives !== undefined) {
      const rest = args.map((each) => each.gives ?? each);
      const text = [gives, ...rest].map((each) => each.text).join(" ");
      this.script(text, false, depth + 1, input);
    }
    this.#unknown(argv, "which program it starts is only known when it runs");
  }

  /** Reads a text that is run as a command line. */
  #script(
    word: ShellWord,
    argv: readonly string[],
    depth: number,
    input: ProgramInput | undefined,
  ): undefined {
    if (word.isStored) return this.#doubts.add(argv, "the shell runs a text that is stored");
    const { text, isSure } = word.gives ?? word;
    const isCertain = isSure && (word.gives === undefined || !this.#hasFunctions);
    const before = this.parts.length;
    this.script(text, isCertain, depth + 1, input);
    // An alias or a replaced word: it is only certain whether a known program is in it.
    const isDoubted = this.parts
      .slice(before)
      .some(({ classification }) => classification.tier === "unknown");
    const isVague = word.gives !== undefined || this.parts.length > before || VAGUE.test(text);
    if (!isCertain && !isDoubted && isVague) this.#unknown(argv, "what it runs is only known when it runs");
  }

  /** Reads a text that may be run as a command line: it counts where a guarded program is in it. */
  #guarded(
    argv: readonly string[],
    word: ShellWord,
    depth: number,
    input: ProgramInput | undefined,
  ): undefined {
    const { text } = word.gives ?? word;
    const before = this.parts.length;
    if (/^\S+$/.test(text) && classifierForProgram(calledProgram(text)) !== undefined) {
      // A program alone gets further words when it runs.
      const words = [sureWord(text), { text: "…", isSure: false }];
      return this.#command({ words, assigned: [], input }, depth + 1);
    }
    this.#script(word, argv, depth, input);
    const added = this.parts.slice(before).map(({ classification }) => classification);
    if (added.some(({ protocol }) => protocol !== "generic") || guardedNameIn(text) !== undefined) return;
    // A text that is no command line, after all.
    if (word.isSure && !added.some(({ reason }) => reason.startsWith(NOT_READ))) return;
    this.parts.length = before;
    if (!word.isSure && /[$`]/.test(text))
      this.#doubts.add(argv, "a text that it runs is only known when it runs");
  }

  #setting(setting: Setting, depth: number): void {
    const { name, value } = setting;
    const { text } = value.gives ?? value;
    this.#doubts.keep(text);
    if (!isRunVariable(name)) return;
    const argv = [`${name}=${value.text}`];
    for (const inner of substitutionsIn(text)) this.#guarded(argv, sureWord(inner), depth, undefined);
    const command = commandOfSetting(setting);
    if (command !== undefined) this.#guarded(argv, command, depth, undefined);
  }

  /** Programs that run their input. */
  #runInput(
    name: string,
    args: readonly ShellWord[],
    argv: readonly string[],
    depth: number,
    input: ProgramInput | undefined,
  ): void {
    const isInput = readsInput(name, args);
    const [operand] = args;
    const isOpen = /^\/(?:dev|proc\/self)\/fd\/[3-9]/.test(operand?.text ?? "");
    const text = this.#sentText(input);
    if (isSource(name) && (operand?.gives ?? operand?.isStored) !== undefined)
      this.#script(operand as ShellWord, argv, depth, undefined);
    else if ((isInput && input === "pipe") || (isInput && (operand?.isSure === false || isOpen)))
      this.#unknown(argv, "the shell runs what it is sent, which is only known then");
    else if (isInput && typeof input === "object" && "script" in input) this.#sent(input, argv, depth);
    else if (isInput && text !== undefined) this.#guarded(argv, text, depth, undefined);
    else if (text !== undefined) {
      const lines = linesOfInput(name, args, text.text);
      if (lines === undefined) return;
      const before = this.parts.length;
      this.#guarded(argv, { ...lines, isSure: text.isSure }, depth, undefined);
      const guarded = this.parts.length === before ? guardedNameIn(text.text) : undefined;
      if (guarded !== undefined) this.#unknown(argv, `${name} runs its input, which names ${guarded}`);
    } else if (input === "pipe" && linesOfInput(name, args, "") !== undefined)
      this.#doubts.add(argv, `${name} runs what it is sent`);
  }

  /** The text of an input that stands in the line, or in a file that the line writes. */
  #sentText(input: ProgramInput | undefined): ShellWord | undefined {
    return typeof input === "object" && "file" in input
      ? this.#written.get(plainPath(input.file.text))
      : sentText(input);
  }

  #sent(
    { script, isPiped }: Extract<ProgramInput, { script: ShellWord }>,
    argv: readonly string[],
    depth: number,
  ): void {
    const before = this.parts.length;
    // Another program writes it, and a function or an alias may have the program's name.
    const isCertain = script.isSure && !(this.#hasFunctions || this.#otherNames.size > 0);
    this.#script(isPiped && !isCertain ? { ...script, isSure: false } : script, argv, depth, undefined);
    const isDoubted = this.parts
      .slice(before)
      .some(({ classification }) => classification.tier === "unknown");
    if (isPiped && !isCertain && !isDoubted)
      this.#unknown(argv, "the shell runs what it is sent, which is only known then");
  }

  /** A name that the line gave to a program, and a file that it wrote. */
  #runNamed(name: string, command: SimpleCommand, depth: number): void {
    const [first, ...args] = command.words;
    const argv = command.words.map(({ text }) => text);
    const other = this.#otherNames.get(name);
    if (other !== undefined && other[0]?.text !== name)
      this.#command({ ...command, words: [...other, ...args] }, depth + 1);
    for (const each of [...(first?.text.includes("/") ? [first] : []), ...args]) {
      const isGiven = each.text === "/dev/stdin" && !isSource(name) && !isShell(name);
      const content = this.#written.get(plainPath(each.text)) ?? (isGiven ? each.gives : undefined);
      if (content !== undefined) this.#runFile(name, content, each === first, argv, depth);
    }
    for (const [path, content] of this.#written)
      if (isFileOf(name, path)) this.#runFile(name, content, false, argv, depth);
  }

  /** A program that runs a file of a known text, or may. */
  #runFile(
    name: string,
    content: ShellWord,
    isItself: boolean,
    argv: readonly string[],
    depth: number,
  ): void {
    const runner = isItself ? (shebangOf(content.text) ?? name) : name;
    if (isShell(runner) || isSource(runner) || isItself) {
      if (isInterpreter(runner)) this.#interpreter(runner, [sureWord("-c"), content], argv, undefined);
      else this.#guarded(argv, content, depth, undefined);
      return;
    }
    if (takesTexts(name) || classifierForProgram(name) !== undefined) return;
    const lines = linesOfInput(name, [sureWord("-")], content.text);
    const before = this.parts.length;
    if (lines !== undefined) this.#guarded(argv, lines, depth, undefined);
    const guarded = this.parts.length === before ? guardedNameIn(content.text) : undefined;
    const isRun = startsPrograms(isInterpreter(name) ? name : "python", content.text);
    if (guarded !== undefined && (isRun || changeIn([content.text]) !== undefined))
      this.#unknown(argv, `${name} may run a text that names ${guarded}`);
  }

  /** A text in another language: a guarded name beside a way to start programs is enough. */
  #interpreter(
    name: string,
    args: readonly ShellWord[],
    argv: readonly string[],
    input: ProgramInput | undefined,
  ): void {
    const program = programText(name, args, this.#sentText(input));
    if (program === undefined) {
      this.#guessedCalls(name, args, argv);
      return;
    }
    if (!startsPrograms(name, program.text)) {
      if (!program.isSure) this.#doubts.add(argv, `what ${name} runs is only known when it runs`);
      else if (input === "pipe" && args.every(({ text }) => text === "-"))
        this.#doubts.add(argv, `${name} runs what it is sent`);
      return;
    }
    const guarded = guardedNameIn(program.text);
    if (guarded !== undefined)
      this.#unknown(
        argv,
        `a text that ${name} runs starts programs and names ${guarded}; it is not read further`,
      );
    else this.#doubts.add(argv, `a text that ${name} runs starts programs`);
  }

  /** A program that nothing is known of may start what stands in its words. */
  #guessed(name: string, { words }: SimpleCommand, depth: number): void {
    const args = words.slice(1);
    const argv = words.map(({ text }) => text);
    if (name === "enable" && args.some(({ text }) => /^-\w*f/.test(text)))
      this.#doubts.add(argv, "a program of the shell is loaded from a file");
    args.forEach(({ text }, at) => {
      const inner = calledProgram(text);
      const hasText = /^-\w*[cer]/.test(args[at + 1]?.text ?? "");
      if ((isShell(inner) || isInterpreter(inner)) && hasText)
        this.#command({ words: args.slice(at), assigned: [], input: undefined }, depth + 1);
      else if (classifierForProgram(inner) !== undefined && isChange([inner, ...argv.slice(at + 2)]))
        this.#unknown(argv, `${name} may run '${argv.slice(at + 1).join(" ")}'`);
    });
    this.#guessedCalls(name, words[0]?.isSure ? words : args, argv);
  }

  #guessedCalls(name: string, words: readonly ShellWord[], argv: readonly string[]): void {
    const change = changeIn(words.map((word) => (word.gives ?? word).text));
    if (change !== undefined) this.#unknown(argv, `${name} may run '${change.join(" ")}'`);
  }

  #keepData(name: string, { words, input }: SimpleCommand): void {
    for (const { text, gives, isStored } of words.slice(1))
      if (!isStored) this.#doubts.keep(gives?.text ?? text);
    // A shell's input is read by itself.
    const text = readsInput(name, words.slice(1)) ? undefined : sentText(input)?.text;
    if (text !== undefined) this.#doubts.keep(text);
  }

  #unknown(argv: readonly string[], reason: string): undefined {
    this.parts.push({ argv, isSure: false, classification: unknownClassification("generic", reason) });
  }
}

const NOT_READ = "the command line cannot be read";
/** A text with an expansion in it, or whose program is put in later. */
const VAGUE = /[$`]|(?:^|[;&|(\n])\s*(?:…|\{\})/;

function unsure(command: SimpleCommand): SimpleCommand {
  // The program's name stands as typed: a guess that makes the answer stricter, while the doubt is on its words.
  const [first, ...rest] = command.words;
  return { ...command, words: first ? [first, ...rest.map((word) => ({ ...word, isSure: false }))] : [] };
}
