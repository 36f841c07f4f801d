// A repository that an agent has made or moved: what in it would make the person's next git command
// run a program is taken out, the rest stays and works. Links are not followed, and every step goes
// by an open folder.

import { constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { harmlessPart } from "./harmless-git-config.ts";

/** Takes one entry of an open folder away. */
export type TakeAway = (folder: string, name: string) => Promise<void>;

const CONFIG_MAX = 256 * 1024;
const DEPTH = 6;

/**
 * Cleans the git directory that is open as `folder` (`/proc/self/fd/N`). The agent could not change protected
 * files.
 */
export async function cleanRepository(
  folder: string,
  take: TakeAway,
  isProtected: (name: string) => boolean,
): Promise<void> {
  for (const name of ["config", "config.worktree"])
    if (!isProtected(name)) await cleanConfig(folder, name, take);
  if (!isProtected("commondir")) await expectText(folder, "commondir", /^(?:\.|\.\.\/\.\.)?\n?$/, take);
  if (!isProtected("hooks")) await cleanHooks(folder, take);
  await each(folder, "worktrees", take, async (inner) => {
    await expectText(inner, "commondir", /^\.\.\/\.\.\n?$/, take);
    await cleanConfig(inner, "config.worktree", take);
  });
  await cleanModules(folder, take, isProtected, DEPTH);
}

async function cleanModules(
  folder: string,
  take: TakeAway,
  isProtected: (name: string) => boolean,
  depth: number,
): Promise<void> {
  const inner = async (module: string, name: string): Promise<void> => {
    const names = await entriesOf(module);
    const below = (each: string) => isProtected(`modules/${name}/${each}`);
    if (names.some((entry) => entry.name === "HEAD")) await cleanRepository(module, take, below);
    // A submodule's name may hold slashes.
    else if (depth > 0)
      for (const entry of names)
        if (entry.isDirectory())
          await within(module, entry.name, take, (deeper) => inner(deeper, `${name}/${entry.name}`));
  };
  await each(folder, "modules", take, inner);
}

async function each(
  folder: string,
  name: string,
  take: TakeAway,
  work: (inner: string, name: string) => Promise<void>,
): Promise<void> {
  await within(folder, name, take, async (list) => {
    for (const entry of await entriesOf(list))
      await within(list, entry.name, take, (inner) => work(inner, entry.name));
  });
}

/** Opens a folder in an open one. A link in its place is taken away. */
async function within(
  folder: string,
  name: string,
  take: TakeAway,
  work: (inner: string) => Promise<void>,
): Promise<void> {
  const handle = await openFolder(`${folder}/${name}`);
  if (handle === "link") return take(folder, name);
  if (handle === undefined) return;
  try {
    await work(pathOf(handle));
  } finally {
    await handle.close();
  }
}

/** A folder that is no link; `link` for a link, undefined for anything else. */
export async function openFolder(path: string): Promise<FileHandle | "link" | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "ELOOP" && code !== "ENOTDIR") return undefined;
    return (await isLink(path)) ? "link" : undefined;
  }
}

/** The path by which an open folder is reached, whatever becomes of its name. */
export function pathOf({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() === true;
}

async function cleanConfig(folder: string, name: string, take: TakeAway): Promise<void> {
  const text = await textOf(folder, name);
  if (text === undefined) return;
  const harmless = text === null ? "" : harmlessPart(text);
  if (text === harmless) return;
  await take(folder, name);
  // Without any configuration it would be no repository any more.
  const file = await open(`${folder}/${name}`, "wx", 0o644).catch(() => undefined);
  await file?.writeFile(harmless);
  await file?.close();
}

async function expectText(folder: string, name: string, wanted: RegExp, take: TakeAway): Promise<void> {
  const text = await textOf(folder, name);
  if (text === undefined || (text !== null && wanted.test(text))) return;
  await take(folder, name);
}

async function cleanHooks(folder: string, take: TakeAway): Promise<void> {
  await within(folder, "hooks", take, async (hooks) => {
    for (const { name } of await entriesOf(hooks)) if (!name.endsWith(".sample")) await take(hooks, name);
  });
}

/** Undefined: not there. Null: no regular file, or too large to be one that git wrote. */
async function textOf(folder: string, name: string): Promise<string | null | undefined> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(`${folder}/${name}`, flags).catch((error: unknown) =>
    (error as { code?: unknown }).code === "ENOENT" ? undefined : null,
  );
  if (!file) return file;
  try {
    const found = await file.stat();
    return found.isFile() && found.size <= CONFIG_MAX ? await file.readFile("utf8") : null;
  } finally {
    await file.close();
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}
