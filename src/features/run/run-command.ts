// Reads a command line of `iddio run`: the profile, the program, and the name of the run. The same
// on every system.

import { basename } from "node:path";
import { loadProfile, type Profile } from "./profile.ts";
import type { RunContext, RunOptions } from "./start-run.ts";

/** The profile that the command line names, or that the program's name stands for. Throws UserError when there is none. */
export function profileFor({ paths }: RunContext, options: RunOptions): Promise<Profile> {
  return loadProfile(options.profile ?? guessProfile(options.command), paths.profiles);
}

/** The command to start: the typed one, the profile's, or a shell. */
export function commandOf(profile: Profile, { env }: RunContext, { command }: RunOptions): readonly string[] {
  if (command.length > 0) return command;
  return profile.command.length > 0 ? profile.command : [env.SHELL || "/bin/sh"];
}

/** The input with which the daemon begins a run. */
export function startOf(
  { name, localPorts, keepHome, withPresence }: RunOptions,
  profile: Profile,
  command: readonly string[],
) {
  return {
    name: name ?? nameOf(basename(command[0] ?? profile.name)),
    ...(name === undefined ? { may_number: true } : {}),
    profile: profile.name,
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

function guessProfile(command: readonly string[]): string {
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
