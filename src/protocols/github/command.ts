// Which command of gh a command line is, with which flags, and what tier that command has. Follows
// cobra in how the command is found among flags. Tiers go by the verb, which gh keeps to, with
// exceptions by name; what `gh api` sends is another file's.

import type { Tier } from "../../model/tier.ts";
import { type ArgvGrammar, isSwitchedOn, type ReadArgv, readArgv } from "../argv.ts";
import { GH_COMMANDS } from "./data/gh-commands.ts";
import type { TierReason } from "./tier.ts";

/** A command line of gh taken apart; `name` is the full command in its plain spelling, `pr merge`. */
export interface GhCommand {
  readonly name: string;
  readonly read: ReadArgv;
  /** The words after the command, and those after `--`. */
  readonly words: readonly string[];
}

/** Other spellings of words in a command; cobra's aliases, and the alias that gh configures itself. */
const GROUP_ALIASES: ReadonlyMap<string, string> = new Map([
  ["cs", "codespace"],
  ["at", "attestation"],
  ["ext", "extension"],
  ["exts", "extension"],
  ["extensions", "extension"],
  ["rs", "ruleset"],
  ["a11y", "accessibility"],
  ["agent", "agent-task"],
  ["agents", "agent-task"],
  ["agent-tasks", "agent-task"],
]);
const VERB_ALIASES: ReadonlyMap<string, string> = new Map([
  ["ls", "list"],
  ["new", "create"],
]);

const JSON_FLAGS = ["json=", "jq/q=", "template/t="];

const COMMON = [
  ["R", "repo", "values"],
  ["y", "yes", "switches"],
] as const;

let commands: ReadonlyMap<string, readonly string[]> | undefined;
const grammars = new Map<string, ArgvGrammar>();

/**
 * The command of these arguments (without the program); undefined for a command that is not gh's own: an
 * alias, an extension.
 */
export function readGhCommand(args: readonly string[]): GhCommand | undefined {
  const table = ghCommands();
  const bare = bareWords(args);
  const [first = "help"] = bare;
  // gh itself makes `co` an alias at its first start.
  const spelled = first === "co" ? ["pr", "checkout", ...bare.slice(1)] : bare;
  for (let length = Math.min(3, spelled.length); length > 0; length--) {
    const name = plainName(spelled.slice(0, length), table);
    if (name === undefined) continue;
    const read = readArgv(args, grammarOf(name, table));
    const taken = first === "co" ? 1 : length;
    // cobra's way to find the command and the flags' own grammar must agree on which words name it.
    if (read.words.slice(0, taken).join(" ") !== bare.slice(0, taken).join(" ")) return undefined;
    return { name, read, words: [...read.words.slice(taken), ...(read.rest ?? [])] };
  }
  return undefined;
}

/** Whether only help is printed: no words at all, the word help, or a group without one of its commands. */
export function namesGroup(args: readonly string[]): boolean {
  const [first, ...rest] = bareWords(args);
  if (first === undefined || first === "help") return true;
  const group = [GROUP_ALIASES.get(first) ?? first, ...rest].join(" ");
  const table = ghCommands();
  return !table.has(group) && [...table.keys()].some((name) => name.startsWith(`${group} `));
}

/** cobra's stripFlags: before the command is known, a flag without `=` takes the next word. */
function bareWords(args: readonly string[]): readonly string[] {
  const words: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") break;
    if (!arg.startsWith("-") || arg === "-") words.push(arg);
    else if (
      !arg.includes("=") &&
      arg !== "--help" &&
      arg !== "--version" &&
      words.length < 3 &&
      takesNext(arg)
    )
      at++;
  }
  return words;
}

/** A short flag with its value attached takes nothing more. */
function takesNext(arg: string): boolean {
  return arg.startsWith("--") || arg.length === 2;
}

/** The names of all commands. */
export function ghCommandNames(): readonly string[] {
  return [...ghCommands().keys()];
}

/** The plain name of a command that is spelled with cobra's aliases; undefined for what is none. */
export function plainGhName(words: readonly string[]): string | undefined {
  return plainName(words, ghCommands());
}

function plainName(words: readonly string[], table: ReadonlyMap<string, unknown>): string | undefined {
  const [first = "", ...rest] = words;
  const group = GROUP_ALIASES.get(first) ?? first;
  const plain = [group, ...rest].join(" ");
  if (table.has(plain)) return plain;
  const last = rest.at(-1);
  if (last === undefined) return undefined;
  const isRemoval = last === "remove" && (group === "secret" || group === "variable");
  const verb = isRemoval ? "delete" : VERB_ALIASES.get(last);
  if (verb === undefined) return undefined;
  const other = [group, ...rest.slice(0, -1), verb].join(" ");
  return table.has(other) ? other : undefined;
}

function ghCommands(): ReadonlyMap<string, readonly string[]> {
  commands ??= new Map(
    GH_COMMANDS.split("\n").flatMap((line): [string, string[]][] => {
      const colon = line.indexOf(":");
      return colon < 0
        ? []
        : [
            [
              line.slice(0, colon),
              line
                .slice(colon + 1)
                .split(" ")
                .filter(Boolean),
            ],
          ];
    }),
  );
  return commands;
}

function grammarOf(name: string, table: ReadonlyMap<string, readonly string[]>): ArgvGrammar {
  const ready = grammars.get(name);
  if (ready !== undefined) return ready;
  const values = new Set<string>();
  const switches = new Set<string>(["help", "version"]);
  const optional = new Set<string>();
  const aliases = new Map<string, string>();
  const flags = (table.get(name) ?? []).flatMap((flag) =>
    flag === "+repo" ? ["repo/R="] : flag === "+json" ? JSON_FLAGS : [flag],
  );
  for (const flag of flags) {
    const [, long = "", short, kind] = /^([\w-]+)(?:\/(\w))?([=?]?)$/.exec(flag) ?? [];
    (kind === "=" ? values : kind === "?" ? optional : switches).add(long);
    if (short !== undefined) aliases.set(short, long);
  }
  // Nearly every command takes these flags; a command that refuses one of them is no reason for doubt.
  for (const [short, long, set] of COMMON)
    if (!values.has(long) && !switches.has(long)) {
      set === "values" ? values.add(long) : switches.add(long);
      if (!aliases.has(short)) aliases.set(short, long);
    }
  const grammar = { values, switches, optional, aliases };
  grammars.set(name, grammar);
  return grammar;
}

/** By full name, before the verb is looked at. */
const BY_NAME: ReadonlyMap<string, readonly [tier: Tier, reason: string]> = new Map([
  ["auth token", ["sensitive", "prints a token"]],
  ["auth login", ["break-glass", "obtains a credential"]],
  ["auth refresh", ["break-glass", "obtains a credential"]],
  ["auth logout", ["sensitive", "removes a credential"]],
  ["auth switch", ["modify", "changes which account is used"]],
  ["browse", ["observe", "opens a page"]],
  ["codespace code", ["sensitive", "opens a session on a machine"]],
  ["codespace cp", ["break-glass", "copies to and from a machine"]],
  ["codespace jupyter", ["break-glass", "runs code on a machine"]],
  ["codespace ports", ["observe", "lists ports"]],
  ["codespace ports forward", ["sensitive", "opens a way into a machine"]],
  ["codespace ssh", ["break-glass", "runs commands on a machine"]],
  ["completion", ["observe", "prints a script for the shell"]],
  ["extension exec", ["break-glass", "runs another program with gh's token"]],
  ["extension install", ["sensitive", "installs a program that runs with gh's token"]],
  ["extension upgrade", ["sensitive", "installs a program that runs with gh's token"]],
  ["gpg-key add", ["break-glass", "registers a key"]],
  ["issue transfer", ["sensitive", "moves an issue to another repository"]],
  ["repo deploy-key add", ["break-glass", "registers a key"]],
  ["secret set", ["sensitive", "writes a secret"]],
  ["ssh-key add", ["break-glass", "registers a key"]],
]);

const READS =
  /^(?:list|view|status|checks|diff|get|logs|watch|verify|verify-asset|trusted-root|check|download|clone|checkout|search|code|commits|issues|prs|repos|browse|prompter|licenses|accessibility|version|field-list|item-list|status)$/;
const DELETES = /(?:^|-)(?:delete|remove)(?:$|-asset$)/;

/** The tier of a command with its flags. */
export function tierOfGhCommand({ name, read }: GhCommand): TierReason {
  const byFlag = tierByFlag(name, read);
  if (byFlag !== undefined) return { tier: byFlag[0], reason: `gh ${name} ${byFlag[1]}` };
  const byName = BY_NAME.get(name);
  if (byName !== undefined) return { tier: byName[0], reason: `gh ${name} ${byName[1]}` };
  const verb = name.slice(name.lastIndexOf(" ") + 1);
  if (DELETES.test(verb)) return { tier: "sensitive", reason: `gh ${name} deletes` };
  // `label clone` copies labels into a repository; all other clones only download.
  if (READS.test(verb) && name !== "label clone") return { tier: "observe", reason: `gh ${name} reads` };
  return { tier: "modify", reason: `gh ${name} writes` };
}

/** Flags of `gh repo edit` for what its REST operation is stricter about. */
function guardingFlag(read: ReadArgv): string | undefined {
  return [...read.flags.keys()].find((flag) => GUARDING.test(flag));
}

const GUARDING = /^(?:visibility|allow-forking|enable-(?:advanced-security|secret-scanning.*))$/;

/**
 * The name by which a command line goes. An allow of `gh repo edit` is about settings that guard nothing, so with one that
 * does the command line is called as its request is.
 */
export function nameOfGhCommand({ name, read }: GhCommand): string {
  return name === "repo edit" && guardingFlag(read) !== undefined ? "repos/update" : name;
}

/** Flags that make something else of a command. */
function tierByFlag(name: string, read: ReadArgv): readonly [Tier, string] | undefined {
  const isOn = (flag: string) => isSwitchedOn(read, flag);
  switch (name) {
    case "auth status":
      return isOn("show-token") ? ["sensitive", "--show-token prints a token"] : undefined;
    case "pr merge":
      if (isOn("admin")) return ["sensitive", "--admin merges past what protects the branch"];
      return isOn("delete-branch") ? ["sensitive", "--delete-branch deletes a branch"] : undefined;
    case "pr close":
      return isOn("delete-branch") ? ["sensitive", "--delete-branch deletes a branch"] : undefined;
    case "issue comment":
    case "pr comment":
      return isOn("delete-last") ? ["sensitive", "--delete-last deletes a comment"] : undefined;
    case "issue develop":
      return isOn("list") ? ["observe", "--list reads"] : undefined;
    case "repo edit":
      return guardingFlag(read) === undefined
        ? undefined
        : ["sensitive", `--${guardingFlag(read)} changes who may see or do what`];
    case "repo sync":
      return isOn("force") ? ["sensitive", "--force discards commits"] : undefined;
    case "repo set-default":
      return isOn("view") ? ["observe", "--view reads"] : undefined;
    case "codespace ssh":
      return isOn("config") ? ["observe", "--config prints a configuration"] : undefined;
    default:
      return undefined;
  }
}
