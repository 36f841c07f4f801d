// Bytes that survive a power loss. fsync does that on Linux; on macOS it only hands them to the
// drive, which may keep them in its cache and write them out of order. There F_BARRIERFSYNC orders
// them, cheaply, and F_FULLFSYNC has the drive write them, which takes as long as the drive takes.

import type { FileHandle } from "node:fs/promises";
import { cSymbol } from "./c-symbol.ts";

type Fcntl = (fd: number, command: number) => number;

const F_FULLFSYNC = 51;
const F_BARRIERFSYNC = 85;

let systems: Fcntl | null | undefined;

/** The system's fcntl on macOS; none elsewhere, where fsync is enough. */
function fcntlOfMac(): Fcntl | undefined {
  if (process.platform !== "darwin") return undefined;
  systems ??= cSymbol<Fcntl>("fcntl", { args: ["i32", "i32"], returns: "i32" }) ?? null;
  return systems ?? undefined;
}

/** For rows, a batch at a time: on macOS what comes later is never there without these. */
export async function syncOrdered(
  file: Pick<FileHandle, "datasync" | "fd">,
  fcntl = fcntlOfMac(),
): Promise<void> {
  await file.datasync();
  // A file system that knows no barrier (SMB, FAT) is flushed whole, as libuv does.
  if (fcntl !== undefined && fcntl(file.fd, F_BARRIERFSYNC) !== 0) fcntl(file.fd, F_FULLFSYNC);
}

/** For files that are replaced whole (keys, policy): they are on the medium when this resolves. */
export async function syncWhole(file: FileHandle, fcntl = fcntlOfMac()): Promise<void> {
  await file.sync();
  fcntl?.(file.fd, F_FULLFSYNC);
}
