// Moves a full log out of the way: name → name.1 → name.2 …, the oldest dropped. For iddio.log and
// observe.jsonl; audit.jsonl is never rotated by us.

import { rename, rm } from "node:fs/promises";
import { errorCode } from "./files.ts";

/** Shifts the numbered copies up by one and the file itself to `.1`, keeping at most `keep` copies. */
export async function rotate(path: string, keep: number): Promise<void> {
  await rm(`${path}.${keep}`, { force: true });
  for (let number = keep - 1; number >= 0; number--) {
    try {
      await rename(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`);
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }
}
