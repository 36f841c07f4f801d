// Command lines of wrangler, read like yargs: flags anywhere, in kebab or camel case. The command
// is the longest one that the words begin with; later words are arguments. Nothing is lowered for
// acting on the local simulation only, because the commands' defaults have changed between
// versions.

import type { Classification } from "../../model/classification.ts";
import { isSwitchedOn, type ReadArgv, readArgv } from "../argv.ts";
import { doubtful, unknownClassification } from "../unknown.ts";
import { withSql } from "./body.ts";
import {
  isGroup,
  type WranglerRule,
  wranglerCommand,
  wranglerGrammar,
  wranglerRule,
  wranglerWords,
} from "./wrangler-commands.ts";

/** Classifies a wrangler command line; argv[0] is the program. */
export function classifyWranglerArgv(argv: readonly string[]): Classification {
  const args = argv.slice(1).map(toKebab);
  const command = commandOf(readArgv(args, wranglerGrammar("")));
  const read = readArgv(args, wranglerGrammar(command));
  const isAgreed = commandOf(read) === command;
  const plain = withCommandSql(answer(command, isAgreed ? ruleOf(command, read) : undefined), read);
  if (plain.tier === "unknown" || plain.tier === "break-glass") return plain;
  const [strange] = read.strange;
  // The next word may be the flag's value or a command.
  return strange === undefined ? plain : doubtful(plain, `wrangler has no flag '${strange}' that we know`);
}

/** `d1 execute` with its SQL in the words; the content of a file is judged when its request comes. */
function withCommandSql(plain: Classification, read: ReadArgv): Classification {
  if (plain.command !== "d1 execute" || plain.tier !== "modify") return plain;
  const whole = withSql(plain, read.flags.get("command") ?? []);
  return whole.tier === "observe" && read.flags.has("file") ? plain : whole;
}

/** yargs takes `--dryRun` for `--dry-run`. */
function toKebab(arg: string): string {
  const match = /^--([a-z]+(?:[A-Z][a-z0-9]*)+)(=[\s\S]*)?$/.exec(arg);
  if (match === null) return arg;
  const name = (match[1] ?? "").replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `--${name}${match[2] ?? ""}`;
}

function commandOf({ words, rest }: ReadArgv): string {
  return wranglerCommand(wranglerWords([...words, ...(rest ?? [])]));
}

function ruleOf(command: string, read: ReadArgv): WranglerRule | undefined {
  const isHelp = isSwitchedOn(read, "help") || isSwitchedOn(read, "h");
  if (command === "") {
    const isBare = read.words.length === 0 && read.rest === undefined;
    return isHelp || isBare ? ["observe", "prints help or the version"] : undefined;
  }
  if (isHelp) return ["observe", "prints help"];
  // A group with a word that is none of its commands.
  const length = command.split(" ").length;
  const given = read.words[0]?.includes(":") === true ? read.words.length + 1 : read.words.length;
  if (isGroup(command) && given > length) return undefined;
  const isDeployment = /^(?:deploy|versions (?:deploy|upload)|triggers deploy|containers push)$/.test(
    command,
  );
  if (isDeployment && isSwitchedOn(read, "dry-run")) return ["observe", "--dry-run uploads nothing"];
  return wranglerRule(command);
}

function answer(command: string, rule: WranglerRule | undefined): Classification {
  if (rule === undefined)
    return unknownClassification("cloudflare", `wrangler has no command '${command}' that we know`, {
      command,
    });
  const name = command === "" ? "help" : command;
  return { protocol: "cloudflare", tier: rule[0], command: name, aliases: [], labels: {}, reason: rule[1] };
}
