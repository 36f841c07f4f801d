// The names of a run and of its profile, read from the command line of `iddio run`. An agent waits
// for this: node:path and the profiles are not loaded.

import type { RunOptions } from "./start-run.ts";

/** The input with which the daemon begins a run. */
export function startOf(
  { name, localPorts, keepHome, withPresence }: RunOptions,
  profile: string,
  command: readonly string[],
) {
  return {
    name: name ?? nameOf(basename(command[0] ?? profile)),
    ...(name === undefined ? { may_number: true } : {}),
    profile: profile,
    command: command.join(" "),
    local_ports: localPorts,
    ...(keepHome ? { keep_home: true } : {}),
    ...(withPresence ? { with_presence: true } : {}),
  };
}

/** Derives a run's name from its program; the daemon adds a number where the name is taken. */
function nameOf(program: string): string {
  return (
    program
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, "-")
      .replace(/^[^a-z0-9]+/, "")
      .slice(0, 32) || "run"
  );
}

/** The profile that a program's name stands for. */
export function guessProfile(command: readonly string[]): string {
  const name = basename(command[0] ?? "shell");
  const known: Readonly<Record<string, string>> = {
    claude: "claude",
    codex: "codex",
    copilot: "copilot",
    "cursor-agent": "cursor",
    gemini: "gemini",
    opencode: "opencode",
  };
  return known[name] ?? "shell";
}

/** The last name of a path. */
function basename(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1) ?? "";
}
