// The empty database of a daemon inside a test, made once in a process by the code that makes every
// other: a state directory that has none pays for the whole schema. Compiled daemons make their own.

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDatabase } from "../../../src/state/database.ts";
import { statePaths } from "../../../src/state/paths.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

let made: Promise<Buffer> | undefined;

/** Puts an empty database into a state directory that has none. */
export async function giveDatabase(home: string): Promise<void> {
  const { database } = statePaths({ IDDIO_HOME: home });
  if (existsSync(database)) return;
  made ??= emptyDatabase();
  await writeFile(database, await made, { mode: 0o600 });
}

async function emptyDatabase(): Promise<Buffer> {
  await using folder = await temporaryDirectory();
  const path = join(folder.path, "state.db");
  openDatabase(path).close();
  return await readFile(path);
}
