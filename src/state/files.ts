// How files of the state directory come into being: whole or not at all, readable by their owner
// only unless given otherwise. Every other module that writes a file there goes through here; the
// journals and the log, which append, are the exceptions.

import { constants } from "node:fs";
import { access, chmod, mkdir, open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "../model/user-error.ts";
import { syncWhole } from "./durable.ts";
import { directoryMode, type StatePaths } from "./paths.ts";

/** The code of a system error, `"ENOENT"`; undefined for anything else that was thrown. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

let serial = 0;

/**
 * Replaces a file in one step: temporary file beside it, fsync, rename, fsync of the directory. A symbolic
 * link stays one: its target is replaced. After a failure the old content is untouched and nothing is left
 * behind.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.${++serial}.tmp`);
  const file = await open(temporary, "wx", mode);
  try {
    try {
      await file.chmod(mode); // the umask may have taken bits away
      await file.writeFile(data);
      await syncWhole(file);
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(target));
}

/** As `writeFileAtomic` for what need not survive a power loss, only the end of this program at any moment. */
export async function writeFileWhole(path: string, data: string, mode = 0o600): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${++serial}.tmp`);
  try {
    await writeFile(temporary, data, { mode, flag: "wx" });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a rename or a new name in this directory survive a power loss; where the platform cannot, does nothing. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await syncWhole(directory);
  } catch (error) {
    // Some file systems refuse fsync on directories; the rename is then as durable as they make it.
    if (errorCode(error) !== "EINVAL" && errorCode(error) !== "ENOTSUP") throw error;
  } finally {
    await directory.close();
  }
}

/**
 * Creates the state directory, 0700, and takes other people's access away from one that exists. Throws a
 * `UserError` when it cannot be made, is not a directory, cannot be written or belongs to another user.
 */
export async function ensureStateDirectory(paths: StatePaths): Promise<void> {
  for (const directory of new Set([paths.root, paths.config])) await ensureDirectory(directory);
}

async function ensureDirectory(path: string): Promise<void> {
  const mode = directoryMode(path);
  try {
    await mkdir(path, { recursive: true, mode });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw unusable(path, error);
  }
  const found = await stat(path).catch((error: unknown) => {
    throw unusable(path, error);
  });
  if (!found.isDirectory())
    throw new UserError(`'${path}' is not a directory`, {
      hint: "move it away, or set IDDIO_HOME to another place",
    });
  const uid = process.getuid?.();
  // Files that root made in somebody's directory would lock them out of their own state later.
  if (uid !== undefined && found.uid !== uid)
    throw new UserError(`'${path}' belongs to user ${found.uid}, not to you (user ${uid})`, {
      hint: "run iddio as its owner, or set IDDIO_HOME to another place",
    });
  try {
    if ((found.mode & 0o077 & ~mode) !== 0 || (found.mode & mode) !== mode) await chmod(path, mode);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): UserError {
  const why = {
    EACCES: "permission denied",
    EPERM: "operation not permitted",
    EROFS: "the file system is read-only",
    ENOTDIR: "a part of the path is not a directory",
    ENOSPC: "the disk is full",
    ELOOP: "too many symbolic links",
  }[errorCode(cause) ?? ""];
  return new UserError(`cannot use the state directory '${path}': ${why ?? String(cause)}`, {
    hint: `make it yours and writable (chmod u+rwx '${path}'), or set IDDIO_HOME to another place`,
    cause,
  });
}
