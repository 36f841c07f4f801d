// The texts of `iddio help`: the overview, one noun, one command. Made from the registry, so that no
// command can be without help. Knows nothing of how commands run.

import { renderTable } from "../text/table.ts";
import type { Command } from "./command.ts";
import { usageOf } from "./parse-argv.ts";

/** The list of all commands. */
export function renderOverview(commands: readonly Command[], version: string): string {
  const rows = commands.map((command) => [`  ${command.name}`, command.summary]);
  return [
    `iddio ${version}: security gateway for AI agents`,
    "",
    "usage: iddio <command> [arguments] [flags]",
    "",
    ...renderTable(rows),
    "",
    "more about one: iddio help <command>",
    "",
  ].join("\n");
}

/** The commands that begin with one noun. */
export function renderNoun(noun: string, commands: readonly Command[]): string {
  const own = commands.filter(({ name }) => name.startsWith(`${noun} `));
  return [
    "usage:",
    ...renderTable(own.map((command) => [`  ${usageOf(command)}`, command.summary])),
    "",
  ].join("\n");
}

/** One command's usage, flags and examples. */
export function renderCommand(command: Command): string {
  const flags = (command.flags ?? []).map((flag) => {
    const choices = flag.choices === undefined ? "" : ` (${flag.choices.join(", ")})`;
    return [`  --${flag.name}${flag.value === undefined ? "" : ` <${flag.value}>`}`, flag.summary + choices];
  });
  const lines = [command.summary, "", `usage: ${usageOf(command)}`];
  if (command.details !== undefined) lines.push("", ...command.details);
  if (flags.length > 0) lines.push("", "flags:", ...renderTable(flags));
  if (command.examples !== undefined) {
    lines.push("", "examples:", ...command.examples.map((example) => `  ${example}`));
  }
  return `${lines.join("\n")}\n`;
}
