// The daemon lays a run's sandbox out for its caller, where it sees the very same files: it is the
// same user, in the same mount namespace, below the same root. A system's daemon is another user,
// in a namespace of its own; then `iddio run` does it.

import { readlinkSync } from "node:fs";
import type { ControlHandlers } from "../../api/handlers.ts";
import type { Principal } from "../../api/principal.ts";
import type { RunLayout, RunPlace } from "../../api/run-report.ts";
import { removeFolder } from "../../host/process/remove-folder.ts";
import type { StatePaths } from "../../state/paths.ts";
import { layOut, scratchOf } from "./lay-out.ts";
import { loadProfile, type Profile } from "./profile.ts";
import { placeholdersFrom } from "./run-placeholders.ts";

/** Whether a path means the same file here and at the caller. */
export function seesSameFiles({ pid, uid }: Principal, place: RunPlace, paths: StatePaths): boolean {
  if (pid === undefined || uid === undefined || uid !== process.getuid?.()) return false;
  if (place.state !== paths.root || place.config !== paths.config) return false;
  try {
    return ["ns/mnt", "ns/user", "root"].every(
      (each) => readlinkSync(`/proc/${pid}/${each}`) === readlinkSync(`/proc/self/${each}`),
    );
  } catch {
    return false;
  }
}

/** The profile of a run that is to be laid out. Throws UserError when there is none of that name. */
export function profileOf(name: string, paths: StatePaths): Promise<Profile> {
  return loadProfile(name, paths.profiles);
}

/** Lays it out, or leaves nothing of it. Throws UserError for a place that an agent must not be given. */
export async function layOutFor(
  input: Omit<Parameters<typeof layOut>[0], "placeholders">,
  { credentials_placeholders }: Pick<ControlHandlers, "credentials_placeholders">,
  caller: Principal,
): Promise<RunLayout> {
  const ask = async (run_id?: string) =>
    (await credentials_placeholders(run_id === undefined ? {} : { run_id }, caller)).placeholders;
  try {
    return await layOut({ ...input, placeholders: placeholdersFrom(ask, input.run.id) });
  } catch (error) {
    await removeFolder(scratchOf(input.paths, input.run.id));
    throw error;
  }
}
