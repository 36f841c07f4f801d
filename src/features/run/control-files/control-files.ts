// Files of a project by which tools outside of the sandbox start programs: where they are in a
// folder that an agent may write. Those that are there when a run starts are read-only in it; of
// others quarantine.ts takes care.

import type { Dirent } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** By name; in the folder itself and in those below it. */
export const CONTROL_FILES = [
  ".envrc",
  ".vscode",
  ".idea",
  ".zed",
  ".devcontainer",
  ".devcontainer.json",
  ".mise.toml",
  "mise.toml",
  ".mise.local.toml",
  "mise.local.toml",
  ".mise",
  ".config/mise.toml",
  ".config/mise",
  ".autoenv",
  ".autoenv.zsh",
  ".tool-versions",
  ".husky",
  ".cargo/config.toml",
  ".cargo/config",
  ".claude",
  ".mcp.json",
  ".cursor",
  ".codex",
  ".gemini",
  ".opencode",
  "opencode.json",
  "opencode.jsonc",
  ".kiro",
  ".windsurf",
  ".continue",
  ".roo",
  ".kilocode",
  ".trae",
  ".qwen",
  ".amazonq",
  ".aider.conf.yml",
  ".crush.json",
  "crush.json",
  ".github/hooks",
  ".helix",
  ".exrc",
  ".vimrc",
  ".nvimrc",
  ".nvim.lua",
  ".dir-locals.el",
  ".dir-locals-2.el",
  ".gdbinit",
  ".lldbinit",
] as const;

/** The first names of the paths above. */
export const FIRST_PARTS: ReadonlySet<string> = new Set(
  CONTROL_FILES.map((name) => name.split("/")[0] ?? ""),
);
/** The names by which a folder is known for a repository. */
export const REPOSITORY_NAMES: ReadonlySet<string> = new Set([".git", "HEAD", "objects", "refs"]);
/** Levels below a folder in which control files are looked for. */
export const NEAR_DEPTH = 3;
/** Folders in which they are looked for. */
export const FOLDERS_MAX = 4_000;
const SKIPPED = new Set(["node_modules", ".git", "target", "dist", "vendor", ".venv"]);

/** Whether a path is such a file, or lies in one. */
export function isControlPath(path: string): boolean {
  return CONTROL_FILES.some((name) => `${path}/`.includes(`/${name}/`));
}

/** Whether control files are looked for in a folder of this name. */
export function isLookedInto(name: string): boolean {
  return !SKIPPED.has(name) && !FIRST_PARTS.has(name);
}

/** A folder with the names in it. */
export interface Listed {
  readonly path: string;
  readonly names: ReadonlySet<string>;
}

/** The folder and those below it, three levels deep; links are not followed. */
export async function foldersIn(folder: string): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  const look = async (path: string, depth: number): Promise<void> => {
    if (found.length >= FOLDERS_MAX) return;
    const entries: readonly Dirent[] = await readdir(path, { withFileTypes: true }).catch(() => []);
    found.push({ path, names: new Set(entries.map(({ name }) => name)) });
    if (depth === 0) return;
    for (const entry of entries)
      if (entry.isDirectory() && isLookedInto(entry.name)) await look(join(path, entry.name), depth - 1);
  };
  await look(folder, NEAR_DEPTH);
  return found;
}

/** Whether a folder holds a repository: a `.git`, or itself one without a work tree. */
export function isRepository({ names }: Listed): boolean {
  return names.has(".git") || (names.has("HEAD") && names.has("objects") && names.has("refs"));
}

/** A file by which programs are started. */
export interface ControlFile {
  /** pointer: a `.git` that is a file. repository: a folder that git reads its configuration from. */
  readonly kind: "file" | "link" | "pointer" | "repository";
  /** The folder that it is in, or where a link leads: with another one it is another file. */
  readonly identity: string;
}

/** Every such file below these folders. */
export async function controlFilesBelow(
  folders: readonly string[],
): Promise<ReadonlyMap<string, ControlFile>> {
  return controlFilesIn((await Promise.all(folders.map(foldersIn))).flat());
}

/** Every such file in these folders. */
export async function controlFilesIn(listed: readonly Listed[]): Promise<ReadonlyMap<string, ControlFile>> {
  const found = new Map<string, ControlFile>();
  for (const each of listed) {
    const { path, names } = each;
    if (names.size === 0) continue;
    for (const name of CONTROL_FILES) {
      const first = name.split("/")[0] ?? "";
      // A link in place of `.cargo` is as good as the file in it.
      if (names.has(first)) await note(found, "file", [join(path, first), join(path, name)]);
    }
    if (names.has(".git")) await note(found, "repository", [join(path, ".git")]);
    else if (isRepository(each)) await note(found, "repository", [path]);
  }
  return found;
}

async function note(
  found: Map<string, ControlFile>,
  kind: "file" | "repository",
  steps: readonly string[],
): Promise<void> {
  let last: Awaited<ReturnType<typeof lstat>> | undefined;
  const path = steps.at(-1) ?? "";
  for (const each of steps) {
    last = await lstat(each).catch(() => undefined);
    if (last === undefined) return;
    if (!last.isSymbolicLink()) continue;
    found.set(each, { kind: "link", identity: await readlink(each).catch(() => "") });
    return;
  }
  const folder = await lstat(dirname(path)).catch(() => undefined);
  if (folder === undefined || last === undefined) return;
  const isPointer = kind === "repository" && !last.isDirectory();
  found.set(path, { kind: isPointer ? "pointer" : kind, identity: `${folder.dev}:${folder.ino}` });
}
