// The texts of `iddio help`: the overview, one noun, one command. Made from the registry, so that
// no command can be without help. Everything fits 80 columns. Knows nothing of how commands run.

import { displayWidth } from "../text/display-width.ts";
import { wrapWords } from "../text/wrap.ts";
import type { Command } from "./kit/command.ts";
import { hasInlineChoices, usageOf } from "./kit/parse-argv.ts";
import { NOUNS } from "./registry.ts";

const WIDTH = 80;
/** A left column that is wider than this has a line of its own. */
const LEFT_MAX = 30;

/** The first words of all commands with their summaries, one a line. */
export function renderFirstWords(commands: readonly Command[]): readonly string[] {
  const firsts = new Set(commands.map(({ name }) => name.split(" ")[0] ?? ""));
  return columns([...firsts].map((first) => [`  ${first}`, aboutFirst(first, commands)]));
}

/** Renders the output of `iddio` without arguments. */
export function renderOverview(commands: readonly Command[], version: string): string {
  return [
    `iddio ${version}: security gateway for AI agents`,
    "",
    "usage: iddio <command> [arguments] [flags]",
    "",
    ...renderFirstWords(commands),
    "",
    "more about one: iddio help <command>",
    "",
  ].join("\n");
}

/** A command's summary, or a noun's summary and the words that may follow it. */
function aboutFirst(first: string, commands: readonly Command[]): string {
  const own = commands.filter(({ name }) => name === first || name.startsWith(`${first} `));
  const verbs = [...new Set(own.map(({ name }) => name.split(" ")[1]))].filter((verb) => verb !== undefined);
  const about = NOUNS[first] ?? own[0]?.summary ?? "";
  return verbs.length === 0 ? about : `${about}: ${verbs.join(", ")}`;
}

/** Lines of usage that fit a screen; where there are more, only names and summaries are listed. */
const MOST_USAGE_LINES = 20;

/** The commands that begin with one noun. */
export function renderNoun(noun: string, commands: readonly Command[]): string {
  const own = commands.filter(({ name }) => name.startsWith(`${noun} `));
  const about = NOUNS[noun];
  const inFull = own.flatMap((command) => [...usageLines(command, "  "), `      ${command.summary}`]);
  const inShort = () =>
    columns(own.map(({ name, summary }) => [`  ${name.slice(noun.length + 1)}`, summary]));
  return [
    ...(about === undefined ? [] : [`${noun}: ${about}`, ""]),
    ...(inFull.length > MOST_USAGE_LINES ? inShort() : inFull),
    "",
    `more about one: iddio help ${noun} <command>`,
    "",
  ].join("\n");
}

/** One command's usage, arguments, flags and examples. */
export function renderCommand(command: Command): string {
  const lines = [command.summary, "", ...usageLines(command, "usage: ")];
  if (command.details !== undefined) lines.push("", ...paragraphs(command.details).flatMap(detailLines));
  const listed = (command.args ?? []).filter((spec) => spec.choices !== undefined && !hasInlineChoices(spec));
  if (listed.length > 0) {
    lines.push("", "arguments:");
    lines.push(...columns(listed.map(({ name, choices }) => [`  <${name}>`, (choices ?? []).join(", ")])));
  }
  if (command.flags !== undefined && command.flags.length > 0) {
    lines.push("", "flags:", ...columns(command.flags.map(flagRow)));
  }
  if (command.examples !== undefined) {
    lines.push("", "examples:", ...command.examples.map((example) => `  ${example}`));
  }
  return `${lines.join("\n")}\n`;
}

/** Joins a line that is too long for a screen to the next one where its sentence goes on there. */
function paragraphs(details: readonly string[]): string[] {
  const joined: string[] = [];
  let goesOn = false;
  for (const line of details) {
    if (goesOn) joined.push(`${joined.pop() ?? ""} ${line}`);
    else joined.push(line);
    goesOn = displayWidth(line) > WIDTH && /^\S/.test(line) && !/[.:;!?]$/.test(line);
  }
  return joined;
}

/** A line of details; one that is too long goes on under its last column. */
function detailLines(line: string): string[] {
  if (displayWidth(line) <= WIDTH) return [line];
  const lead = /^(?:\s*\S+(?: \S+)*\s{2,})?/.exec(line)?.[0] ?? "";
  const [first = "", ...more] = wrapWords(line.slice(lead.length), WIDTH - lead.length);
  return [lead + first, ...more.map((each) => " ".repeat(lead.length) + each)];
}

function flagRow(flag: NonNullable<Command["flags"]>[number]): readonly [string, string] {
  const choices = flag.choices === undefined ? "" : ` (${flag.choices.join(", ")})`;
  return [`  --${flag.name}${flag.value === undefined ? "" : ` <${flag.value}>`}`, flag.summary + choices];
}

/** The usage, continued under its first argument; a flag is never torn from its value. */
function usageLines(command: Command, lead: string): string[] {
  const name = `iddio ${command.name}`;
  const words = usageOf(command)
    .slice(name.length)
    .trim()
    .replaceAll(/\[[^\]]*\]|<[^>]*>/g, (part) => part.replaceAll(" ", "\0"));
  const indent = " ".repeat(lead.length + name.length + 1);
  const [first = "", ...more] = wrapWords(words, WIDTH - indent.length);
  return [`${lead}${name} ${first}`.trimEnd(), ...more.map((line) => indent + line)].map((line) =>
    line.replaceAll("\0", " "),
  );
}

/** Two columns, the right one wrapped. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const widths = rows.map(([left]) => displayWidth(left)).filter((width) => width <= LEFT_MAX);
  const left = Math.max(0, ...widths) + 2;
  return rows.flatMap(([name, text]) => {
    const wrapped = wrapWords(text, WIDTH - left).map((line) => " ".repeat(left) + line);
    if (displayWidth(name) > LEFT_MAX) return [name, ...wrapped];
    return [name + (wrapped[0] ?? "").slice(displayWidth(name)), ...wrapped.slice(1)];
  });
}
