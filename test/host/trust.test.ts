// Trust in the CA: what is composed for macOS's `security` and for Linux's update programs, with
// stand-ins that write down how they were called; NSS with the real certutil.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority } from "../../src/ca/authority.ts";
import { trustAtInstall } from "../../src/cli/kit/installation/trust-ca.ts";
import { readCaReport } from "../../src/gateway/control/ca-report.ts";
import { TOOL_PATIENCE } from "../../src/host/process/run-tool.ts";
import { KeychainTrust } from "../../src/host/trust/darwin.ts";
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

/** `security` with a System keychain and an own one, as files; `refuse` holds what add-trusted-cert -d says. */
const SECURITY = `
for last do :; done
case $1 in
verify-cert) exit 1 ;;
find-certificate) case $last in */System.keychain) cat "$HOME/all" ;; *) cat "$HOME/own" ;; esac 2>/dev/null || exit 44 ;;
dump-trust-settings) cat "$HOME/settings$2" 2>/dev/null || { echo "SecTrustSettingsCopyCertificates: No Trust Settings were found." >&2; exit 1; } ;;
add-trusted-cert) if [ "$2" = -d ]; then
    sleep "$(cat "$HOME/dialog" 2>/dev/null || echo 0)"
    [ ! -e "$HOME/refuse" ] || { cat "$HOME/refuse" >&2; exit 1; }
  else [ ! -e "$HOME/refuse-own" ] || { cat "$HOME/refuse-own" >&2; exit 1; }
  fi ;;
esac
exit 0`;

const SYSTEM_KEYCHAIN = "/Library/Keychains/System.keychain";
const securityCalls = (calls: readonly string[], but = /find-certificate|dump-trust-settings/) =>
  calls.filter((call) => call.startsWith("security ") && !but.test(call));

test("macOS: the keychain is asked, told of both policies, and told to forget every iddio CA", async () => {
  await using home = await homeWith({ security: SECURITY, sudo: SUDO });
  const { certificate } = home;
  const keychain = new KeychainTrust(home.env, false);
  const said: string[] = [];
  expect(await keychain.isTrusted(certificate)).toBe(false);
  await keychain.trust(certificate, (line) => said.push(line));
  expect(said).toEqual(["macOS will ask for an administrator's password in a window"]);
  await copyFile(certificate.path, join(home.path, "all"));
  await writeFile(join(home.path, "settings-d"), `Cert 0: ${certificate.name}\n`);
  expect(await keychain.untrust(certificate, (line) => said.push(line))).toBe(true);
  expect(said.at(-1)).toContain("twice for each certificate");
  expect(securityCalls(home.calls())).toEqual([
    `security verify-cert -c ${certificate.path} -l -L -R offline -p ssl`,
    `security add-trusted-cert -d -r trustRoot -p ssl -p basic -k ${SYSTEM_KEYCHAIN} ${certificate.path}`,
    expect.stringMatching(/^security remove-trusted-cert -d \/.*\/all-0\.pem$/),
    expect.stringMatching(/^security delete-certificate -Z [0-9A-F]{40} \/Library/),
  ]);
});

test("macOS: who trusted nothing is asked for nothing", async () => {
  await using home = await homeWith({ security: SECURITY, sudo: SUDO });
  // Other people's settings are not ours.
  await writeFile(join(home.path, "settings-d"), "Number of trusted certs = 1\nCert 0: Corporate Root\n");
  expect(await new KeychainTrust(home.env, false).untrust(home.certificate)).toBe(false);
  expect(home.calls().filter((call) => call.startsWith("sudo"))).toEqual([]);
  expect(securityCalls(home.calls())).toEqual([]);
});

test("macOS: trust settings about a certificate that is in no keychain are taken away too", async () => {
  await using home = await homeWith({ security: SECURITY, sudo: SUDO });
  await writeFile(join(home.path, "settings-d"), `Cert 0: ${home.certificate.name}\n`);
  expect(await new KeychainTrust(home.env, false).untrust(home.certificate)).toBe(true);
  expect(securityCalls(home.calls())).toEqual([
    expect.stringMatching(/^security remove-trusted-cert -d .*all-0\.pem$/),
  ]);
});

test("macOS: without an administrator the user's own trust is the second way, and is taken away as such", async () => {
  await using home = await homeWith({ security: SECURITY, sudo: SUDO });
  await writeFile(join(home.path, "refuse"), "alice is not in the sudoers file.");
  const keychain = new KeychainTrust(home.env, false);
  await keychain.trust(home.certificate);
  const login = join(home.path, "Library/Keychains/login.keychain-db");
  expect(home.calls().at(-1)).toBe(
    `security add-trusted-cert -r trustRoot -p ssl -p basic -k ${login} ${home.certificate.path}`,
  );
  await copyFile(home.certificate.path, join(home.path, "own"));
  await writeFile(join(home.path, "settings"), `Cert 0: ${home.certificate.name}\n`);
  expect(await keychain.untrust(home.certificate)).toBe(true);
  expect(securityCalls(home.calls()).slice(-2)).toEqual([
    expect.stringMatching(/^security remove-trusted-cert \/.*user-0\.pem$/),
    expect.stringMatching(new RegExp(`^security delete-certificate -Z [0-9A-F]{40} ${login}$`)),
  ]);
  expect(home.calls().filter((call) => /^(?:sudo|security) .*(?:delete|remove).* -d/.test(call))).toEqual([]);
});

test("macOS: nobody at the screen, and a window that was closed, are not asked again", async () => {
  for (const [words, hint] of [
    [
      "SecTrustSettingsSetTrustSettings: The authorization was denied since no user interaction was possible.",
      "MDM",
    ],
    [
      "SecTrustSettingsSetTrustSettings: The authorization was canceled by the user.",
      "iddio repair --trust-ca",
    ],
  ] as const) {
    await using home = await homeWith({ security: SECURITY, sudo: SUDO });
    await writeFile(join(home.path, "refuse"), words);
    const error = await new KeychainTrust(home.env, false).trust(home.certificate).then(
      () => undefined,
      (thrown: unknown) => thrown as Error & { hint: string },
    );
    expect(error?.message).toContain(words);
    expect(error?.hint).toContain(hint);
    expect(securityCalls(home.calls()).length).toBe(1);
  }
});

test("macOS: install over ssh ends with a remark; who asks for trust by name is told that it failed", async () => {
  await using home = await homeWith({ security: SECURITY, sudo: SUDO });
  await writeFile(
    join(home.path, "refuse"),
    "The authorization was denied since no user interaction was possible.",
  );
  const said: string[] = [];
  const paths = statePaths(home.env);
  const options = { say: (line: string) => void said.push(line), platform: "darwin" } as const;
  const lines = await trustAtInstall(paths, home.env, { ...options, isAskedFor: false });
  expect(lines).toEqual([expect.stringMatching(/^not trusted: .*no user interaction was possible/)]);
  expect(said.at(-1)).toContain("MDM");
  expect(existsSync(paths.caTrusted)).toBe(false);
  await expect(trustAtInstall(paths, home.env, { ...options, isAskedFor: true })).rejects.toThrow("keychain");
  await rm(join(home.path, "refuse"));
  expect(await trustAtInstall(paths, home.env, { ...options, isAskedFor: false })).toEqual([
    "the keychain: trusted",
  ]);
  expect(existsSync(paths.caTrusted)).toBe(true);
});

test("macOS: root waits for the window longer than any other program", async () => {
  await using home = await homeWith({ security: SECURITY, sudo: SUDO });
  await writeFile(join(home.path, "dialog"), "2");
  const before = TOOL_PATIENCE.ms;
  TOOL_PATIENCE.ms = 1_000;
  try {
    await new KeychainTrust(home.env, true).trust(home.certificate);
  } finally {
    TOOL_PATIENCE.ms = before;
  }
  expect(home.calls().at(-1)).toContain("add-trusted-cert -d");
}, 120_000);

test("macOS: ca info asks the keychain, not the list of roots", async () => {
  await using home = await homeWith({ security: "exit 0" });
  const paths = statePaths(home.env);
  const report = await readCaReport(await Authority.open(paths), paths, home.env, "darwin");
  expect(report.trust).toBe("trusted");
  await using other = await homeWith({ security: "exit 1" });
  const others = statePaths(other.env);
  expect((await readCaReport(await Authority.open(others), others, other.env, "darwin")).trust).toBe(
    "untrusted",
  );
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
