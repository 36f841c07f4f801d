// How many files and sockets this process may have open. Only Linux tells without a subprocess;
// elsewhere nothing is known, and callers fall back on a bound of their own.

import { readFileSync } from "node:fs";

/** The limit in force (Bun raises the soft one to the hard one at its start); undefined when unknown or unlimited. */
export function openFileLimit(): number | undefined {
  try {
    return parseOpenFileLimit(readFileSync("/proc/self/limits", "latin1"));
  } catch {
    return undefined;
  }
}

/** The soft limit in the text of /proc/<pid>/limits. */
export function parseOpenFileLimit(text: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
