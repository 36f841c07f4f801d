// wrangler's commands and flags, decoded from data/wrangler-commands.txt at the first look-up, and
// the tier of each command by its verb. A command that is not in the data is unknown.

import type { Tier } from "../../model/tier.ts";
import type { ArgvGrammar } from "../argv.ts";
import text from "./data/wrangler-commands.txt" with { type: "text" };

/** A tier with the clause that says why. */
export type WranglerRule = readonly [tier: Tier, reason: string];

interface Decoded {
  readonly values: ReadonlySet<string>;
  readonly switches: ReadonlySet<string>;
  /** By command: the flags that take a value there though they usually take none (`+`), and the reverse (`-`). */
  readonly odd: ReadonlyMap<string, readonly string[]>;
  /** Commands that only lead to others. */
  readonly groups: ReadonlySet<string>;
  /** As most commands have them. */
  readonly grammar: ArgvGrammar;
}

let decoded: Decoded | undefined;

/** First match counts; the subject is the command's words, joined by spaces. */
const RULES: readonly (readonly [pattern: RegExp, tier: Tier, reason: string])[] = [
  [/ ssh$|^tunnel (?:run|quick-start)$/, "break-glass", "opens a way in"],
  [/^cloudchamber curl$/, "break-glass", "sends any request"],
  [
    /issue-token$|broker issue$|registries credentials$|^cloudchamber ssh create$/,
    "break-glass",
    "issues a credential",
  ],
  [/\b(?:secret|secrets-store store) (?:list|get)$/, "observe", "lists names"],
  [/\bsecret |^secrets-store /, "sensitive", "writes secrets"],
  [/^(?:login|logout)$|^auth (?!list$)/, "sensitive", "handles a credential"],
  [/(?:^| )(?:delete|delete-[\w-]+|remove|purge|rm|revoke|terminate|terminate-all)$/, "sensitive", "deletes"],
  [/^d1 (?:time-travel|backup) restore$/, "sensitive", "overwrites a database"],
  [
    /^cert upload|^mtls-certificate upload$|broker (?:unrevoke|public-keys)$/,
    "sensitive",
    "stores a credential",
  ],
  [/^d1 (?:export|backup download)$/, "sensitive", "copies a database"],
  [
    /(?:^| )(?:list|ls|get|info|describe|status|view|show|show-[\w-]+|list-[\w-]+|get-[\w-]+|whoami|insights|instances|logs|stats|schema|search|models|history|changelog|docs|eval|evaluate|inspect|keyring)$/,
    "observe",
    "reads",
  ],
  [/^complete(?: |$)|^metrics$/, "observe", "reads"],
];

/** The rule of a command; undefined for one that wrangler does not have. */
export function wranglerRule(command: string): WranglerRule | undefined {
  decoded ??= decode();
  if (!decoded.odd.has(command)) return undefined;
  if (isGroup(command)) return ["observe", "prints help"];
  const rule = RULES.find(([pattern]) => pattern.test(command));
  return rule === undefined ? ["modify", "changes something"] : [rule[1], rule[2]];
}

/** The longest command that the words begin with; "" for none. */
export function wranglerCommand(words: readonly string[]): string {
  decoded ??= decode();
  for (let length = Math.min(words.length, 6); length > 0; length--) {
    const command = words.slice(0, length).join(" ");
    if (decoded.odd.has(command)) return command;
  }
  return "";
}

/** The names of all commands. */
export function wranglerCommandNames(): readonly string[] {
  decoded ??= decode();
  return [...decoded.odd.keys()];
}

/** Names that commands had in earlier versions. */
const OLD: ReadonlyMap<string, string> = new Map([
  ["publish", "deploy"],
  ["generate", "init"],
]);

/** The words of a command as it is spelled now: `kv:key put` was what is `kv key put`. */
export function wranglerWords([first = "", ...others]: readonly string[]): readonly string[] {
  const named = OLD.get(first) ?? first;
  return [...(/^[a-z]\w*:/.test(named) ? named.split(":") : [named]), ...others];
}

/** The name of a command in whatever spelling; undefined for what is none. */
export function wranglerPlainName(words: readonly string[]): string | undefined {
  const spelled = wranglerWords(words);
  const command = wranglerCommand(spelled);
  return command !== "" && command === spelled.join(" ") ? command : undefined;
}

/** Whether a command only leads to others. */
export function isGroup(command: string): boolean {
  decoded ??= decode();
  return decoded.groups.has(command);
}

/** The flags of a command; of none, as most commands have them. */
export function wranglerGrammar(command: string): ArgvGrammar {
  decoded ??= decode();
  const odd = decoded.odd.get(command) ?? [];
  if (odd.length === 0) return decoded.grammar;
  const values = new Set(decoded.values);
  const switches = new Set(decoded.switches);
  for (const one of odd) {
    const name = one.slice(1);
    (one.startsWith("+") ? switches : values).delete(name);
    (one.startsWith("+") ? values : switches).add(name);
  }
  return grammarOf(values, switches);
}

/** yargs takes `--no-x` for every switch. */
function grammarOf(values: ReadonlySet<string>, switches: ReadonlySet<string>): ArgvGrammar {
  const negated = [...switches].filter((name) => name.length > 1).map((name) => `no-${name}`);
  return { values, switches: new Set([...switches, ...negated]) };
}

function decode(): Decoded {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const [first = "", second = "", ...commands] = lines;
  const values = new Set(first.split(" "));
  const switches = new Set(second.split(" "));
  const odd = new Map<string, readonly string[]>();
  const groups = new Set<string>();
  for (const line of commands) {
    const words = line.split(" ");
    const name = words.filter((word) => !/^[+-]/.test(word));
    odd.set(
      name.join(" "),
      words.filter((word) => /^[+-]/.test(word)),
    );
    for (let length = 1; length < name.length; length++) groups.add(name.slice(0, length).join(" "));
  }
  return { values, switches, odd, groups, grammar: grammarOf(values, switches) };
}
