// Where the published suites of other projects lie, which are too large for the repository: the
// folder that IDDIO_SHARED names, else one beside the project. Tests that use them pass without
// them, and say that they had nothing to check.

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";

const PROJECT_ROOT = resolve(import.meta.dir, "../../..");

/** Absolute path of a file in the shared folder, or undefined (and one line saying so) when it is not there. */
export function sharedFile(path: string): string | undefined {
  const root = process.env.IDDIO_SHARED ?? resolve(PROJECT_ROOT, "../shared");
  const file = resolve(root, path);
  if (existsSync(file)) return file;
  process.stderr.write(`no shared data at "${path}": nothing to check here\n`);
  return undefined;
}

/** The rows of a `.jsonl` or `.jsonl.gz` file in the shared folder; none (and one line saying so) when it is not there. */
export function sharedRows<Row>(path: string): Row[] {
  const file = sharedFile(path);
  if (file === undefined) return [];
  const bytes = readFileSync(file);
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
}
