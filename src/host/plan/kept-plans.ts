// Copies of saved plans that somebody was asked about. The copy is applied: the file in the agent's
// folder may have changed by the time that terraform opens it. In a run the agent sees its copies
// read-only.

import { chmod, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StatePaths } from "../../state/paths.ts";

/** Where a run's copies are in its sandbox. */
const SHOWN_IN_RUN = "/run/iddio/plans";
const KEPT_MAX = 50;

/** The copy of a plan as anyone who asks sees it. */
export function keptPlanPath(paths: StatePaths, run: string | undefined, sha256: string): string {
  return join(run === undefined ? paths.plans : SHOWN_IN_RUN, `${sha256}.tfplan`);
}

/** Keeps a copy, and gives up the oldest of many. */
export async function keepPlan(
  paths: StatePaths,
  run: string | undefined,
  sha256: string,
  bytes: Uint8Array,
): Promise<void> {
  const folder = run === undefined ? paths.plans : join(paths.runs, run, "run", "plans");
  // A daemon of another user keeps them for the person, who must be able to read the copy.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const path = join(folder, `${sha256}.tfplan`);
  await rm(path, { force: true });
  await writeFile(path, bytes, { flag: "wx", mode: 0o444 });
  await chmod(path, 0o444);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".tfplan"));
  if (names.length <= KEPT_MAX) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ name, ms: (await stat(join(folder, name))).mtimeMs })),
  );
  for (const { name } of aged.sort((a, b) => a.ms - b.ms).slice(0, names.length - KEPT_MAX))
    await rm(join(folder, name), { force: true });
}
