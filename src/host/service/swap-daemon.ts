// Puts another program in the daemon's place, and back; and keeps the database as it was while a
// new version is tried, because that may change it in a way that the old one refuses. The old
// binary lies beside the new one until it is settled.

import { copyFile, link, rename, rm } from "node:fs/promises";
import type { StatePaths } from "../../state/paths.ts";
import { placeProgram } from "./daemon-binary.ts";

/** A swap that can still be undone. */
export interface Swap {
  /** Puts the previous binary back. */
  restore(): Promise<void>;
  /** The new one stays: removes the old one. */
  settle(): Promise<void>;
}

/** A copy of the database that can be put back. The daemon must not be running. */
export async function keepDatabase(paths: StatePaths): Promise<Swap> {
  const kept = `${paths.database}.previous`;
  const isThere = await copyIfThere(paths.database, kept);
  // One that was killed leaves a journal, and rows that are nowhere else in it.
  const hasJournal = isThere && (await copyIfThere(`${paths.database}-wal`, `${kept}-wal`));
  return {
    async restore() {
      if (!isThere) return;
      for (const suffix of ["-wal", "-shm"]) await rm(`${paths.database}${suffix}`, { force: true });
      await rename(kept, paths.database);
      if (hasJournal) await rename(`${kept}-wal`, `${paths.database}-wal`);
    },
    async settle() {
      for (const path of [kept, `${kept}-wal`]) await rm(path, { force: true });
    },
  };
}

function copyIfThere(from: string, to: string): Promise<boolean> {
  return copyFile(from, to).then(
    () => true,
    () => false,
  );
}

/** Makes `program` the daemon's, in one step. The daemon must not be running. */
export async function swapDaemon(paths: StatePaths, program: string): Promise<Swap> {
  const kept = `${paths.daemonBinary}.previous`;
  await rm(kept, { force: true });
  // A second name for the same file costs nothing; the new program is a new file.
  await link(paths.daemonBinary, kept);
  await placeProgram(program, paths.daemonBinary);
  return {
    async restore() {
      await rename(kept, paths.daemonBinary);
    },
    async settle() {
      await rm(kept, { force: true });
    },
  };
}
