// Where the system's own programs are (systemctl, security, sudo, lsof, …). They are never looked
// for on PATH: a repository or a shell hook can put a look-alike there, and some of them run as
// root. Only folders of the system count, and only a file that nobody but root can change.

import { lstatSync, realpathSync, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { IS_SHIPPED } from "../../version.ts";
import type { Environment } from "./environment.ts";

/** The folders of the system, in the order in which they are searched. The last two are NixOS's and Guix's. */
export const SYSTEM_FOLDERS: readonly string[] = [
  "/usr/bin",
  "/bin",
  "/usr/sbin",
  "/sbin",
  "/run/current-system/sw/bin",
  "/run/current-system/profile/bin",
];

/** PATH for programs of the system. */
export const SYSTEM_PATH = SYSTEM_FOLDERS.join(":");

/**
 * Another folder, searched first: the tests' stand-ins for programs that this machine does not run. Undefined in every
 * program that is shipped, whatever the variable says.
 */
export function standInFolder(env: Environment): string | undefined {
  return IS_SHIPPED ? undefined : env.IDDIO_TEST_TOOLS;
}

/**
 * The platform by whose programs this machine is asked: its own. Tests whose stand-ins are another platform's may name
 * that one; like the stand-ins themselves this is nothing in a program that is shipped.
 */
export function toolPlatform(env: Environment): NodeJS.Platform {
  const named = standInFolder(env) === undefined ? undefined : env.IDDIO_TEST_PLATFORM;
  return named === "darwin" || named === "linux" ? named : process.platform;
}

/** Absolute path of a program of the system; undefined when there is none that only root can change. */
export function findSystemTool(name: string, env: Environment): string | undefined {
  if (!/^[\w.+-]+$/.test(name)) return undefined;
  const standIns = standInFolder(env)?.split(":").filter(Boolean) ?? [];
  for (const folder of standIns) {
    const path = join(folder, name);
    if (isProgram(lstatSync(path, { throwIfNoEntry: false }))) return path;
  }
  return SYSTEM_FOLDERS.map((folder) => join(folder, name)).find(isRootsAlone);
}

/** Whether the file, as far as links lead, and every folder above it can be changed by root alone. */
export function isRootsAlone(path: string): boolean {
  try {
    let at = realpathSync(path);
    const file = lstatSync(at);
    if (!isProgram(file) || !belongsToRoot(file)) return false;
    while (at !== "/") {
      at = dirname(at);
      if (!belongsToRoot(lstatSync(at))) return false;
    }
    return true;
  } catch {
    return false;
  }
}

function isProgram(found: Stats | undefined): boolean {
  return found?.isFile() === true && (found.mode & 0o111) !== 0;
}

/** In a folder with the sticky bit nobody replaces another user's file. */
function belongsToRoot({ uid, gid, mode }: Stats): boolean {
  const isSticky = (mode & 0o1000) !== 0;
  const othersMayWrite = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
  return uid === 0 && (isSticky || !othersMayWrite);
}
