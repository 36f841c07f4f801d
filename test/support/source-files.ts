// The project's own sources as data for the repo tests: texts, and what each file imports and how.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/** Absolute path of the project. */
export const PROJECT_ROOT = resolve(import.meta.dir, "../..");

/** One import of a file. */
export interface Import {
  /** A path from the project's root for own files, else the package's name or `node:…`. */
  readonly target: string;
  readonly isOwn: boolean;
  /** `import type`: gone after compiling. */
  readonly isType: boolean;
  /** `await import()`. */
  readonly isLazy: boolean;
}

/** One source file. */
export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and without the contents of strings. */
  readonly code: string;
  readonly imports: readonly Import[];
}

/** Every TypeScript file under a folder of the project, without generated data, sorted by path. */
export function sourceFiles(folder: string, root = PROJECT_ROOT): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.includes("data/"))
    .sort()
    .map((name) => readSource(join(folder, name), root));
}

/** One file by its path from the project's root. */
export function readSource(path: string, root = PROJECT_ROOT): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  return { path, text, code: stripped(text), imports: importsOf(path, text) };
}

const STATIC = /^\s*(?:import|export)\s+(type\s+)?(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm;
const LAZY = /\bimport\(\s*"([^"]+)"/g;

function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  for (const [, type, target = ""] of text.matchAll(STATIC)) {
    found.push(importOf(path, target, type !== undefined, false));
  }
  for (const [, target = ""] of text.matchAll(LAZY)) found.push(importOf(path, target, false, true));
  return found;
}

function importOf(path: string, target: string, isType: boolean, isLazy: boolean): Import {
  const isOwn = target.startsWith(".");
  const own = () => relative(PROJECT_ROOT, resolve(PROJECT_ROOT, dirname(path), target));
  return { target: isOwn ? own() : target, isOwn, isType, isLazy };
}

/** Comments, string contents and regular expressions blanked; good enough to look for identifiers. */
function stripped(text: string): string {
  return text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g,
    (match) => (match.startsWith("`") ? match.replace(/[^{}$\n]*?(?=\$\{|`|$)/g, "") : ""),
  );
}
