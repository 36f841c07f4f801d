// daemon.stderr.log, into which launchd appends the daemon's output. Owns its mode and its size:
// nobody else rotates it. launchd opens it for appending, so it can be emptied while it is open.

import { chmod, stat, truncate } from "node:fs/promises";

const LARGEST_BYTES = 1024 * 1024;

/** Empties the file when it has grown over 1 MiB, and keeps others out. Nothing happens where there is none. */
export async function boundDaemonErrors(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return;
  if ((found.mode & 0o077) !== 0) await chmod(path, 0o600).catch(() => undefined);
  if (found.size > LARGEST_BYTES) await truncate(path, 0).catch(() => undefined);
}
