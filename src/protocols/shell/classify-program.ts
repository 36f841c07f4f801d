// One program of a script, read by the protocol whose command line it has. Its words may be
// guesses, and its variables may change it: the answer is then unknown, and the guess stays as a
// part.

import type { Classification } from "../../model/classification.ts";
import { programName } from "../argv.ts";
import { classifierForProgram } from "../registry.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { bareName, callsIn } from "./guarded-names.ts";
import type { SimpleCommand } from "./word.ts";

/** One program of a script, where its tier or command is worth telling. */
export interface ScriptPart {
  /** Its words, as they would be typed. */
  readonly argv: readonly string[];
  /** Whether the program certainly gets this `argv`. */
  readonly isSure: boolean;
  readonly classification: Classification;
}

/** Names under which people keep a program. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["k", "kubectl"],
  ["kubectl.exe", "kubectl"],
  ["kubecolor", "kubectl"],
  ["awscli", "aws"],
  ["aws-cli", "aws"],
  ["tf", "terraform"],
  ["opentofu", "tofu"],
]);

/** Variables that act like flags of the command that they are set for. */
const LIKE_FLAGS =
  /^(?:TF_CLI_ARGS|HELM_(?:NAMESPACE|KUBE)|CLOUDSDK_(?:CORE_|AUTH_IMPERSONATE)|AWS_PROFILE$|AWS_(?:ROLE|ENDPOINT)|GH_(?:HOST|REPO)$|FLY_APP$)/;

/** Reads a program by the protocol whose command line it has; words that are only guesses put a doubt on it. */
export function classifyProgram(name: string, { words, assigned }: SimpleCommand): ScriptPart {
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

/** The name of a program without folders, `.exe` and a version: `/opt/kubectl-1.31` is kubectl. */
export function calledProgram(text: string): string {
  // zsh looks `=name` up.
  const name = programName(text).replace(/^=/, "");
  // Some file systems do not tell capitals from small letters.
  const found = [name, name.toLowerCase(), bareName(name)].find(
    (each) => SHORT_NAMES.has(each) || classifierForProgram(each) !== undefined,
  );
  return found === undefined ? name : (SHORT_NAMES.get(found) ?? found);
}

/** Whether a command line surely does more than read. */
export function isChange(argv: readonly string[]): boolean {
  const name = calledProgram(argv[0] ?? "");
  const { tier, parts = [] } = classifyArgv(name, [name, ...argv.slice(1)]);
  return [tier, ...parts.map((part) => part.tier)].some((each) => each !== "unknown" && each !== "observe");
}

/** The first command line in texts that surely does more than read; a single word is no command line. */
export function changeIn(texts: readonly string[]): readonly string[] | undefined {
  return texts.flatMap((text) => (/[\s,]/.test(text) ? callsIn(text) : [])).find(isChange);
}
