// `install_mode`: the marker that says whose installation a state directory is. One machine has installations of one
// kind only: with both, two daemons would want one port, and nobody could tell which policy counts.

import { readFile } from "node:fs/promises";
import { UserError } from "../model/user-error.ts";
import { writeFileAtomic } from "../state/files.ts";
import { type StatePaths, systemStatePaths } from "../state/paths.ts";
import type { ServiceScope } from "./service.ts";

/** What the marker holds. */
export type InstallMode = "per_user" | "system";

/** The mode that belongs to a scope. */
export function modeOf(scope: ServiceScope): InstallMode {
  return scope === "system" ? "system" : "per_user";
}

/** The marker of a state directory; undefined when there is none or it says something else. */
export async function readInstallMode(paths: StatePaths): Promise<InstallMode | undefined> {
  const text = (await readFile(paths.installMode, "utf8").catch(() => "")).trim();
  return text === "per_user" || text === "system" ? text : undefined;
}

/** Writes the marker unless it is right. */
export async function writeInstallMode(paths: StatePaths, scope: ServiceScope): Promise<void> {
  if ((await readInstallMode(paths)) !== modeOf(scope))
    await writeFileAtomic(paths.installMode, `${modeOf(scope)}\n`);
}

/** Throws a `UserError` when there is an installation of the other kind; `own` are the user's paths, also for `--system`. */
export async function refuseMixedModes(scope: ServiceScope, own: StatePaths): Promise<void> {
  const [other, paths, flags] =
    scope === "system"
      ? (["per_user", own, ""] as const)
      : (["system", systemStatePaths(), " --system"] as const);
  if ((await readInstallMode(paths)) !== other) return;
  throw new UserError(
    `iddio is installed ${other === "system" ? "for the whole system" : "for this user"} already (${paths.root})`,
    {
      hint: `use that, or remove it first: ${flags === "" ? "" : "sudo "}iddio uninstall${flags} --keep-data`,
    },
  );
}
