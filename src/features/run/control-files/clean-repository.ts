// A repository that an agent has made or moved: what in it would make the person's next git command
// run a program is taken out, the rest stays and works. Links are not followed, and every step goes
// by an open folder.

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { harmlessPart } from "./harmless-git-config.ts";
import { makeFile, openFolder, ownGitText, pathOf } from "./open-places.ts";

/** Takes one entry of an open folder away. */
export type TakeAway = (folder: string, name: string) => Promise<void>;

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
  await each(folder, "worktrees", take, async (inner, name) => {
    await expectText(inner, "commondir", /^\.\.\/\.\.\n?$/, take);
    if (!isProtected(`worktrees/${name}/config.worktree`)) await cleanConfig(inner, "config.worktree", take);
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

async function cleanConfig(folder: string, name: string, take: TakeAway): Promise<void> {
  const text = await ownGitText(folder, name);
  if (text === undefined) return;
  const harmless = text === null ? "" : harmlessPart(text);
  if (text === harmless) return;
  await take(folder, name);
  // Without any configuration it would be no repository any more.
  await makeFile(folder, name, harmless);
}

async function expectText(folder: string, name: string, wanted: RegExp, take: TakeAway): Promise<void> {
  const text = await ownGitText(folder, name);
  if (text === undefined || (text !== null && wanted.test(text))) return;
  await take(folder, name);
}

async function cleanHooks(folder: string, take: TakeAway): Promise<void> {
  await within(folder, "hooks", take, async (hooks) => {
    for (const { name } of await entriesOf(hooks)) if (!name.endsWith(".sample")) await take(hooks, name);
  });
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}
