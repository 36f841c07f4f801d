// The places of a work tree that a repository's configuration has git run or read: the folder of
// its hooks (`core.hooksPath`, as husky and many projects set it) and further configuration
// (`include.path`). An agent that may write there may write hooks.

import { dirname, join, resolve } from "node:path";
import { gitText } from "./open-places.ts";

const SECTION = /^\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"(?:[^"\\]|\\.)*")?\s*\]/;
const ENTRY = /^\s*(?:\[[^\]]*\])?\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*?)\s*$/;

/** A place that a configuration names. */
export interface NamedPlace {
  readonly kind: "hooks" | "configuration";
  readonly path: string;
}

/** The places in one configuration, for a work tree; `folder` is where the configuration lies. Pure. */
export function placesIn(text: string, folder: string, workTree: string): readonly NamedPlace[] {
  const found: NamedPlace[] = [];
  let section = "";
  for (const line of text.split("\n")) {
    section = SECTION.exec(line)?.[1]?.toLowerCase() ?? section;
    const [, key = "", value = ""] = ENTRY.exec(line) ?? [];
    const path = plain(value);
    // A path in the home directory is none of the work tree's.
    if (path === "" || path.startsWith("~") || path.startsWith("%")) continue;
    if (section === "core" && key.toLowerCase() === "hookspath")
      found.push({ kind: "hooks", path: resolve(workTree, path) });
    if (/^include(?:if)?$/.test(section) && key.toLowerCase() === "path")
      found.push({ kind: "configuration", path: resolve(folder, path) });
  }
  return found;
}

/** A value without quotes and comment. */
function plain(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(value)?.[1];
  return quoted === undefined ? value.replace(/\s[#;].*$/, "") : quoted.replace(/\\(.)/g, "$1");
}

/** The places in the configurations of a repository and of the person, and in what those include: those in the two folders. */
export async function placesOf(
  common: string,
  workTree: string,
  home: string | undefined,
): Promise<readonly NamedPlace[]> {
  const found = new Map<string, NamedPlace>();
  const read = new Set<string>();
  const wanted = [
    join(common, "config"),
    join(common, "config.worktree"),
    ...(home === undefined ? [] : [join(home, ".gitconfig"), join(home, ".config/git/config")]),
  ];
  for (const file of wanted) {
    if (read.has(file) || read.size > FILES_MAX) continue;
    read.add(file);
    const text = await gitText(file);
    for (const place of placesIn(text, dirname(file), workTree)) {
      if (place.kind === "configuration") wanted.push(place.path);
      if ([workTree, common].some((each) => place.path.startsWith(`${each}/`))) found.set(place.path, place);
    }
  }
  return [...found.values()];
}

const FILES_MAX = 32;
