// Deletes the parts of an installation. By list, never by sweeping the directory: IDDIO_HOME may
// have been set to a directory that holds other things. A file that is not on the list stays, and
// so does the directory then.

import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { StatePaths } from "../../state/paths.ts";

/** The files that were removed and those that were left. */
export interface Removal {
  readonly removed: readonly string[];
  readonly left: readonly string[];
}

/** Names that begin like one of ours and end in what we add to names: databases' journals, rotated and broken files. */
const SUFFIX = /^(?:-wal|-shm|-journal|\.\d+|\.new|\.broken|\.previous(?:-wal)?)$/;

/** Removes binary, socket and marker, and unless data is kept everything but the audit log. */
export async function removeInstallation(
  paths: StatePaths,
  { isDataKept }: { readonly isDataKept: boolean },
): Promise<Removal> {
  const removed: string[] = [];
  const left: string[] = [];
  const take = async (path: string) => {
    await rm(path, { force: true, recursive: true });
    removed.push(path);
  };
  const binaries = dirname(paths.daemonBinary);
  if (existsSync(binaries)) await take(binaries);
  for (const folder of new Set([paths.root, paths.config])) {
    for (const name of (await readdir(folder).catch(() => [])).sort()) {
      const path = join(folder, name);
      if (isInstallation(path, paths) || (!isDataKept && isData(path, paths))) await take(path);
      else left.push(path);
    }
    // The audit log and strangers' files keep it.
    await rmdir(folder).then(
      () => removed.push(folder),
      () => undefined,
    );
  }
  return { removed, left };
}

function isInstallation(path: string, paths: StatePaths): boolean {
  return path === paths.socket || path === paths.installMode;
}

function isData(path: string, { audit, root, config, ...paths }: StatePaths): boolean {
  if (path === audit) return false;
  const name = basename(path);
  // Left behind by a write that was cut off.
  if (/^\..+\.\d+\.\d+\.tmp$/.test(name)) return true;
  return Object.values(paths).some(
    (own: unknown) =>
      typeof own === "string" &&
      dirname(own) === dirname(path) &&
      name.startsWith(basename(own)) &&
      (name === basename(own) || SUFFIX.test(name.slice(basename(own).length))),
  );
}
