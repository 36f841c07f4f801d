// The contract between `iddio hook` and one agent: how the agent names its next command, and how it
// is told to ask or to stop. Each agent has its own shapes; an answer in another agent's shape lets
// the command run.

import type { AgentName } from "../../../model/agent-name.ts";
import { quotePosix } from "../../../text/quote-posix.ts";

/** An agent's next action, as its hook describes it. */
export type HookInput =
  | { readonly kind: "command"; readonly command: string; readonly cwd: string | undefined }
  /** No command line: not a matter of this hook. */
  | { readonly kind: "other" }
  | { readonly kind: "unreadable"; readonly why: string };

/** The output and exit code of the hook's process. */
export interface HookReply {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** One agent. */
export interface HookAdapter {
  /** As typed after `iddio hook`. */
  readonly agent: AgentName;
  /** The agent's name for people. */
  readonly title: string;
  /** Whether a hook can make the agent ask its own user. */
  readonly canAsk: boolean;
  /** The fate of the command when the hook crashes, is too slow or is missing, in a sentence. */
  readonly onFailure: string;
  read(input: Readonly<Record<string, unknown>>): HookInput;
  /** `silent` leaves the command to the agent's own rules. */
  silent(): HookReply;
  ask(text: string): HookReply;
  deny(text: string): HookReply;
  /** A sample of the agent's message before it runs this command; for `hooks doctor`. */
  sample(command: string, cwd: string): Readonly<Record<string, unknown>>;
  /** Whether a reply stops the command, by the agent's own rules. */
  blocks(reply: HookReply): boolean;
}

/** A command that every hook refuses, and that does nothing where it runs all the same. */
export const CANARY = ": iddio-hook-canary";

/** Nothing at all. */
export const NO_REPLY: HookReply = { stdout: "", stderr: "", exitCode: 0 };

/** One JSON object on stdout, exit 0. */
export function jsonReply(value: object): HookReply {
  return { stdout: `${JSON.stringify(value)}\n`, stderr: "", exitCode: 0 };
}

/** Exit code 2 and the text on stderr. */
export function exitTwo(text: string): HookReply {
  return { stdout: "", stderr: `${text}\n`, exitCode: 2 };
}

/** The command of a tool's arguments: a text, or the words of a program's own argv. */
function commandOf(args: unknown, cwd: unknown): HookInput {
  const parsed = typeof args === "string" ? parsedObject(args) : args;
  if (typeof parsed !== "object" || parsed === null)
    return { kind: "unreadable", why: "the tool's arguments are no object" };
  const { command, cmd, cwd: own, workdir, directory } = parsed as Readonly<Record<string, unknown>>;
  const given = command ?? cmd;
  const folder = [own, workdir, directory, cwd].find((each) => typeof each === "string" && each !== "");
  const text = Array.isArray(given) ? quoted(given) : given;
  if (typeof text !== "string") return { kind: "unreadable", why: "the tool's arguments hold no command" };
  return { kind: "command", command: text, cwd: folder as string | undefined };
}

function parsedObject(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function quoted(words: readonly unknown[]): string | undefined {
  if (!words.every((word) => typeof word === "string")) return undefined;
  return words.map((word) => quotePosix(word as string)).join(" ");
}

/** A JSON reply's object; undefined for any other text. */
export function repliedObject({ stdout }: HookReply): Readonly<Record<string, unknown>> | undefined {
  const value = parsedObject(stdout);
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/** The question of an agent that names a tool: its command, where the tool is one that runs commands. */
export function commandOfTool(tool: unknown, isShell: boolean, args: unknown, cwd: unknown): HookInput {
  if (typeof tool !== "string") return { kind: "unreadable", why: "it names no tool" };
  return isShell ? commandOf(args, cwd) : { kind: "other" };
}
