// iddio(1), made from the registry, so that no command can be missing from it. roff with the man
// macros; everything that comes from a spec is escaped, because a line that begins with a dot would
// be an instruction.

import type { Command } from "./kit/command.ts";
import { usageOf } from "./kit/parse-argv.ts";
import { NOUNS } from "./registry.ts";

/** The page. Its date is that of the version. */
export function renderManPage(commands: readonly Command[], version: string): string {
  const visible = commands.filter(({ isHidden }) => isHidden !== true);
  const lines = [
    `.TH IDDIO 1 "${version.replace(/^v(\d\d)\.(\d\d)(\d\d)\..*$/, "20$1-$2-$3")}" "iddio ${version}" "User Commands"`,
    ".SH NAME",
    "iddio \\- security gateway for AI agents",
    ".SH SYNOPSIS",
    ".B iddio",
    ".I command",
    "[\\fIarguments\\fR] [\\fIflags\\fR]",
    ".SH DESCRIPTION",
    ...paragraph(
      "iddio sits between the command-line tools that AI agents run and the APIs behind them. Reads pass, writes wait for a person, the worst is refused, and an audit log says what happened.",
    ),
    ".PP",
    ...paragraph(
      "Only hosts that policy.yaml lists under inspect: are intercepted; every other connection passes through untouched.",
    ),
    ".SH COMMANDS",
    ...visible.flatMap(commandLines),
    ".SH FILES",
    ...definition("~/.iddio/", "The state directory, 0700; IDDIO_HOME moves it."),
    ...definition(
      "~/.iddio/policy.yaml",
      "The rules that allow, hold and refuse requests; read again when it is saved.",
    ),
    ...definition("~/.iddio/settings.yaml", "The settings of the daemon; see iddio settings get."),
    ...definition("~/.iddio/audit.jsonl", "The audit log, a JSON row a line; only ever appended to."),
    ...definition("~/.iddio/ca-bundle.pem", "The certificates that the system trusts, and iddio's own."),
    ".SH ENVIRONMENT",
    ...definition("IDDIO_HOME", "The state directory."),
    ...definition("NO_COLOR", "Set to anything: no colour."),
    ".SH EXIT STATUS",
    ...definition("0", "Done."),
    ...definition("1", "Refused or failed."),
    ...definition("2", "Wrong usage."),
    "",
  ];
  return lines.join("\n");
}

function commandLines(command: Command, index: number, all: readonly Command[]): string[] {
  const noun = command.name.split(" ")[0] ?? "";
  const about = NOUNS[noun];
  const isFirst = all.findIndex(({ name }) => name.split(" ")[0] === noun) === index;
  return [
    ...(isFirst && about !== undefined ? [`.SS "${roff(noun)}: ${roff(about)}"`] : []),
    ".TP",
    `.B ${roff(usageOf(command))}`,
    `${roff(command.summary)}.`,
    ...(command.details ?? []).flatMap((line) => [".br", roff(line)]),
    ...(command.flags ?? []).flatMap(({ name, value, summary }) => [
      ".RS",
      ".TP",
      `.B \\-\\-${roff(name)}${value === undefined ? "" : ` <${roff(value)}>`}`,
      roff(summary),
      ".RE",
    ]),
  ];
}

function paragraph(text: string): string[] {
  return [roff(text)];
}

function definition(term: string, text: string): string[] {
  return [".TP", `.B ${roff(term)}`, roff(text)];
}

/** Backslashes and hyphens as they are typed; a leading dot or quote as text. */
function roff(text: string): string {
  const flat = text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll('"', "\\(dq");
  return /^[.']/.test(flat) ? `\\&${flat}` : flat;
}
