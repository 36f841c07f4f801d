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

const FIRST_PARTS = new Set(CONTROL_FILES.map((name) => name.split("/")[0] ?? ""));
const DEPTH = 3;
const FOLDERS_MAX = 4_000;
const SKIPPED = new Set(["node_modules", ".git", "target", "dist", "vendor", ".venv"]);

/** Whether a path is such a file, or lies in one. */
export function isControlPath(path: string): boolean {
  return CONTROL_FILES.some((name) => `${path}/`.includes(`/${name}/`));
}

/** A folder with its entries. */
export interface Listed {
  readonly path: string;
  readonly entries: readonly Dirent[];
}

/** The folder and those below it, three levels deep; links are not followed. */
export async function foldersIn(folder: string): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  const look = async (path: string, depth: number): Promise<void> => {
    if (found.length >= FOLDERS_MAX) return;
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    found.push({ path, entries });
    if (depth === 0) return;
    for (const entry of entries)
      if (entry.isDirectory() && !SKIPPED.has(entry.name) && !FIRST_PARTS.has(entry.name))
        await look(join(path, entry.name), depth - 1);
  };
  await look(folder, DEPTH);
  return found;
}

/** Whether a folder holds a repository: a `.git`, or itself one without a work tree. */
export function isRepository({ entries }: Listed): boolean {
  const names = new Set(entries.map(({ name }) => name));
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
export async function controlFilesIn(folders: readonly string[]): Promise<ReadonlyMap<string, ControlFile>> {
  const found = new Map<string, ControlFile>();
  for (const folder of folders)
    for (const listed of await foldersIn(folder)) {
      const names = new Set(listed.entries.map(({ name }) => name));
      for (const name of CONTROL_FILES) {
        const first = name.split("/")[0] ?? "";
        // A link in place of `.cargo` is as good as the file in it.
        if (names.has(first)) await note(found, "file", [join(listed.path, first), join(listed.path, name)]);
      }
      if (names.has(".git")) await note(found, "repository", [join(listed.path, ".git")]);
      else if (isRepository(listed)) await note(found, "repository", [listed.path]);
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
