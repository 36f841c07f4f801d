// Rows that a receiver refused, in a file of the state directory: bounded, and never followed
// through a link.

import { constants } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { ForwardedEntry } from "./sink.ts";

const MAX_BYTES = 64 * 1024 * 1024;

/** Appends rows to this file, with the reason. */
export function putAsideFile(path: string): (row: ForwardedEntry, reason: string) => Promise<void> {
  return async (row, reason) => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
    const file = await open(path, flags, 0o600);
    try {
      if ((await file.stat()).size < MAX_BYTES) await file.appendFile(`${JSON.stringify({ reason, row })}\n`);
    } finally {
      await file.close();
    }
  };
}
