// The bundle that clients are pointed at: everything the system trusts, plus the iddio CA, once.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "../../src/ca/authority.ts";
import { writeBundle } from "../../src/ca/bundle.ts";
import { LeafStore } from "../../src/ca/leaf.ts";
import { systemRoots } from "../../src/host/trust/system-roots.ts";
import { statePaths } from "../../src/state/paths.ts";

const roots = await systemRoots({ env: {} });
const root = mkdtempSync(join(tmpdir(), "iddio-bundle-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function fresh() {
  const paths = statePaths({ IDDIO_HOME: mkdtempSync(join(root, "home-")) });
  return { paths, authority: await Authority.open(paths) };
}

function certificatesIn(path: string): string[] {
  return readFileSync(path, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

describe("the bundle", () => {
  test("holds every root of the system and the authority, and all may read it", async () => {
    const { paths, authority } = await fresh();
    await writeBundle(paths, authority, { roots });
    const found = certificatesIn(paths.bundle);
    expect(roots.length).toBeGreaterThan(20);
    expect(new Set(found)).toEqual(new Set([...roots, authority.certificatePem.trim()]));
    expect(statSync(paths.bundle).mode & 0o777).toBe(0o644);
  });

  test("lets openssl verify a leaf", async () => {
    const { paths, authority } = await fresh();
    await writeBundle(paths, authority, { roots });
    const leaf = join(paths.root, "leaf.pem");
    writeFileSync(leaf, (await new LeafStore(authority).leafFor("example.com")).certPem);
    const done = Bun.spawnSync(["openssl", "verify", "-x509_strict", "-CAfile", paths.bundle, leaf]);
    expect(done.stdout.toString()).toBe(`${leaf}: OK\n`);
  });

  test("includes what SSL_CERT_FILE adds", async () => {
    const { paths, authority } = await fresh();
    const corporate = (await fresh()).authority;
    const file = join(paths.root, "corporate.pem");
    writeFileSync(file, `# corporate\n${corporate.certificatePem.replaceAll("\n", "\r\n")}`);
    await writeBundle(paths, authority, { roots, env: { SSL_CERT_FILE: file } });
    expect(certificatesIn(paths.bundle)).toContain(corporate.certificatePem.trim());
  });

  test("does not feed on itself when SSL_CERT_FILE names it", async () => {
    const { paths, authority } = await fresh();
    const old = (await fresh()).authority;
    await writeBundle(paths, old, { roots });
    await writeBundle(paths, authority, { roots, env: { SSL_CERT_FILE: paths.bundle } });
    expect(certificatesIn(paths.bundle)).not.toContain(old.certificatePem.trim());
    expect(certificatesIn(paths.bundle)).toContain(authority.certificatePem.trim());
  });

  test("is left alone when it holds the same already", async () => {
    const { paths, authority } = await fresh();
    await writeBundle(paths, authority, { roots });
    const before = statSync(paths.bundle).ino;
    await writeBundle(paths, authority, { roots });
    expect(statSync(paths.bundle).ino).toBe(before);
  });

  test("gives up what somebody else wrote into it, however much that is", async () => {
    const { paths, authority } = await fresh();
    await writeBundle(paths, authority, { roots });
    const before = readFileSync(paths.bundle, "utf8");
    const stranger = (await fresh()).authority.certificatePem;
    writeFileSync(paths.bundle, `${before}${stranger.repeat(400)}`);
    await writeBundle(paths, authority, { roots: await systemRoots({ env: {}, kept: paths.bundle }) });
    expect(readFileSync(paths.bundle, "utf8")).toBe(before);
  });
});
