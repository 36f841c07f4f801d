// Compiles one `rules:` block into look-ups. Keeps the precedence inside a block: a deny first,
// then what names a command over what names a tier, among equals the strictest; decide only asks.

import type { Glob } from "../../match/glob.ts";
import { GlobIndex } from "../../match/glob-index.ts";
import { compileNameGlob, type NameGlob } from "../../match/name-glob.ts";
import { ACTIONS, type Action, stricterAction } from "../../model/action.ts";
import type { Classification } from "../../model/classification.ts";
import type { Protocol } from "../../model/protocol.ts";
import type { Tier } from "../../model/tier.ts";
import type { Verdict } from "../../model/verdict.ts";
import { classifierFor } from "../../protocols/registry.ts";
import { isMethodName } from "../../protocols/vocabulary.ts";
import type { RuleTable } from "../policy.ts";

/** A command as a rule names it: the name or pattern, compiled. */
export interface CommandSelector {
  readonly text: string;
  readonly globs: readonly Glob[];
  /** Those of them that a rule that allows does not mean; absent for none. */
  readonly onlyRestricting?: readonly Glob[];
  /** Those of these that are about requests of another kind with nearly that name. */
  readonly namesakes?: readonly Glob[];
  /** Where it is written, 1-based; undefined for a rule from a command line. */
  readonly at?: { readonly line: number; readonly column: number };
  /** Its path in the file. */
  readonly path?: string;
}

/**
 * One line under `groups:` or `commands:` of a rules block: the requests that it selects and the verdict that
 * it gives.
 */
export interface Rule {
  readonly action: Action;
  readonly path: string;
  readonly line: number;
  /** The group that selects, undefined for a command written in the rule itself. */
  readonly group: string | undefined;
  readonly tiers: readonly Tier[];
  readonly commands: readonly CommandSelector[];
}

const DONE: Readonly<Record<Action, string>> = { allow: "allowed", escalate: "escalated", deny: "denied" };

/** Verbs of Kubernetes and of RBAC. */
export const KUBERNETES_VERBS: ReadonlySet<string> = new Set(
  "get list watch create update patch delete deletecollection connect approve sign bind escalate impersonate".split(
    " ",
  ),
);

/**
 * Reads a command of a rule. A tool's spelling (`gh repo delete`, `aws s3 rm`, `kubectl delete pod`) means the API
 * operations that the tool sends, and the tool's own command line. Of kubectl every spelling of a type and a verb, in
 * either order, is the one name that requests have.
 */
export function compileCommand(
  protocol: Protocol,
  text: string,
): CommandSelector | { readonly problem: string } {
  const typed = text.trim().split(/\s+/);
  const compiled: NameGlob | { problem: string } = compileNameGlob(typed.join(" "));
  if ("problem" in compiled) return compiled;
  const words = withoutProgram(protocol, typed);
  // Some commands are called with the program: `bq datasets list`.
  const hasProgram = words.length < typed.length;
  // Nothing is called `kubectl …`, and `kubectl get` would look like a type with a verb.
  const isNamedSo = hasProgram && typed[0]?.toLowerCase() !== "kubectl";
  const globs: Glob[] = isNamedSo ? [...compiled.globs] : [];
  const restricting = new Set(classifierFor(protocol).vocabulary?.onlyRestricting?.(words.join(" ")));
  if (isNamedSo)
    for (const name of classifierFor(protocol).vocabulary?.onlyRestricting?.(typed.join(" ")) ?? [])
      restricting.add(name);
  const onlyRestricting: Glob[] = [];
  const others: Glob[] = [];
  const withProgram = isNamedSo ? classifierFor(protocol).vocabulary?.meaningOf(typed.join(" ")) : undefined;
  for (const name of new Set([...namesMeant(protocol, words, hasProgram), ...(withProgram ?? [])])) {
    const also = compileNameGlob(name);
    if ("problem" in also) return also;
    globs.push(...also.globs);
    if (restricting.has(name)) onlyRestricting.push(...also.globs);
    const namesakes = classifierFor(protocol).vocabulary?.namesakesOf?.(name.toLowerCase());
    if (namesakes === undefined) continue;
    if (namesakes.isOnlyRestricting) others.push(...namesakes.globs);
    else globs.push(...namesakes.globs);
    if (restricting.has(name)) onlyRestricting.push(...namesakes.globs);
  }
  return {
    text,
    globs: [...globs, ...others],
    ...(onlyRestricting.length + others.length === 0
      ? {}
      : { onlyRestricting: [...onlyRestricting, ...others] }),
    ...(others.length === 0 ? {} : { namesakes: others }),
  };
}

/** The words of a command without the program before them. */
export function withoutProgram(protocol: Protocol, words: readonly string[]): readonly string[] {
  const isProgram =
    words.length > 1 && classifierFor(protocol).programs.includes(words[0]?.toLowerCase() ?? "");
  return isProgram && protocol !== "ssh" ? words.slice(1) : words;
}

/** Every name and pattern that a command stands for. */
function namesMeant(protocol: Protocol, words: readonly string[], hasProgram: boolean): ReadonlySet<string> {
  const { vocabulary } = classifierFor(protocol);
  const command = words.join(" ");
  if (vocabulary === undefined) return new Set([command]);
  const meaning = vocabulary.meaningOf(command);
  // `DELETE` is the method, though `helm delete` is a command of the tool.
  const isMethod = !hasProgram && isMethodName(command);
  if (isMethod && command === command.toUpperCase()) return new Set([command, ...meaning]);
  if (protocol === "kubectl" && words.length > 1) {
    if (meaning.length > 0) return new Set(meaning);
    return new Set(isSwapped(words) ? [command, `${words[1]} ${words[0]}`] : [command]);
  }
  const plain = vocabulary.plainName?.(words.map((word) => word.toLowerCase())) ?? command;
  return new Set([
    plain,
    ...(isMethod ? [command] : []),
    ...meaning,
    ...(plain === command ? [] : vocabulary.meaningOf(plain)),
  ]);
}

function isSwapped(words: readonly string[]): boolean {
  const [first = "", second = ""] = words.map((word) => word.toLowerCase());
  return words.length === 2 && KUBERNETES_VERBS.has(first) && !KUBERNETES_VERBS.has(second);
}

/** The patterns that a rule with this action means. */
export function globsFor(action: Action, { globs, onlyRestricting = [] }: CommandSelector): readonly Glob[] {
  return action === "allow" ? globs.filter((glob) => !onlyRestricting.includes(glob)) : globs;
}

/** Builds the look-ups of one block from its rules in file order. */
export function compileRules(rules: readonly Rule[]): RuleTable {
  const commands: { glob: Glob; value: Verdict }[] = [];
  const tiers = new Map<Tier, Verdict>();
  const strictestFirst = [...rules].sort((a, b) => ACTIONS.indexOf(b.action) - ACTIONS.indexOf(a.action));
  for (const rule of strictestFirst) {
    for (const command of rule.commands) {
      const value = commandVerdict(rule, command);
      for (const glob of globsFor(rule.action, command)) commands.push({ glob, value });
    }
    for (const tier of rule.tiers) if (!tiers.has(tier)) tiers.set(tier, tierVerdict(rule, tier));
  }
  return { commands: new GlobIndex(commands), hasCommands: commands.length > 0, tiers, rules };
}

/** The strictest of the rules that name the command or an alias of it; undefined when none does. */
export function findCommandRule(
  { commands, hasCommands }: RuleTable,
  { command, aliases }: Classification,
): Verdict | undefined {
  if (!hasCommands) return undefined;
  let strictest = command === "" ? undefined : commands.first(command.toLowerCase());
  for (const alias of aliases) {
    const found = commands.first(alias.toLowerCase());
    if (found !== undefined) strictest = stricterVerdict(strictest, found);
  }
  return strictest;
}

function commandVerdict(rule: Rule, command: CommandSelector): Verdict {
  return verdictOf(rule, `command '${command.text}'`);
}

function tierVerdict(rule: Rule, tier: Tier): Verdict {
  return verdictOf(rule, `tier ${tier}`);
}

function verdictOf({ action, path, line, group }: Rule, what: string): Verdict {
  const through = group === undefined ? "" : ` (group '${group}')`;
  return { action, rule: path, line, reason: `${what}${through} is ${DONE[action]}` };
}

/** The stricter of two verdicts; the first when they are equally strict or there is no other. */
export function stricterVerdict(first: Verdict | undefined, second: Verdict): Verdict {
  if (first === undefined) return second;
  return stricterAction(first.action, second.action) === first.action ? first : second;
}
