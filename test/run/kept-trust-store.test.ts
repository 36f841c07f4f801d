// Java's key store of a run is made once for a bundle, and again when the bundle has changed.

import { expect, test } from "bun:test";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keptTrustStore } from "../../src/features/run/sandbox/kept-trust-store.ts";
import { makeRoot } from "../support/certificates/certificate-maker.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

test("it is kept while the bundle stays, and replaced when the bundle changes", async () => {
  await using directory = await temporaryDirectory();
  const homes = join(directory.path, "homes");
  await mkdir(homes);
  const bundle = join(directory.path, "bundle.pem");
  await writeFile(bundle, makeRoot("one").pem);
  const first = await keptTrustStore(homes, bundle);
  expect(await keptTrustStore(homes, bundle)).toEqual(Buffer.from(first));
  const [kept = ""] = await readdir(join(homes, ".java-trust"));
  await writeFile(join(homes, ".java-trust", kept), "from the file");
  expect(String(await keptTrustStore(homes, bundle))).toBe("from the file");

  await writeFile(bundle, makeRoot("one").pem + makeRoot("two").pem);
  await utimes(bundle, new Date(), new Date(Date.now() + 5_000));
  const second = await keptTrustStore(homes, bundle);
  expect(second.length).toBeGreaterThan(first.length);
  expect(await readdir(join(homes, ".java-trust"))).toHaveLength(1);
});
