// A folder of the embedded database as it is before its first table: making one takes four seconds of
// a processor, opening a copy half of one. `npm run demo:fleet` and its test make one of their own.

import { cp } from "node:fs/promises";
import project from "../../../package.json" with { type: "json" };
import type { Database } from "../../../src/server/database/database.ts";
import { openEmbedded } from "../../../src/server/database/embedded.ts";
import { madeOnce } from "../made-once.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

/** Puts one at this path, where nothing is yet. */
export async function giveEmbeddedFolder(at: string): Promise<void> {
  const from = await madeOnce(
    "test-embedded",
    project.dependencies["@electric-sql/pglite"],
    async (folder) => {
      const database = await openEmbedded(folder);
      await database.close();
    },
  );
  await cp(from, at, { recursive: true });
}

/** Opens a database of a test's own, gone once it is closed. */
export async function openFreshEmbedded(): Promise<Database> {
  const folder = await temporaryDirectory();
  const at = `${folder.path}/database`;
  await giveEmbeddedFolder(at);
  const database = await openEmbedded(at);
  return {
    ...database,
    async close() {
      await database.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}
