// Classifies a shell script by the services that iddio knows: each program in it, read by the
// protocol whose command line it has, wrappers opened. A program that no protocol knows gives no
// answer; a script that cannot be read gives "unknown". Used by the hooks of agents, and for
// commands that arrive over SSH.

import type { Classification } from "../../model/classification.ts";
import { programName } from "../argv.ts";
import { classifierForProgram } from "../registry.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { readScript } from "./read-script.ts";
import type { ShellWord, SimpleCommand } from "./word.ts";
import { isShell, openWrapper } from "./wrappers.ts";

/** One program of a script, where its tier or command is worth telling. */
export interface ScriptPart {
  /** Its words, as they would be typed. */
  readonly argv: readonly string[];
  /** Whether the program certainly gets this `argv`. */
  readonly isSure: boolean;
  readonly classification: Classification;
}

/** Looks at every program of a script, also those that others start. */
export type ProgramVisitor = (name: string, words: readonly ShellWord[]) => void;

/** How deeply scripts and wrappers may be nested in each other. */
const DEPTH_MAX = 12;
const PARTS_MAX = 500;

/** Names under which people keep a program. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["k", "kubectl"],
  ["kubectl.exe", "kubectl"],
  ["tf", "terraform"],
  ["opentofu", "tofu"],
]);

/** Variables that act like flags of the command that they are set for. */
const LIKE_FLAGS =
  /^(?:TF_CLI_ARGS|HELM_(?:NAMESPACE|KUBE)|CLOUDSDK_(?:CORE_|AUTH_IMPERSONATE)|AWS_PROFILE$|AWS_(?:ROLE|ENDPOINT)|GH_(?:HOST|REPO)$|FLY_APP$)/;

/** Classifies every program of a script. Never throws; an empty list means that nothing in it concerns any protocol. */
export function classifyScript(text: string, visit?: ProgramVisitor): readonly ScriptPart[] {
  const parts: VisitedParts = Object.assign([], { visit });
  classifyInto(parts, text, true, 0);
  return parts;
}

type VisitedParts = ScriptPart[] & { readonly visit?: ProgramVisitor | undefined };

function classifyInto(parts: VisitedParts, text: string, isSure: boolean, depth: number): void {
  const { commands, problem } = readScript(text);
  if (problem !== undefined) unknown(parts, [text], `the command line cannot be read: ${problem}`);
  if (depth > DEPTH_MAX) {
    unknown(parts, [text], "the command line is nested too deeply");
    return;
  }
  for (const command of commands) {
    if (parts.length > PARTS_MAX) {
      unknown(parts, [text], "the command line starts too many programs");
      return;
    }
    classifyCommand(parts, isSure ? command : unsure(command), depth);
  }
}

function unsure(command: SimpleCommand): SimpleCommand {
  // The program's name stands as typed: a guess that makes the answer stricter, while the doubt is on its words.
  const [first, ...rest] = command.words;
  return { ...command, words: first ? [first, ...rest.map((word) => ({ ...word, isSure: false }))] : [] };
}

function classifyCommand(parts: VisitedParts, command: SimpleCommand, depth: number): void {
  const { words, input } = command;
  const [first] = words;
  if (first === undefined) return;
  const argv = words.map(({ text }) => text);
  const name = baseName(first.text);
  parts.visit?.(name, words);
  const classifier = classifierForProgram(name);
  if (classifier === undefined && !first.isSure)
    unknown(parts, argv, "which program it starts is only known when it runs");
  if (depth > DEPTH_MAX) {
    unknown(parts, argv, "the command line is nested too deeply");
    return;
  }
  if (classifier !== undefined) parts.push(known(name, command));
  const opened = openWrapper(name, words, (each) => classifierForProgram(baseName(each)) !== undefined);
  for (const each of opened ?? []) {
    if (each.kind === "unreadable") unknown(parts, argv, each.why);
    else if (each.kind === "words") {
      if (each.words.length > 0)
        classifyCommand(parts, { words: each.words, assigned: command.assigned, input }, depth + 1);
    } else script(parts, each.script, argv, depth);
  }
  if (isShell(name) && opened === undefined && readsInput(words)) {
    if (input === "pipe") unknown(parts, argv, "the shell runs what it is sent, which is only known then");
    else if (typeof input === "object") script(parts, input.script, argv, depth);
  }
}

function script(
  parts: VisitedParts,
  { text, isSure }: ShellWord,
  argv: readonly string[],
  depth: number,
): void {
  const before = parts.length;
  classifyInto(parts, text, isSure, depth + 1);
  // An alias or a replaced word: it is only certain whether a known program is in it.
  const isDoubted = parts.slice(before).some(({ classification }) => classification.tier === "unknown");
  if (!isSure && !isDoubted && (parts.length > before || /[$`]/.test(text)))
    unknown(parts, argv, "what it runs is only known when it runs");
}

/** Whether a shell has no file to read, so that it reads its input. */
function readsInput(words: readonly ShellWord[]): boolean {
  const operands = words.slice(1).filter(({ text }) => !/^[-+]/.test(text));
  return (
    operands.length === 0 ||
    words.some(({ text }) => /^-[a-z]*s[a-z]*$/.test(text)) ||
    /^\/dev\/(?:stdin|fd\/0)$/.test(operands[0]?.text ?? "")
  );
}

function known(name: string, { words, assigned }: SimpleCommand): ScriptPart {
  const argv = [name, ...words.slice(1).map(({ text }) => text)];
  const plain = classifyArgv(name, argv);
  const vague = words.slice(1).find(({ isSure }) => !isSure);
  const variable = assigned.find((each) => LIKE_FLAGS.test(each));
  const doubt =
    vague !== undefined
      ? `what '${vague.text}' stands for is only known when it runs`
      : variable === undefined
        ? undefined
        : `${variable} changes what it does`;
  const classification = doubt === undefined ? plain : doubtful(plain, doubt);
  return { argv, isSure: vague === undefined, classification };
}

function classifyArgv(name: string, argv: readonly string[]): Classification {
  const classifier = classifierForProgram(name);
  if (classifier === undefined) return unknownClassification("generic", `no protocol reads '${name}'`);
  try {
    return classifier.classifyArgv(argv);
  } catch (error) {
    const kind = error instanceof Error ? error.name : typeof error;
    return unknownClassification(
      classifier.protocol,
      `the ${classifier.protocol} classifier failed with ${kind}`,
    );
  }
}

function unknown(parts: ScriptPart[], argv: readonly string[], reason: string): void {
  parts.push({ argv, isSure: false, classification: unknownClassification("generic", reason) });
}

function baseName(text: string): string {
  const name = programName(text);
  return SHORT_NAMES.get(name) ?? name;
}
