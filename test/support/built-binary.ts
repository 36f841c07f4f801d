// dist/iddio for tests that drive the real program: built when it is missing or older than a
// source. IDDIO_BINARY names another one instead.

import { join } from "node:path";
import { isStale } from "../../packaging/release/stale.ts";
import { PROJECT_ROOT } from "./source-files.ts";

let path: string | undefined;

/** Absolute path of the compiled program. Throws with the build's own words when it does not build. */
export function builtBinary(): string {
  if (path !== undefined) return path;
  const given = process.env.IDDIO_BINARY;
  const own = join(PROJECT_ROOT, "dist", "iddio");
  if (given === undefined && isStale(PROJECT_ROOT, own)) {
    const build = Bun.spawnSync([process.execPath, join(PROJECT_ROOT, "build.ts"), "--if-stale"]);
    if (!build.success) throw new Error(`the program does not build:\n${build.stderr}${build.stdout}`);
  }
  path = given ?? own;
  return path;
}
