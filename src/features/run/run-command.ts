// The profile of a command line of `iddio run`, and the command where none is typed. The same on
// every system.

import { loadProfile, type Profile } from "./profile.ts";
import { guessProfile } from "./run-name.ts";
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
