// Folders that are costly to make and the same for every test: made by the first process that asks
// and kept under dist/ for all that come later. Who asks while another makes it waits for that.

import { Database } from "bun:sqlite";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { PROJECT_ROOT } from "./source-files.ts";

/** A build on a machine with neighbours takes minutes; the tests that wait for it have ten. */
const PATIENCE_MS = 550_000;

/**
 * Gives the folder `dist/<shelf>/<key>`, whole. `make` fills an empty one that takes this name when it returns.
 * Folders of other keys of the shelf are of sources or programs that are gone, and go too.
 */
export async function madeOnce(
  shelf: string,
  key: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const parent = join(PROJECT_ROOT, "dist", shelf);
  const at = join(parent, key);
  if (existsSync(at)) return at;
  await mkdir(parent, { recursive: true });
  using _lock = await locked(join(parent, "lock"));
  if (existsSync(at)) return at;
  for (const other of readdirSync(parent).filter((entry) => !entry.startsWith("lock")))
    await rm(join(parent, other), { recursive: true });
  const own = await mkdtemp(join(parent, "new-"));
  await make(own);
  await rename(own, at);
  return at;
}

/** The kernel drops it with the process, however that ends. */
async function locked(path: string): Promise<Disposable> {
  const database = new Database(path, { create: true, readwrite: true });
  database.run("PRAGMA busy_timeout = 0");
  const take = () => {
    try {
      database.run("BEGIN EXCLUSIVE");
      return "taken";
    } catch (error) {
      return String(error);
    }
  };
  await eventually(
    async () => take(),
    (answer) => answer === "taken",
    PATIENCE_MS,
  );
  return { [Symbol.dispose]: () => database.close() };
}
