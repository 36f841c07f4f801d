// docs/commands.md, made from the registry: whatever a command says of itself in `--help`, for
// reading in a browser.

import { renderCommand } from "../../../src/cli/help.ts";
import { COMMANDS, NOUNS } from "../../../src/cli/registry.ts";

/** The whole page. */
export function renderCommandReference(): string {
  const visible = COMMANDS.filter(({ isHidden }) => isHidden !== true);
  const firsts = [...new Set(visible.map(({ name }) => name.split(" ")[0] ?? ""))];
  const parts = [
    "# Commands",
    "",
    "Made from the program's own help by `bun test/support/update-readme.ts`; `iddio help <command>` prints the same. Exit codes: 0 done,",
    "1 refused or failed, 2 wrong usage. What was asked for is on stdout, everything else on stderr; `--json` is a stable contract.",
  ];
  for (const first of firsts) {
    const own = visible.filter(({ name }) => name === first || name.startsWith(`${first} `));
    parts.push("", `## ${first}`);
    const about = NOUNS[first];
    if (about !== undefined) parts.push("", `${about}.`);
    for (const command of own) {
      if (command.name !== first) parts.push("", `### ${command.name}`);
      const [summary = "", ...rest] = renderCommand(command).trimEnd().split("\n");
      parts.push("", `${summary}.`, "", "```", ...rest.slice(1), "```");
    }
  }
  return `${parts.join("\n")}\n`;
}
