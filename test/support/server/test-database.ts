// A database for tests that do not care which one it is: PostgreSQL where it is installed, since it
// is made in a third of the processor time that the embedded one takes for its first start.

import type { Database } from "../../../src/server/database/database.ts";
import { openPostgres } from "../../../src/server/database/postgres.ts";
import { openFreshEmbedded } from "./embedded-folder.ts";
import { postgresFolder, startPostgres } from "./postgres-cluster.ts";

/** Opens one that is gone once it is closed. */
export async function openTestDatabase(): Promise<Database> {
  if (postgresFolder() === undefined) return openFreshEmbedded();
  const cluster = await startPostgres();
  const database = openPostgres({ url: await cluster.database("test") });
  return {
    ...database,
    async close() {
      await database.close();
      await cluster[Symbol.asyncDispose]();
    },
  };
}
