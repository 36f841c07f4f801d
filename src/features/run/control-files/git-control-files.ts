// Finds the files of a repository that an agent must not write: git runs programs that these files
// name, at the person's next `git status` outside. `.git` is a mount of its own, so that it cannot
// be moved away, and so is every folder between it and a file that is read-only. A `.git` that only
// an agent could have pointed elsewhere is not followed.

import { lstat, mkdir, readdir, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { UserError } from "../../../model/user-error.ts";
import type { Listed } from "./control-files.ts";
import { placesOf } from "./named-in-git-config.ts";
import { gitText, inFolderBelow, makeFile } from "./open-places.ts";

/** The mounts of a repository, in this order. */
export interface GitMounts {
  /** Folders that are mounted onto themselves, writable. */
  readonly writable: readonly string[];
  /** Files and folders that are read-only. */
  readonly readOnly: readonly string[];
}

/** Nested repositories that are protected. */
const NESTED_MAX = 64;
/** Submodules in submodules, and parts of their names. */
const MODULES_DEPTH = 16;
/** An agent may have made any number: each is a mount at the next start. */
const FOLDERS_MAX = 4_000;

/** The mounts for every repository in a writable folder that was looked through; `home` is the person's. */
export async function gitMounts(listed: readonly Listed[], home?: string): Promise<GitMounts> {
  const writable: string[] = [];
  const readOnly: string[] = [];
  const withGit = listed.filter(({ names }) => names.has(".git"));
  for (const { path: at } of withGit.slice(0, NESTED_MAX)) {
    const directory = await gitDirectoryOf(at);
    if (directory === undefined) continue;
    if (directory.isFile) readOnly.push(join(at, ".git"));
    await protect({ top: listed[0]?.path ?? at, directory: directory.common }, writable, readOnly);
    await protectNamed(directory.common, at, home, writable, readOnly);
  }
  return { writable: [...new Set(writable)], readOnly: [...new Set(readOnly)] };
}

/** The root of the work tree that a folder is in; undefined outside of one. */
export async function workTreeOf(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await lstat(join(at, ".git")).catch(() => undefined);
    if (found !== undefined && !found.isSymbolicLink()) return at;
    if (at === dirname(at)) return undefined;
  }
}

/** The common git directory behind `<at>/.git`; undefined when it cannot be trusted to be one. */
export async function gitDirectoryOf(
  at: string,
): Promise<{ readonly common: string; readonly isFile: boolean } | undefined> {
  const path = join(at, ".git");
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory()) return { common: path, isFile: false };
  if (!found?.isFile()) return undefined;
  const pointed = /^gitdir: (.+)\n?$/.exec(await gitText(path))?.[1];
  const directory = pointed && (await realpath(resolve(at, pointed)).catch(() => undefined));
  if (!directory) return undefined;
  // The directory must point back: an agent of an earlier run could write `.git`, but not there.
  const back = await gitText(join(directory, "gitdir"));
  if (back.trim() === path && /\/worktrees\/[^/]+$/.test(directory))
    return { common: dirname(dirname(directory)), isFile: true };
  const config = await gitText(join(directory, "config"));
  const tree = /^\s*worktree\s*=\s*(.+)$/m.exec(config)?.[1];
  const isSubmodule = tree !== undefined && (await realpath(resolve(directory, tree)).catch(() => "")) === at;
  return isSubmodule && /\/modules\//.test(directory) ? { common: directory, isFile: true } : undefined;
}

const CONTROL = ["config", "hooks", "commondir", "config.worktree", "info/attributes"] as const;

/** Adds the mounts of one git directory, and of those of its submodules and further work trees. */
async function protect(
  { top, directory }: { readonly top: string; readonly directory: string },
  writable: string[],
  readOnly: string[],
  depth = MODULES_DEPTH,
): Promise<void> {
  writable.push(directory);
  await inFolderBelow(...stepsTo(top, directory), async (open) => {
    // Without it an agent would make one that leads to a config of its own. `.` means what its absence means.
    await makeFile(open, "commondir", ".\n");
    await mkdir(`${open}/hooks`).catch(() => undefined);
  });
  for (const name of CONTROL) {
    const path = join(directory, name);
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined || found.isSymbolicLink()) continue;
    if (name.includes("/")) writable.push(dirname(path));
    readOnly.push(path);
  }
  await protectWorkTrees(join(directory, "worktrees"), writable, readOnly);
  await protectModules({ top, directory: join(directory, "modules") }, writable, readOnly, depth);
}

/** A folder below another, for going there step by step; by itself where it is elsewhere. */
function stepsTo(top: string, directory: string): [string, readonly string[]] {
  const way = relative(top, directory);
  if (way === "") return [top, []];
  return /^\.\.(?:\/|$)/.test(way) ? [directory, []] : [top, way.split("/")];
}

/** Adds what the configuration names in the work tree, there or not: hooks in a folder of the project, included files. */
async function protectNamed(
  common: string,
  at: string,
  home: string | undefined,
  writable: string[],
  readOnly: string[],
): Promise<void> {
  for (const { kind, path } of await placesOf(common, at, home)) {
    const top = path.startsWith(`${common}/`) ? common : at;
    const makes = kind === "hooks";
    // Through a link that an agent left it would be made outside of the project.
    const folder = makes ? path : dirname(path);
    await inFolderBelow(
      ...stepsTo(top, folder),
      async (open) => {
        if (!makes) await makeFile(open, basename(path), "");
      },
      { makes },
    );
    if ((await realpath(path).catch(() => undefined)) !== path) continue;
    const above: string[] = [];
    for (let each = dirname(path); each !== top; each = dirname(each)) above.unshift(each);
    writable.push(...above);
    readOnly.push(path);
  }
}

async function protectWorkTrees(folder: string, writable: string[], readOnly: string[]): Promise<void> {
  if (!(await isFolder(folder))) return;
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return;
  writable.push(folder);
  for (const name of names) {
    const at = join(folder, name);
    writable.push(at);
    for (const control of ["commondir", "gitdir", "config.worktree"])
      if (await Bun.file(join(at, control)).exists()) readOnly.push(join(at, control));
  }
}

async function protectModules(
  { top, directory: folder }: { readonly top: string; readonly directory: string },
  writable: string[],
  readOnly: string[],
  depth: number,
): Promise<void> {
  if (depth === 0 || !(await isFolder(folder))) return;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return;
  writable.push(folder);
  if (writable.length > FOLDERS_MAX)
    throw new UserError(`'${top}' has more than ${FOLDERS_MAX} folders of repositories`, {
      hint: "start the agent in a folder below it",
    });
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const directory = join(folder, entry.name);
    const isModule = await Bun.file(join(directory, "HEAD")).exists();
    // A submodule's name may hold slashes: then there are folders between.
    if (isModule) await protect({ top, directory }, writable, readOnly, depth - 1);
    else await protectModules({ top, directory }, writable, readOnly, depth - 1);
  }
}

/** A link to one is none: it would lead out of the repository. */
async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}
