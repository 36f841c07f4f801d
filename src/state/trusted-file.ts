// Opens files whose content decides about requests (policy, settings, certificates): never waits
// for a FIFO or a device, never reads without a bound, and takes nothing that another user owns or
// may write, as sshd does.

import { constants, lstatSync, readFileSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";

/** O_NONBLOCK: a FIFO without a writer, or a terminal, would otherwise be waited for. */
export const READ_WITHOUT_WAITING = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** More than any policy has. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** The opened file, or the reason why it is not used, as a clause. */
export type TrustedFile = { readonly file: FileHandle; readonly found: Stats } | { readonly refused: string };

/**
 * Opens for reading. Refused when it is no regular file, larger than `maxBytes`, or open to others. Throws what `open`
 * throws, ENOENT for a file that is missing.
 */
export async function openTrusted(path: string, maxBytes: number, owner?: number): Promise<TrustedFile> {
  const file = await open(path, READ_WITHOUT_WAITING);
  try {
    const found = await file.stat();
    const real = realPathOf(file, path);
    const refused =
      refusedBecause(found, maxBytes) ?? openToOthers(real, found, owner) ?? closedTo(owner, real, found);
    if (refused === undefined) return { file, found };
    await file.close();
    return { refused };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
}

/**
 * Reads the whole file as text; throws an `Error` that says why it is not used. `owner`: the user whom a system's daemon
 * serves, whose files count too, and who must be able to read the file that was opened.
 */
export async function readTrusted(path: string, maxBytes: number, owner?: number): Promise<string> {
  const opened = await openTrusted(path, maxBytes, owner);
  if ("refused" in opened) throw new Error(`'${path}': ${opened.refused}`);
  try {
    const buffer = Buffer.alloc(opened.found.size);
    const { bytesRead } = await opened.file.read(buffer, 0, buffer.length, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await opened.file.close();
  }
}

/**
 * The explanation for a file that macOS keeps from a background program, which gets no dialog about it;
 * undefined for other errors.
 */
export function keptOut(error: unknown, platform: NodeJS.Platform = process.platform): string | undefined {
  if (platform !== "darwin" || (error as { code?: unknown } | undefined)?.code !== "EPERM") return undefined;
  return "macOS keeps background programs out of Documents, Desktop, Downloads, iCloud and other disks; put it elsewhere";
}

/** The same of policy.yaml or settings.yaml; undefined when there is none. */
export async function readConfigFile(path: string): Promise<string | undefined> {
  try {
    return await readTrusted(path, MAX_CONFIG_BYTES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Whether a user could have opened the file, whose path has no symbolic link. Of a group's rights it is not known whether
 * the user has them, so they do not count.
 */
export function isReadableBy(uid: number, path: string, found: Stats): boolean {
  if (uid === 0) return true;
  const has = ({ uid: owner, mode }: Stats, own: number, others: number) =>
    (mode & (owner === uid ? own : others)) !== 0;
  if (!has(found, 0o400, 0o004)) return false;
  for (let at = dirname(path); ; at = dirname(at)) {
    if (!has(lstatSync(at), 0o100, 0o001)) return false;
    if (at === "/") return true;
  }
}

/** Where the file that was opened is, whatever has taken its name since. */
function realPathOf({ fd }: FileHandle, path: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return realpathSync(path);
  }
}

function closedTo(owner: number | undefined, real: string, found: Stats): string | undefined {
  return owner === undefined || isReadableBy(owner, real, found)
    ? undefined
    : `user ${owner} may not read it`;
}

function refusedBecause(found: Stats, maxBytes: number): string | undefined {
  if (!found.isFile()) return "it is not a file";
  if (found.size <= maxBytes) return undefined;
  return `it is larger than ${maxBytes >= 2 ** 20 ? `${maxBytes / 2 ** 20} MiB` : `${maxBytes / 1024} KiB`}`;
}

/** Why somebody else could change this file; undefined when only its user and root can. */
function openToOthers(real: string, found: Stats, owner?: number): string | undefined {
  const uid = process.getuid?.();
  if (uid === undefined) return undefined;
  const users = [0, uid, ...(owner === undefined ? [] : [owner])];
  const why = writableByOthers(found, users);
  if (why !== undefined) return `${why} (chmod 600 and chown it, or it is not used)`;
  for (let at = dirname(real); at !== "/"; at = dirname(at)) {
    const folder = lstatSync(at);
    // In a folder with the sticky bit nobody replaces another user's file.
    if ((folder.mode & 0o1000) !== 0 && users.includes(folder.uid)) continue;
    const problem = writableByOthers(folder, users);
    if (problem !== undefined) return `of its folder '${at}': ${problem}`;
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
