// Java's key store of the roots that a run trusts. It is made of the bundle of certificates, which
// takes longer than the rest of a start, and kept until the bundle changes, where no agent writes.

import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { javaTrustStore } from "../../../host/sandbox/java-trust-store.ts";

/** No profile has such a name. */
const FOLDER = ".java-trust";

/** The key store for the bundle as it is now; `homes` is the folder of the runs' homes. */
export async function keptTrustStore(homes: string, bundle: string): Promise<Uint8Array> {
  const { mtimeMs, size } = await stat(bundle);
  const folder = join(homes, FOLDER);
  const name = `${Math.round(mtimeMs * 1000)}-${size}`;
  const kept = await readFile(join(folder, name)).catch(() => undefined);
  if (kept !== undefined) return kept;
  const made = javaTrustStore(await readFile(bundle, "utf8"));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const old of await readdir(folder)) await rm(join(folder, old), { force: true });
  // Another run may do the same at this moment: either is whole.
  const fresh = join(folder, `.${name}.${process.pid}`);
  await writeFile(fresh, made, { mode: 0o600 });
  await rename(fresh, join(folder, name)).catch(() => undefined);
  return made;
}
