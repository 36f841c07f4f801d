// `install_mode`: the marker that says whose installation a state directory is, and in a second
// line whether somebody wanted no service. One machine has installations of one kind only: with
// both, two daemons would want one port, and nobody could tell which policy counts.

import { readFile } from "node:fs/promises";
import { UserError } from "../../model/user-error.ts";
import { writeFileAtomic } from "../../state/files.ts";
import { type StatePaths, systemStatePaths } from "../../state/paths.ts";
import type { ServiceScope } from "./service.ts";

/** The content of the marker file. */
export type InstallMode = "per_user" | "system";

const WITHOUT_SERVICE = "no_service";

/** The mode that belongs to a scope. */
export function modeOf(scope: ServiceScope): InstallMode {
  return scope === "system" ? "system" : "per_user";
}

/** The marker of a state directory; undefined when there is none or it says something else. */
export async function readInstallMode(paths: StatePaths): Promise<InstallMode | undefined> {
  const [mode] = await linesOf(paths);
  return mode === "per_user" || mode === "system" ? mode : undefined;
}

/** Whether the installation is to have a service: false after `iddio install --no-service`. */
export async function wantsService(paths: StatePaths): Promise<boolean> {
  return !(await linesOf(paths)).includes(WITHOUT_SERVICE);
}

/** Writes the marker unless it is right. */
export async function writeInstallMode(
  paths: StatePaths,
  scope: ServiceScope,
  { hasService }: { readonly hasService: boolean },
): Promise<void> {
  const text = [modeOf(scope), ...(hasService ? [] : [WITHOUT_SERVICE]), ""].join("\n");
  if ((await readFile(paths.installMode, "utf8").catch(() => "")) !== text)
    await writeFileAtomic(paths.installMode, text);
}

async function linesOf(paths: StatePaths): Promise<string[]> {
  return (await readFile(paths.installMode, "utf8").catch(() => "")).split("\n").map((line) => line.trim());
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
