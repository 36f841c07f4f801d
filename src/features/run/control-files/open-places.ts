// Reads and makes files where an agent may write at the same moment: folder by folder through open
// ones, without following links, without waiting for a FIFO and without reading more than git would
// have written.

import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open } from "node:fs/promises";

/** More than git writes for itself. */
const SMALL_BYTES = 256 * 1024;
/** A configuration with thousands of branches is a tenth of this. */
const LARGE_BYTES = 4 * 1024 * 1024;

/** A folder that is no link; `link` for a link, undefined for anything else. */
export async function openFolder(path: string | Buffer): Promise<FileHandle | "link" | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "ELOOP" && code !== "ENOTDIR") return undefined;
    return (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true ? "link" : undefined;
  }
}

/** The path by which an open folder is reached, whatever becomes of its name. */
export function pathOf({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}

/**
 * Opens a folder below another step by step, and does the work there. Does nothing where a link or a file is in the
 * way, or where a folder is missing that it is not to make.
 */
export async function inFolderBelow(
  root: string,
  steps: readonly (string | Buffer)[],
  work: (open: string) => Promise<void>,
  { makes = false }: { readonly makes?: boolean } = {},
): Promise<void> {
  let handle = await openFolder(root);
  for (const step of steps) {
    if (handle === undefined || handle === "link") return;
    const path = Buffer.concat([Buffer.from(`${pathOf(handle)}/`), Buffer.from(step)]);
    if (makes) await mkdir(path).catch(() => undefined);
    const next = await openFolder(path);
    await handle.close();
    handle = next;
  }
  if (handle === undefined || handle === "link") return;
  try {
    await work(pathOf(handle));
  } finally {
    await handle.close();
  }
}

/** Makes a file in an open folder, unless something of its name is there. */
export async function makeFile(folder: string, name: string, text: string): Promise<void> {
  const file = await open(`${folder}/${name}`, "wx", 0o644).catch(() => undefined);
  await file?.writeFile(text);
  await file?.close();
}

/** The text of a file that git reads, wherever links lead; empty for anything else. */
export async function gitText(path: string): Promise<string> {
  return (await plainText(path, constants.O_RDONLY | constants.O_NOCTTY, LARGE_BYTES)) ?? "";
}

/** Undefined: not there. Null: a link, no regular file, or too large to be one that git wrote. */
export async function ownGitText(folder: string, name: string): Promise<string | null | undefined> {
  return plainText(`${folder}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW, SMALL_BYTES);
}

async function plainText(path: string, flags: number, max: number): Promise<string | null | undefined> {
  const file = await open(path, flags | constants.O_NONBLOCK).catch((error: unknown) =>
    (error as { code?: unknown }).code === "ENOENT" ? undefined : null,
  );
  if (!file) return file;
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > max) return null;
    const bytes = Buffer.alloc(found.size);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return bytes.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
