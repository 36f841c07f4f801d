// The kernel's words for a place that a sandbox mounts from itself. An agent of another run may put
// a link in the place's way between the look and the mount; then the mount shows where it leads,
// and the kernel says something else.

import { readFile } from "node:fs/promises";
import { asMountPath } from "../bridge/preflight.ts";

/** For each path `<device> <path on it> <path>`, as the kernel's list of mounts writes them. */
export async function ownMounts(paths: readonly string[]): Promise<readonly string[]> {
  const mounts = await readFile("/proc/self/mountinfo", "utf8");
  return paths.flatMap((path) => ownMount(path, mounts) ?? []);
}

/** One of them; undefined where the list of mounts does not hold the path. Pure. */
export function ownMount(path: string, mounts: string): string | undefined {
  const place = asMountPath(path);
  let found: { readonly device: string; readonly root: string; readonly at: string } | undefined;
  for (const line of mounts.split("\n")) {
    const [, , device = "", root = "", at = ""] = line.split(" ");
    const isAbove = at === "/" || place === at || place.startsWith(`${at}/`);
    // Of two at one place the later one covers the other.
    if (at !== "" && isAbove && at.length >= (found?.at.length ?? 0)) found = { device, root, at };
  }
  if (found === undefined) return undefined;
  const { device, root, at } = found;
  const below = at === "/" ? place : place.slice(at.length);
  return `${device} ${(root === "/" ? "" : root) + below || "/"} ${place}`;
}
