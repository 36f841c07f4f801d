// Finds bubblewrap, by absolute path and in places that only root can write: an agent may put a
// program of that name on the person's PATH. Says what to type where it is missing or not allowed
// to work.

import { UserError } from "../../model/user-error.ts";
import { fileStatus } from "../process/file-status.ts";

const PLACES = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"];

const INSTALL: readonly (readonly [RegExp, string])[] = [
  [/debian|ubuntu/, "sudo apt install bubblewrap"],
  [/fedora|rhel|centos/, "sudo dnf install bubblewrap"],
  [/arch/, "sudo pacman -S bubblewrap"],
  [/alpine/, "sudo apk add bubblewrap"],
  [/suse/, "sudo zypper install bubblewrap"],
];

/** The system's bubblewrap, by its path. Throws UserError with the command that installs it. */
export function findBubblewrap(places: readonly string[] = PLACES): string {
  const path = places.find(isRootOwned);
  if (path === undefined)
    throw new UserError("'iddio run' needs bubblewrap, which is not installed", { hint: howToInstall() });
  return path;
}

/** Its version. Throws UserError when it is too old. */
export async function bubblewrapVersion(path: string): Promise<string> {
  const child = Bun.spawn([path, "--version"], { stdin: "ignore", stderr: "ignore", env: {} });
  const version = /(\d+)\.(\d+)/.exec(await new Response(child.stdout).text());
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)];
  if (major > 0 || minor >= 8) return version?.[0] ?? "";
  throw new UserError(
    `'iddio run' needs bubblewrap 0.8 or newer; '${path}' is ${version?.[0] ?? "unknown"}`,
    { hint: howToInstall() },
  );
}

function isRootOwned(path: string): boolean {
  const status = fileStatus(path);
  return status !== undefined && status.uid === 0 && (status.mode & 0o022) === 0;
}

/** The command that installs bubblewrap on this system. */
export function howToInstall(osRelease = readOsRelease()): string {
  const ids = /^ID=(.*)$/m.exec(osRelease)?.[1] ?? "";
  const like = /^ID_LIKE=(.*)$/m.exec(osRelease)?.[1] ?? "";
  const found = INSTALL.find(([pattern]) => pattern.test(`${ids} ${like}`))?.[1];
  return found ?? "install the package 'bubblewrap' of this system";
}

function readOsRelease(): string {
  try {
    return process.getBuiltinModule("node:fs").readFileSync("/etc/os-release", "utf8").replaceAll('"', "");
  } catch {
    return "";
  }
}

/** Whether Ubuntu's AppArmor keeps programs without a profile from making user namespaces. */
export function isRestrictedByAppArmor(): boolean {
  try {
    const { readFileSync } = process.getBuiltinModule("node:fs");
    const text = readFileSync("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "utf8");
    return text.trim() === "1";
  } catch {
    return false;
  }
}
