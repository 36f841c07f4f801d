// The folders below one that an agent may write, remembered from look to look: a folder that the
// kernel says is unchanged is not read again, only asked. A name that comes or goes moves the time
// of change (ctime) of its folder, and nobody can set that back. Links are not followed. Where
// times or names do not tell enough, every folder is read at every look.

import { type Dirent, lstatSync, readdirSync, type Stats, statfsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  FIRST_PARTS,
  FOLDERS_MAX,
  foldersIn,
  isLookedInto,
  type Listed,
  NEAR_DEPTH,
  REPOSITORY_NAMES,
} from "./control-files.ts";
import { type DeepRepository, repositoriesBelow } from "./deep-repositories.ts";

/** The findings of one look. */
export interface Looked {
  /** The folder and those a few levels below it; of their names those that control files may have. */
  readonly near: readonly Listed[];
  /** Every `.git`, however deep. */
  readonly repositories: readonly DeepRepository[];
  /** The number of folders that were read for it, of those that are remembered. */
  readonly read: number;
}

/** One folder as it was read. */
interface Read {
  readonly inode: number;
  readonly changedMs: number;
  /** Whether no later change can have the same time. */
  readonly isSettled: boolean;
  readonly names: ReadonlySet<string>;
  readonly below: Map<string, Read | undefined> | undefined;
}

interface Step {
  readonly path: string;
  readonly name: string;
  readonly holder: Map<string, Read | undefined>;
  /** Levels that are left to look for control files in; below zero: none. */
  readonly near: number;
}

/** File systems whose times the kernel keeps itself: ext, xfs, btrfs, tmpfs, overlay, f2fs, zfs, bcachefs. */
const KEPT_BY_KERNEL = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0xf2f52010, 0x2fc12fc1, 0xca451a4e,
]);
/** The clock of files is coarser than ours; on some file systems it counts seconds. */
const COARSE_MS = 50;
const COARSE_SECONDS_MS = 3_000;
/** The person's terminal waits no longer than this. */
const SLICE_MS = 5;
/** In octets: a folder that is larger is read on another thread. */
const LARGE_FOLDER = 64 * 1024;
const REMEMBERED_MAX = 300_000;
const NOTHING: ReadonlySet<string> = new Set();
/** Stands for octets that are no UTF-8, by which a folder could not be found again. */
const MANGLED = "\ufffd";

/** Looks at one folder again and again. */
export class FolderTree {
  readonly #folder: string;
  readonly #top = new Map<string, Read | undefined>();
  #canRemember: boolean;

  constructor(folder: string) {
    this.#folder = folder;
    this.#canRemember = keepsTimes(folder);
  }

  /** Whether a further look reads only what has changed. */
  get remembers(): boolean {
    return this.#canRemember;
  }

  /** Looks at all of it. Throws the signal's reason when it is aborted meanwhile. */
  async look(signal?: AbortSignal): Promise<Looked> {
    if (this.#canRemember) {
      const looked = await this.#walk(signal);
      if (looked !== undefined) return looked;
      this.#canRemember = false;
      this.#top.clear();
    }
    return this.#readAll();
  }

  /** Looks for the last time. Where it is the first time as well, nothing needs to be remembered. */
  lookLast(): Promise<Looked> {
    return this.#top.size === 0 ? this.#readAll() : this.look();
  }

  async #readAll(): Promise<Looked> {
    const [near, repositories] = await Promise.all([
      foldersIn(this.#folder),
      repositoriesBelow(this.#folder),
    ]);
    return { near, repositories, read: 0 };
  }

  /** Undefined where a path or a name cannot be followed. */
  async #walk(signal: AbortSignal | undefined): Promise<Looked | undefined> {
    const near: Listed[] = [];
    const repositories: DeepRepository[] = [];
    const todo: Step[] = [{ path: this.#folder, name: "", holder: this.#top, near: NEAR_DEPTH }];
    let device: number | undefined;
    let count = 0;
    let readCount = 0;
    signal?.throwIfAborted();
    let began = performance.now();
    let nowMs = Date.now();
    for (let step = todo.pop(); step !== undefined; step = todo.pop()) {
      if (performance.now() - began > SLICE_MS) {
        await new Promise(setImmediate);
        signal?.throwIfAborted();
        began = performance.now();
        nowMs = Date.now();
      }
      const { path, name, holder } = step;
      const found = statusOf(path);
      if (found === "unreachable") return undefined;
      device ??= found?.dev;
      if (found === undefined || !found.isDirectory() || found.dev !== device) {
        holder.set(name, undefined);
        continue;
      }
      let read = holder.get(name);
      if (!isSame(read, found)) {
        const fresh = await readFolder(path, found, { before: read, nowMs });
        if (fresh === undefined) return undefined;
        read = fresh;
        holder.set(name, read);
        readCount += 1;
      }
      count += 1;
      if (count > REMEMBERED_MAX) return undefined;
      const { names, below } = read;
      if (step.near >= 0 && near.length < FOLDERS_MAX) near.push({ path, names });
      if (names.has(".git"))
        repositories.push({ path: join(path, ".git"), steps: stepsBelow(this.#folder, path) });
      if (below === undefined) continue;
      // In the order in which the folder has them.
      for (const each of [...below.keys()].reverse())
        todo.push({
          path: `${path === "/" ? "" : path}/${each}`,
          name: each,
          holder: below,
          near: isLookedInto(each) ? step.near - 1 : -1,
        });
    }
    return { near, repositories, read: readCount };
  }
}

function isSame(read: Read | undefined, found: Stats): read is Read {
  return read?.isSettled === true && read.inode === found.ino && read.changedMs === found.ctimeMs;
}

function keepsTimes(folder: string): boolean {
  try {
    return KEPT_BY_KERNEL.has(Number(statfsSync(folder).type));
  } catch {
    return false;
  }
}

/** Undefined where nothing is, or nothing that this user may see. */
function statusOf(path: string): Stats | "unreachable" | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    return isHidden(error) ? undefined : "unreachable";
  }
}

/** Reads a folder whose status was asked for before; undefined where a name in it cannot be followed. */
async function readFolder(
  path: string,
  found: Stats,
  { before, nowMs }: { readonly before: Read | undefined; readonly nowMs: number },
): Promise<Read | undefined> {
  const names = new Set<string>();
  const below = new Map<string, Read | undefined>();
  const entries = await entriesOf(path, found);
  if (entries === "unreachable") return undefined;
  for (const entry of entries ?? []) {
    const { name } = entry;
    if (FIRST_PARTS.has(name) || REPOSITORY_NAMES.has(name)) names.add(name);
    if (name === ".git" || !mayBeFolder(entry)) continue;
    if (name.includes(MANGLED)) return undefined;
    below.set(name, before?.below?.get(name));
  }
  return {
    inode: found.ino,
    changedMs: found.ctimeMs,
    isSettled: entries !== undefined && isSettled(found.ctimeMs, nowMs),
    names: names.size === 0 ? NOTHING : names,
    below: below.size === 0 ? undefined : below,
  };
}

/** Whether no change from this moment on can have the same time as the last one. */
export function isSettled(changedMs: number, nowMs: number): boolean {
  return nowMs - changedMs > (changedMs % 1_000 === 0 ? COARSE_SECONDS_MS : COARSE_MS);
}

/** Undefined where it has gone, or this user may not read it. */
async function entriesOf(
  path: string,
  { size }: Stats,
): Promise<readonly Dirent[] | "unreachable" | undefined> {
  const options = { withFileTypes: true } as const;
  try {
    return size > LARGE_FOLDER ? await readdir(path, options) : readdirSync(path, options);
  } catch (error) {
    return isHidden(error) ? undefined : "unreachable";
  }
}

/** Some file systems do not say what a name is. */
function mayBeFolder(entry: Dirent): boolean {
  if (entry.isDirectory()) return true;
  return !(
    entry.isFile() ||
    entry.isSymbolicLink() ||
    entry.isFIFO() ||
    entry.isSocket() ||
    entry.isCharacterDevice() ||
    entry.isBlockDevice()
  );
}

function isHidden(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EACCES"].includes(String((error as { code?: unknown }).code));
}

function stepsBelow(folder: string, path: string): readonly Buffer[] {
  if (path === folder) return [];
  const way = path.slice(folder === "/" ? 1 : folder.length + 1);
  return way.split("/").map((each) => Buffer.from(each));
}
