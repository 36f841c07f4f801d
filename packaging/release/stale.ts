// Whether dist/iddio is older than what it is built from. Asked by the build and by every test that drives the program.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** True when a source is newer than the program at `output`, or there is none. */
export function isStale(root: string, output: string): boolean {
  const built = statSync(output, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).map((file) => join("src", file));
  return ["build.ts", "package-lock.json", ...files].some((file) => statSync(join(root, file)).mtimeMs > built);
}
