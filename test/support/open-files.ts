// How many files a gateway has open. Its process is closed to other programs of its user, so only
// root can count, and only where there is /proc; elsewhere nothing is known and the answer is none.

import { readdirSync } from "node:fs";

/** Open files of a process; 0 where they cannot be counted. */
export function openFiles(pid: number): number {
  if (process.platform !== "linux") return 0;
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return 0;
    throw error;
  }
}
