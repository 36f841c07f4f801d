// Trust in the CA: what is composed for macOS's `security` and for Linux's update programs, with stand-ins that write
// down how they were called; NSS with the real certutil.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority } from "../../src/ca/authority.ts";
import { readCertificate, trustPlaces } from "../../src/host/trust/trust.ts";
import { ensureStateDirectory } from "../../src/state/files.ts";
import { statePaths } from "../../src/state/paths.ts";
import { findClient, runClient } from "../support/clients.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

/** A home with an authority, and stand-ins that log their arguments to `calls`. */
async function homeWith(programs: Readonly<Record<string, string>>) {
  const directory = await temporaryDirectory();
  const bin = join(directory.path, "bin");
  const calls = join(directory.path, "calls");
  await mkdir(bin);
  for (const [name, body] of Object.entries(programs)) {
    await writeFile(join(bin, name), `#!/bin/sh\necho "${name} $*" >>'${calls}'\n${body}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const env = { HOME: directory.path, PATH: "/usr/bin:/bin", IDDIO_TEST_TOOLS: bin };
  const paths = statePaths(env);
  await ensureStateDirectory(paths);
  await Authority.open(paths);
  return {
    path: directory.path,
    env,
    certificate: await readCertificate(paths.caCertificate),
    calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

/** sudo, where the tests do not run as root anyway. */
const SUDO = 'while [ "$1" = -n ] || [ "$1" = -- ]; do shift; done; exec "$@"';

test("macOS: the system keychain is asked, told, and told to forget every iddio CA", async () => {
  const security = `case $1 in verify-cert) exit 1 ;; find-certificate) cat "$HOME/.iddio/ca.crt" ;; esac`;
  await using home = await homeWith({ security, sudo: SUDO });
  const { certificate } = home;
  const [keychain] = await trustPlaces({ env: home.env, platform: "darwin" });
  expect(await keychain?.isTrusted(certificate)).toBe(false);
  await keychain?.trust(certificate);
  expect(await keychain?.untrust(certificate)).toBe(true);
  const system = "/Library/Keychains/System.keychain";
  const calls = home.calls().filter((call) => call.startsWith("security "));
  expect(calls).toEqual([
    `security verify-cert -c ${certificate.path} -l -L -p ssl`,
    `security add-trusted-cert -d -r trustRoot -p ssl -k ${system} ${certificate.path}`,
    `security find-certificate -a -c iddio dev CA -p ${system}`,
    expect.stringMatching(/^security remove-trusted-cert -d \/.*\/0\.pem$/),
    expect.stringMatching(/^security delete-certificate -Z [0-9A-F]{40} \/Library/),
  ]);
});

test("macOS: trust settings about a certificate that is in no keychain are taken away too", async () => {
  await using home = await homeWith({ security: "exit 0", sudo: SUDO });
  const [keychain] = await trustPlaces({ env: home.env, platform: "darwin" });
  expect(await keychain?.untrust(home.certificate)).toBe(true);
  expect(home.calls().at(-1)).toBe(`security remove-trusted-cert -d ${home.certificate.path}`);
});

for (const [family, folder, update, bundle] of [
  [
    "Debian",
    "usr/local/share/ca-certificates",
    "update-ca-certificates",
    "etc/ssl/certs/ca-certificates.crt",
  ],
  [
    "RHEL",
    "etc/pki/ca-trust/source/anchors",
    "update-ca-trust",
    "etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  ],
] as const) {
  test(`${family}: the anchor is placed, the bundle made, and both undone`, async () => {
    await using home = await homeWith({
      [update]: `cat "$HOME/root/${folder}"/* >"$HOME/root/${bundle}" 2>/dev/null; exit 0`,
      sudo: SUDO,
    });
    const root = join(home.path, "root");
    await mkdir(join(root, folder), { recursive: true });
    await mkdir(join(root, bundle, ".."), { recursive: true });
    const [place] = await trustPlaces({ env: home.env, platform: "linux", root });
    expect(await place?.isTrusted(home.certificate)).toBe(false);
    await place?.trust(home.certificate);
    expect(existsSync(join(root, folder, "iddio-dev-ca.crt"))).toBe(true);
    expect(await place?.isTrusted(home.certificate)).toBe(true);
    expect(await place?.untrust(undefined)).toBe(true);
    expect(await place?.isTrusted(home.certificate)).toBe(false);
    expect(await place?.untrust(undefined)).toBe(false);
  });
}

test("a program that refuses is told with what to type by hand", async () => {
  await using home = await homeWith({ "update-ca-certificates": "echo 'no room' >&2; exit 3", sudo: SUDO });
  const root = join(home.path, "root");
  await mkdir(join(root, "usr/local/share/ca-certificates"), { recursive: true });
  const [place] = await trustPlaces({ env: home.env, platform: "linux", root });
  const error = await place?.trust(home.certificate).then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { hint: string },
  );
  expect(error?.message).toBe("update-ca-certificates: no room");
  expect(error?.hint).toEndWith("update-ca-certificates");
});

test("Chromium's and Firefox's own databases are told, with the real certutil", async () => {
  const certutil = findClient("certutil");
  if (certutil === undefined) return;
  await using home = await homeWith({});
  for (const folder of [".pki/nssdb", ".mozilla/firefox/abcd.default"]) {
    await mkdir(join(home.path, folder), { recursive: true });
    const database = `sql:${join(home.path, folder)}`;
    expect((await runClient(certutil, ["-N", "-d", database, "--empty-password"])).code).toBe(0);
  }
  const places = await trustPlaces({ env: home.env, platform: "linux", root: join(home.path, "none") });
  expect(places.map(({ name }) => name.split(" ")[0])).toEqual(["Chromium", "Firefox"]);
  for (const place of places) {
    expect(await place.isTrusted(home.certificate)).toBe(false);
    await place.trust(home.certificate);
    await place.trust(home.certificate);
    expect(await place.isTrusted(home.certificate)).toBe(true);
    expect(await place.untrust(undefined)).toBe(true);
    expect(await place.isTrusted(home.certificate)).toBe(false);
    expect(await place.untrust(undefined)).toBe(false);
  }
});
