// This program as a command that is written into files that outlive it. A package manager that
// keeps each version in a folder of its own (Homebrew, Nix) also keeps a link that follows the
// versions; only the link may stand in another program's settings, or the next upgrade breaks them.

import { realpathSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import type { Environment } from "./environment.ts";
import { ownProgram } from "./own-program.ts";

/** The words that start this program after its next upgrade too. */
export function lastingProgram(env: Environment): readonly string[] {
  const [program = "", ...script] = ownProgram();
  return [lastingPath(program, env), ...script];
}

/** A link to the same file that an upgrade keeps; the path itself where there is none or it needs none. */
export function lastingPath(path: string, env: Environment): string {
  return linksTo(path, env).find((link) => isSameFile(link, path)) ?? path;
}

/** Where the package manager whose folder the file is in would keep its link, best first. */
function linksTo(path: string, env: Environment): readonly string[] {
  const keg = /^(.+)\/Cellar\/([^/]+)\/[^/]+\/(.+)$/.exec(path);
  if (keg !== null) {
    const [, prefix = "", name = "", rest = ""] = keg;
    return [join(prefix, rest), join(prefix, "opt", name, rest)];
  }
  const rest = /^\/nix\/store\/[^/]+\/(.+)$/.exec(path)?.[1];
  if (rest === undefined) return [];
  const home = env.HOME || homedir();
  return [
    join(home, ".nix-profile", rest),
    join(home, ".local/state/nix/profile", rest),
    join("/etc/profiles/per-user", userInfo().username, rest),
    join("/run/current-system/sw", rest),
    join("/nix/var/nix/profiles/default", rest),
  ];
}

function isSameFile(link: string, path: string): boolean {
  try {
    return realpathSync(link) === realpathSync(path);
  } catch {
    return false;
  }
}
