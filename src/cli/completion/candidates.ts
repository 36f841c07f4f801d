// Lists the words that may stand at the cursor, by the registry alone. Pure. If only the daemon
// knows the values, the result is a question for it; nothing is proposed that the command would
// refuse.

import type { ArgumentSpec, Command, Completes, FlagSpec } from "../kit/command.ts";

/** A word and its summary. */
export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** The words themselves, or what to ask for; `prefix` comes before each value, as in `--host=`. */
export type Candidates =
  | { readonly kind: "words"; readonly words: readonly Candidate[] }
  | {
      readonly kind: "ask";
      readonly what: Completes;
      readonly args: readonly string[];
      readonly prefix: string;
    };

const NOTHING: Candidates = { kind: "words", words: [] };

/** `words` are those after `iddio`, the last being the unfinished word, perhaps empty. */
export function candidatesFor(
  words: readonly string[],
  commands: readonly Command[],
  nouns: Readonly<Record<string, string>>,
): Candidates {
  const visible = commands.filter(({ isHidden }) => isHidden !== true);
  const before = words.slice(0, -1);
  const partial = words.at(-1) ?? "";
  if (before[0] === "help") return nextWords(before.slice(1), visible, nouns);
  const command = commandAt(before, visible);
  if (command === undefined) {
    const next = nextWords(before, visible, nouns);
    if (before.length > 0 || next.kind !== "words") return next;
    const general = [
      { value: "help", about: "Explain a command" },
      ...(partial.startsWith("-") ? [HELP, { value: "--version", about: "Print the version" }] : []),
    ];
    return { kind: "words", words: [...next.words, ...general] };
  }
  return withinCommand(command, before.slice(command.name.split(" ").length), partial);
}

const HELP: Candidate = { value: "--help", about: "Explain this command" };

function commandAt(before: readonly string[], commands: readonly Command[]): Command | undefined {
  for (let length = before.length; length > 0; length -= 1) {
    const name = before.slice(0, length).join(" ");
    const command = commands.find((each) => each.name === name);
    if (command !== undefined) return command;
  }
  return undefined;
}

/** The words that may follow those of a command's name. */
function nextWords(
  before: readonly string[],
  commands: readonly Command[],
  nouns: Readonly<Record<string, string>>,
): Candidates {
  const lead = before.map((word) => `${word} `).join("");
  const words = new Map<string, string>();
  for (const { name, summary } of commands) {
    if (!name.startsWith(lead)) continue;
    const [next = "", ...more] = name.slice(lead.length).split(" ");
    if (!words.has(next)) words.set(next, more.length === 0 ? summary : (nouns[lead + next] ?? ""));
  }
  return { kind: "words", words: [...words].map(([value, about]) => ({ value, about })) };
}

function withinCommand(command: Command, rest: readonly string[], partial: string): Candidates {
  const flags = command.flags ?? [];
  const given = new Set<string>();
  const args: string[] = [];
  let awaiting: FlagSpec | undefined;
  let isFlagsOver = false;
  for (const word of rest) {
    if (awaiting !== undefined) awaiting = undefined;
    else if (isFlagsOver || !word.startsWith("-") || word === "-") {
      args.push(word);
      if (command.isRaw === true) isFlagsOver = true;
    } else if (word === "--") isFlagsOver = true;
    else {
      const [name = "", inline] = word.slice(2).split("=", 2);
      const spec = flags.find((each) => each.name === name || each.alias === name);
      given.add(spec?.name ?? name);
      if (spec?.value !== undefined && inline === undefined) awaiting = spec;
    }
  }
  if (awaiting !== undefined) return valuesOf(awaiting, args, "");
  if (!isFlagsOver && partial.startsWith("--") && partial.includes("=")) {
    const name = partial.slice(2, partial.indexOf("="));
    const spec = flags.find(
      (each) => (each.name === name || each.alias === name) && each.value !== undefined,
    );
    return spec === undefined ? NOTHING : valuesOf(spec, args, `--${name}=`);
  }
  const spec = argumentAt(command, args.length);
  if (!isFlagsOver && (partial.startsWith("-") || spec === undefined)) {
    const left = flags.filter((each) => each.isRepeatable === true || !given.has(each.name));
    const words = left.map(({ name, summary }) => ({ value: `--${name}`, about: summary }));
    return { kind: "words", words: [...words, HELP] };
  }
  return spec === undefined ? NOTHING : valuesOf(spec, args, "");
}

function argumentAt({ args = [] }: Command, index: number): ArgumentSpec | undefined {
  const last = args.at(-1);
  return args[index] ?? (last?.isRest === true ? last : undefined);
}

function valuesOf(
  { choices, completes }: Pick<ArgumentSpec, "choices" | "completes">,
  args: readonly string[],
  prefix: string,
): Candidates {
  if (choices !== undefined)
    return { kind: "words", words: choices.map((value) => ({ value: prefix + value, about: "" })) };
  if (completes !== undefined) return { kind: "ask", what: completes, args, prefix };
  return NOTHING;
}
