// Opens files whose content decides what is let through (policy, settings, certificates): never waits for a FIFO or a
// device, never reads without a bound, and takes nothing that another user owns or may write, as sshd does.

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  type Stats,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";

/** O_NONBLOCK: a FIFO without a writer, or a terminal, would otherwise be waited for. */
export const READ_WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** What was opened, or why it is not used, as a clause. */
export type TrustedFile = { readonly file: FileHandle; readonly found: Stats } | { readonly refused: string };

/**
 * Opens for reading. Refused when it is no regular file, larger than `maxBytes`, or open to others. Throws what `open`
 * throws, ENOENT for a file that is missing.
 */
export async function openTrusted(path: string, maxBytes: number): Promise<TrustedFile> {
  const file = await open(path, READ_WITHOUT_WAITING);
  try {
    const found = await file.stat();
    const refused = refusedBecause(found, maxBytes) ?? openToOthers(path, found);
    if (refused === undefined) return { file, found };
    await file.close();
    return { refused };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

/** Reads the whole file as text; throws an `Error` that says why it is not used. */
export async function readTrusted(path: string, maxBytes: number): Promise<string> {
  const opened = await openTrusted(path, maxBytes);
  if ("refused" in opened) throw new Error(`"${path}": ${opened.refused}`);
  try {
    const buffer = Buffer.alloc(opened.found.size);
    const { bytesRead } = await opened.file.read(buffer, 0, buffer.length, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await opened.file.close();
  }
}

/**
 * The same for callers that cannot wait. `owner` is a further user whose files count: the one whom a system's daemon
 * serves. Throws an `Error` that says why the file is not used.
 */
export function readTrustedSync(path: string, maxBytes: number, owner?: number): string {
  const descriptor = openSync(path, READ_WITHOUT_WAITING);
  try {
    const found = fstatSync(descriptor);
    const refused = refusedBecause(found, maxBytes) ?? openToOthers(path, found, owner);
    if (refused !== undefined) throw new Error(`"${path}": ${refused}`);
    const buffer = Buffer.alloc(found.size);
    return buffer.toString("utf8", 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

function refusedBecause(found: Stats, maxBytes: number): string | undefined {
  if (!found.isFile()) return "it is not a file";
  if (found.size <= maxBytes) return undefined;
  return `it is larger than ${maxBytes >= 2 ** 20 ? `${maxBytes / 2 ** 20} MiB` : `${maxBytes / 1024} KiB`}`;
}

/** Why somebody else could change this file; undefined when only its user and root can. */
function openToOthers(path: string, found: Stats, owner?: number): string | undefined {
  const uid = process.getuid?.();
  if (uid === undefined) return undefined;
  const real = realpathSync(path);
  const users = [0, uid, ...(owner === undefined ? [] : [owner])];
  const why = writableByOthers(found, users);
  if (why !== undefined) return `${why} (chmod 600 and chown it, or it is not used)`;
  for (let at = dirname(real); at !== "/"; at = dirname(at)) {
    const folder = lstatSync(at);
    // In a folder with the sticky bit nobody replaces what is another's.
    if ((folder.mode & 0o1000) !== 0 && users.includes(folder.uid)) continue;
    const problem = writableByOthers(folder, users);
    if (problem !== undefined) return `of its folder "${at}": ${problem}`;
  }
  return undefined;
}

function writableByOthers({ uid, gid, mode }: Stats, users: readonly number[]): string | undefined {
  if (!users.includes(uid)) return `it belongs to user ${uid}`;
  if ((mode & 0o002) !== 0) return `everybody may write it (mode ${octal(mode)})`;
  // Many systems give each user a group of its own and let that group write.
  if ((mode & 0o020) !== 0 && gid !== 0 && !users.some((user) => isOwnGroup(gid, user)))
    return `group ${gid} may write it (mode ${octal(mode)})`;
  return undefined;
}

/** Whether nobody but this user is in the group, by /etc/passwd and /etc/group. */
function isOwnGroup(gid: number, user: number): boolean {
  const [users, groups] = ["/etc/passwd", "/etc/group"].map(readIfThere);
  const fields = (text = "") => text.split("\n").map((line) => line.split(":"));
  const name = fields(users).find((each) => each[2] === String(user))?.[0];
  const group = fields(groups).find((each) => each[2] === String(gid));
  if (name === undefined || group === undefined || group[0] !== name) return false;
  const members = (group[3] ?? "").split(",").filter((member) => member !== "" && member !== name);
  const primary = fields(users).filter((each) => each[3] === String(gid) && each[0] !== name);
  return members.length === 0 && primary.length === 0;
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, "0");
}
