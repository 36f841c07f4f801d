// Whether a user becomes root without being asked for anything: then an agent of that user does
// too, and what belongs to root is no protection. Only a root daemon asks; sudo is started by its
// absolute path.

import { userName } from "../../host/process/user-name.ts";

const SUDO = "/usr/bin/sudo";
const FRESH_MS = 10 * 60_000;
const SUDO_MS = 2_000;

let last: { readonly uid: number; readonly isFree: boolean; readonly untilMs: number } | undefined;

/** Whether sudo lets this user run something as root without a password; false where it cannot be asked. */
export function isRootFree(uid: number | undefined): boolean {
  if (uid === undefined || uid === 0 || process.getuid?.() !== 0) return false;
  if (last?.uid === uid && last.untilMs > performance.now()) return last.isFree;
  let isFree = false;
  try {
    const { stdout, success } = Bun.spawnSync([SUDO, "-n", "-l", "-U", userName(uid)], {
      stdin: "ignore",
      stderr: "ignore",
      env: { LC_ALL: "C" },
      timeout: SUDO_MS,
    });
    isFree = success && /NOPASSWD:|!authenticate/.test(stdout.toString());
  } catch {
    // There is no sudo here.
  }
  last = { uid, isFree, untilMs: performance.now() + FRESH_MS };
  return isFree;
}
