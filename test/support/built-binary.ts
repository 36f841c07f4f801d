// dist/iddio for tests that drive the real program: built when it is missing or older than a
// source. IDDIO_BINARY names another one instead.

import { chmodSync, copyFileSync, linkSync, statSync } from "node:fs";
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

/**
 * The program at another path, where another user can read it too. Root's own has a second name there, which costs
 * nothing; else it is a copy of a hundred and fifty megabytes, which a test may spoil.
 */
export function placeProgram(place: string, program: string = builtBinary()): void {
  if (process.getuid?.() === 0 && isLinked(program, place)) return;
  copyFileSync(program, place);
  chmodSync(place, 0o755);
}

function isLinked(program: string, place: string): boolean {
  const { mode, uid } = statSync(program);
  if (uid !== 0 || (mode & 0o777) !== 0o755) return false;
  try {
    linkSync(program, place);
    return true;
  } catch {
    // Another file system.
    return false;
  }
}
