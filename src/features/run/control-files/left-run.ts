// The last look for files that would start programs outside, of a run whose `iddio run` was killed
// before it could look: the daemon does it, by notes in the run's folder, which no agent sees.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunLayout } from "../../../api/run-report.ts";
import type { Run } from "../../../gateway/request/runs/runs.ts";
import type { StatePaths } from "../../../state/paths.ts";
import { type Moved, Quarantine } from "./quarantine.ts";

const NOTES = "last-look.json";
/** The kernel ends an agent's processes one after the other. */
const ENDING_MS = 1_000;

type Notes = Pick<RunLayout, "writable" | "allowed" | "read_only" | "control_files">;

/** Notes in a run's folder the places that are to be looked at, and what was there before. */
export async function noteForLastLook(
  scratch: string,
  { writable, allowed, read_only, control_files }: Notes,
): Promise<void> {
  const notes: Notes = { writable, allowed, read_only, control_files };
  await writeFile(join(scratch, NOTES), JSON.stringify(notes), { mode: 0o600 });
}

/** Looks a last time, after all processes of the run have had time to end; gives the moved files. */
export async function lastLook({ id, startedMs }: Run, paths: StatePaths): Promise<readonly Moved[]> {
  const text = await readFile(join(paths.runs, id, NOTES), "utf8").catch(() => undefined);
  if (text === undefined) return [];
  const { writable, allowed, read_only, control_files } = JSON.parse(text) as Notes;
  await Bun.sleep(ENDING_MS);
  const quarantine = Quarantine.begin({
    folders: writable,
    into: join(paths.quarantine, id),
    allowed,
    readOnly: read_only,
    sinceMs: startedMs,
    known: new Map(control_files.map(({ path, ...file }) => [path, file])),
  });
  return quarantine.end();
}
