// The unix sockets of this machine that have a path. A read-only mount does not stop a connection
// to one, so those that would be visible inside are covered: their folder where it holds nothing
// else that is needed, else the file.

import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The sockets that were covered. */
export interface CoveredSockets {
  /** Folders that are shown empty. */
  readonly folders: readonly string[];
  /** Single sockets. */
  readonly files: readonly string[];
}

/** Folders that much else is in. */
const SHARED =
  /^\/(?:|usr|usr\/.*|etc|var|var\/(?:lib|log|cache|spool|opt)|opt|srv|mnt|media|lib.*|bin|sbin|home|root)$/;

/**
 * Sockets that are not below one of `hidden` (shown empty anyway). A socket below one of `kept` stays
 * visible, wherever it is.
 */
export async function coveredSockets(
  hidden: readonly string[],
  kept: readonly string[],
): Promise<CoveredSockets> {
  const folders = new Set<string>();
  const files = new Set<string>();
  for (const path of [...(await socketPaths()), ...(await socketsIn(kept))]) {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) continue;
    const isKept = kept.some((each) => isBelow(real, each));
    if (!isKept && hidden.some((each) => isBelow(real, each))) continue;
    const found = await stat(real).catch(() => undefined);
    if (!found?.isSocket()) continue;
    const folder = dirname(real);
    const isNeeded = kept.some((each) => isBelow(each, folder) || isBelow(folder, each));
    if (SHARED.test(folder) || isNeeded) files.add(real);
    else folders.add(folder);
  }
  return { folders: [...folders], files: [...files] };
}

/** Whether a path is a folder or lies in it. */
export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** Looked for in folders that an agent is given: a socket of another network namespace is in no list. */
const DEPTH = 4;
const SKIPPED = new Set(["node_modules", "objects", "target", ".venv"]);

async function socketsIn(folders: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  const look = async (at: string, depth: number): Promise<void> => {
    for (const entry of await readdir(at, { withFileTypes: true }).catch(() => [])) {
      if (entry.isSocket()) found.push(join(at, entry.name));
      else if (depth > 0 && entry.isDirectory() && !SKIPPED.has(entry.name))
        await look(join(at, entry.name), depth - 1);
    }
  };
  for (const folder of folders) await look(folder, DEPTH);
  return found;
}

async function socketPaths(): Promise<readonly string[]> {
  const text = await readFile("/proc/net/unix", "utf8").catch(() => "");
  const paths = text.split("\n").map((line) => /^\S+: \S+ \S+ \S+ \S+ \S+ +\d+ (\/.+)$/.exec(line)?.[1]);
  return [...new Set(paths.filter((path) => path !== undefined))];
}
