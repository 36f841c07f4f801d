// Code of programs of Node.js, compiled once for all their starts in the tests.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../source-files.ts";

const FOLDER = join(PROJECT_ROOT, "node_modules", ".cache", "node");

/** Variables for a program of Node.js whose script has megabytes, as wrangler's with twelve. See peers/node-cache.cjs. */
export function nodeCodeCache(): Readonly<Record<string, string>> {
  mkdirSync(FOLDER, { recursive: true });
  return {
    NODE_OPTIONS: `--require ${join(import.meta.dir, "../peers/node-cache.cjs")}`,
    IDDIO_TEST_NODE_CACHE: FOLDER,
  };
}
