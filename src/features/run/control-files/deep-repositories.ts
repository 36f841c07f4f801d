// Repositories anywhere in a folder that an agent may write, however deep. A person's `git status`
// in the folder goes into each that the index names, and runs what its configuration says. The
// kernel's times tell what the agent has changed: nobody can set those back.

import { lstatSync, readdirSync } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cleanRepository, type TakeAway } from "./clean-repository.ts";
import { gitDirectoryOf } from "./git-control-files.ts";
import { inFolderBelow } from "./open-places.ts";

/** Of the system: a program of the agent would not tell of its own files. */
const FIND_PATH = "/usr/bin:/bin:/run/current-system/sw/bin";
const SLASH = 0x2f;

/** A `.git` below a folder. */
export interface DeepRepository {
  /** Names that are no UTF-8 are mangled in it. */
  readonly path: string;
  /** The names from the folder to the one that it is in. */
  readonly steps: readonly Buffer[];
}

/** Every `.git` below a folder, on the same file system; links are not followed. */
export async function repositoriesBelow(folder: string): Promise<readonly DeepRepository[]> {
  const program = Bun.which("find", { PATH: FIND_PATH });
  if (program === null) return walk(folder, []);
  // Names may be any bytes, which only a program of the system hands over whole.
  const find = Bun.spawn([program, folder, "-xdev", "-mindepth", "1", "-name", ".git", "-prune", "-print0"], {
    cwd: "/",
    env: { LC_ALL: "C" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const text = Buffer.from(await new Response(find.stdout).arrayBuffer());
  const found: DeepRepository[] = [];
  for (let at = 0, end = text.indexOf(0); end >= 0; at = end + 1, end = text.indexOf(0, at)) {
    const below = text.subarray(at + Buffer.byteLength(folder) + 1, end);
    found.push({ path: text.toString("utf8", at, end), steps: stepsOf(below).slice(0, -1) });
  }
  return found;
}

/** Without that program; names that are no UTF-8 are passed over. */
async function walk(folder: string, steps: readonly string[]): Promise<readonly DeepRepository[]> {
  const found: DeepRepository[] = [];
  const at = join(folder, ...steps);
  for (const entry of await readdir(at, { withFileTypes: true }).catch(() => []))
    if (entry.name === ".git")
      found.push({ path: join(at, ".git"), steps: steps.map((each) => Buffer.from(each)) });
    else if (entry.isDirectory()) found.push(...(await walk(folder, [...steps, entry.name])));
  return found;
}

function stepsOf(path: Buffer): readonly Buffer[] {
  const steps: Buffer[] = [];
  for (let at = 0; at <= path.length; ) {
    const slash = path.indexOf(SLASH, at);
    const end = slash < 0 ? path.length : slash;
    steps.push(path.subarray(at, end));
    at = end + 1;
  }
  return steps;
}

/** Cleans what an agent has changed in one of them since a moment, which is the change time of a file. */
export async function cleanDeep(
  folder: string,
  { path, steps }: DeepRepository,
  sinceMs: number,
  take: TakeAway,
): Promise<void> {
  await inFolderBelow(folder, steps, async (open) => {
    const found = await lstat(`${open}/.git`).catch(() => undefined);
    if (found?.isDirectory())
      await inFolderBelow(`${open}/.`, [".git"], (git) =>
        cleanRepository(git, take, (name) => isOlder(join(git, name), sinceMs)),
      );
    else if (found !== undefined && found.ctimeMs >= sinceMs)
      if (found.isSymbolicLink() || (await gitDirectoryOf(dirname(path))) === undefined)
        await take(open, ".git");
  });
}

/** Whether nothing at a path was changed since: a file, or a folder and what is in it. */
function isOlder(path: string, beforeMs: number): boolean {
  try {
    const found = lstatSync(path);
    if (found.ctimeMs >= beforeMs) return false;
    return !found.isDirectory() || readdirSync(path).every((name) => isOlder(join(path, name), beforeMs));
  } catch {
    return false;
  }
}
