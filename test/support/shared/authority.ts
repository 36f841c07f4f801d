// One certificate authority for every gateway that tests start: making one costs a process that is
// new 50 ms and more. It lies in dist/test-authority, made by the first who needs it; gateways that
// make their own are started in test/ca, test/cli and test/gateway/kill.test.ts.

import "../../../src/reflect.ts"; // the demos and the bench have no preload
import { createHash } from "node:crypto";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority } from "../../../src/ca/authority.ts";
import { statePaths } from "../../../src/state/paths.ts";
import { madeOnce } from "../made-once.ts";
import { PROJECT_ROOT } from "../source-files.ts";

const SOURCES = ["authority.ts", "make-authority.ts"].map((name) => join(PROJECT_ROOT, "src", "ca", name));

let made: Promise<string> | undefined;

/** Puts the authority's two files into a state directory. */
export async function giveAuthority(home: string): Promise<void> {
  made ??= sharedAuthority();
  const from = await made;
  for (const name of ["ca.crt", "ca.key"]) await copyFile(join(from, name), join(home, name));
}

async function sharedAuthority(): Promise<string> {
  const digest = createHash("sha256");
  for (const source of SOURCES) digest.update(await readFile(source));
  return madeOnce("test-authority", digest.digest("hex").slice(0, 16), async (folder) => {
    await Authority.open(statePaths({ IDDIO_HOME: folder }));
  });
}
