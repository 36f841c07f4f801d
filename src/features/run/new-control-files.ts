// Files by which tools outside of the sandbox start programs, when an agent has made them during its run: those that were
// there are read-only, new ones cannot be kept from it, so the person is told of each at the end.

import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { escapeForTerminal } from "../../text/escape.ts";
import { repositoriesIn } from "./git-control-files.ts";
import { CONTROL_FILES } from "./sandbox-view.ts";

const LISTED_MAX = 20;

/** Every such file in these folders, repositories' `.git` included. */
export async function controlFilesIn(folders: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const folder of folders) {
    for (const name of CONTROL_FILES) {
      const path = join(folder, name);
      if (await lstat(path).catch(() => undefined)) found.add(path);
    }
    for (const repository of await repositoriesIn(folder)) found.add(join(repository, ".git"));
  }
  return found;
}

/** What to tell of the files that are there now and were not before; undefined when there is none. */
export function newFilesText(before: ReadonlySet<string>, after: ReadonlySet<string>): string | undefined {
  const fresh = [...after].filter((path) => !before.has(path));
  if (fresh.length === 0) return undefined;
  const listed = fresh.slice(0, LISTED_MAX).map((path) => `  ${escapeForTerminal(path)}`);
  const rest = fresh.length - listed.length;
  return [
    "new files by which programs outside of the sandbox may be started; look at them before you go on here:",
    ...listed,
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join("\n");
}
