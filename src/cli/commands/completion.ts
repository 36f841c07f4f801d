// `iddio completion`: a script for the shell, and the answers to that script at each Tab. The
// script contains no names of commands, so it stays right after an upgrade.

import { ControlClient } from "../../api/client.ts";
import { renderCompletion } from "../../text/completion-script.ts";
import { escapeForTerminal } from "../../text/escape.ts";
import { SHELLS } from "../../text/shell-init.ts";
import { cutColumns } from "../../text/wrap.ts";
import type { Command } from "../kit/command.ts";

/** Anyone who presses Tab does not wait for a daemon that hangs. */
const PATIENCE_MS = 700;
const ABOUT_COLUMNS = 70;

/** Prints the script. */
export const completionCommand: Command = {
  name: "completion",
  summary: "Print the script that completes iddio's commands in your shell",
  args: [{ name: "shell", choices: SHELLS }],
  details: [
    'bash:  eval "$(iddio completion bash)"          in ~/.bashrc',
    'zsh:   eval "$(iddio completion zsh)"           in ~/.zshrc, after compinit',
    "fish:  iddio completion fish | source           in ~/.config/fish/config.fish",
  ],
  async run({ args, output }) {
    const shell = SHELLS.find((name) => name === args[0]);
    if (shell !== undefined) output.write(renderCompletion(shell));
  },
};

/** Answers one Tab: `value<Tab>description` a line, or `:files`. Never fails, never prints an error. */
export const completeCommand: Command = {
  name: "__complete",
  summary: "Answer the completion script",
  args: [{ name: "words", isRest: true, isOptional: true }],
  isRaw: true,
  isHidden: true,
  async run({ args, output, paths }) {
    const { candidatesFor } = await import("../completion/candidates.ts");
    const { COMMANDS, NOUNS } = await import("../registry.ts");
    const partial = args.at(-1) ?? "";
    const found = candidatesFor(args, COMMANDS, NOUNS);
    let words = found.kind === "words" ? found.words : [];
    if (found.kind === "ask") {
      const { what, prefix } = found;
      if (what === "file") return output.line(":files");
      const { knownValues } = await import("../completion/known-values.ts");
      const daemon = new ControlClient(paths.socket, { timeoutMs: PATIENCE_MS });
      const question = { what, args: found.args, partial: partial.slice(prefix.length), daemon, paths };
      const values = await knownValues(question).catch(() => []);
      words = values.map(({ value, about }) => ({ value: prefix + value, about }));
    }
    for (const { value, about } of words) {
      // A value that a shell or a terminal would take for something else is not worth a keystroke.
      if (!value.startsWith(partial) || escapeForTerminal(value) !== value) continue;
      output.line(about === "" ? value : `${value}\t${cutColumns(escapeForTerminal(about), ABOUT_COLUMNS)}`);
    }
  },
};
