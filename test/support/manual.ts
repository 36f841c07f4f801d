// The manual's text, when the shared folder is there.

import { readFileSync } from "node:fs";
import { sharedFile } from "./shared-data.ts";

/** A text file of the shared folder, or undefined (and one line saying so) when it is not there. */
export function sharedText(path: string): string | undefined {
  const file = sharedFile(path);
  return file === undefined ? undefined : readFileSync(file, "utf8");
}
