// The check that a person runs on a Mac, and CI: no machine here can, so it is run whole against
// stand-ins for what only macOS has, with the compiled program; and no release is published without
// it.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as tls from "node:tls";
import { tarGz } from "../../packaging/release/archive.ts";
import { pemCertificates } from "../../src/text/pem-certificates.ts";
import { builtBinary } from "../support/built-binary.ts";
import { findClient, runClient } from "../support/clients.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { testSettings } from "../support/test-settings.ts";

const SCRIPT = join(PROJECT_ROOT, "packaging/macos-check.sh");
const [STAND_INS, MAC_STAND_INS] = ["system", "system-mac"].map((name) =>
  join(PROJECT_ROOT, "test/support", name),
) as [string, string];

test("the check is sound shell, without what bash 3.2 lacks, and refuses to run elsewhere", async () => {
  const shellcheck = findClient("shellcheck");
  if (shellcheck !== undefined)
    expect(await runClient(shellcheck, ["--shell=bash", SCRIPT])).toMatchObject({ code: 0, stdout: "" });
  // The stand-ins run on Macs too, where the test suite is a job of CI.
  for (const path of [SCRIPT, join(STAND_INS, "launchctl"), join(MAC_STAND_INS, "security")])
    expect(readFileSync(path, "utf8")).not.toMatch(/declare -A|mapfile|readarray|\$\{\w+[,^]{1,2}\}|&>>|\|&/);
  if (process.platform === "darwin") return;
  const { code, stderr } = await runClient("/bin/bash", [SCRIPT, "--unattended", SCRIPT]);
  expect([code, stderr]).toEqual([2, "this is for macOS\n"]);
});

/**
 * Programs that only a Mac has. Clients send something through the gateway; the answer on a machine without a
 * network does not matter.
 */
const MAC_PROGRAMS: Readonly<Record<string, string>> = {
  uname: 'case "$1" in -m) echo arm64 ;; *) echo Darwin ;; esac',
  sw_vers: "echo 15.6.1",
  codesign:
    'case "$1" in -dv) echo "Identifier=dev.iddio.cli" >&2 ;; *) for last do :; done; [ -x "$last" ] ;; esac',
  stat: '[ "$1 $2" = "-f %Lp" ] && exec /usr/bin/stat -c %a "$3"; exit 1',
  launchctl: `exec '${STAND_INS}/launchctl' "$@"`,
  security: `exec '${MAC_STAND_INS}/security' "$@"`,
  curl: `case "$*" in *-m\\ 60*) ;; *) '${Bun.which("curl")}' -sS -m 20 --noproxy '' https://127.0.0.1:1/ >/dev/null 2>&1 ;; esac; exit 0`,
  python3: "exit 0",
  node: "exit 0",
  git: "exit 0",
  gh: "exit 0",
  // The daemon of the test must not take the port that a person's has.
  tar: '/usr/bin/tar "$@" && mkdir -m 700 "$HOME/.iddio" && cp "$HOME/settings" "$HOME/.iddio/settings.yaml"',
};

test("every step of the check is a command of this program that does what the step says", async () => {
  if (process.platform !== "linux" || findClient("curl") === undefined) return;
  await using directory = await temporaryDirectory();
  const [bin, launchd, keychains, home] = ["bin", "launchd", "keychains", "home"].map((name) =>
    join(directory.path, name),
  ) as [string, string, string, string];
  for (const folder of [bin, launchd, keychains, home]) await mkdir(folder);
  for (const [name, body] of Object.entries(MAC_PROGRAMS)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const roots = tls.rootCertificates.flatMap(pemCertificates);
  await writeFile(join(keychains, "apple"), `${roots.join("\n")}\n`);
  await writeFile(join(home, "settings"), testSettings(), { mode: 0o600 });
  const archive = join(directory.path, "iddio-darwin-arm64.tar.gz");
  // It leads to the program: to unpack 148 MB is tried by install.sh, and on Macs by the check itself.
  const content = Buffer.from(`#!/bin/sh\nexec '${builtBinary()}' "$@"\n`);
  await writeFile(archive, tarGz([{ path: "iddio", mode: 0o755, content }], 0));
  const env = {
    HOME: home,
    TMPDIR: directory.path,
    PATH: `${bin}:/usr/bin:/bin`,
    IDDIO_TEST_TOOLS: `${MAC_STAND_INS}:${STAND_INS}`,
    IDDIO_TEST_PLATFORM: "darwin",
    FAKE_LAUNCHD: launchd,
    FAKE_KEYCHAINS: keychains,
  };
  const { code, stdout, stderr } = await runClient("/bin/bash", [SCRIPT, archive], {
    env,
    input: "y\n",
    timeoutMs: 500_000,
  });
  const failed = stdout.split("\n").filter((line) => /^(?:FAIL| {8})/.test(line));
  // How quick a loaded machine is says nothing about a Mac.
  const isSlow = failed.length > 0 && failed[0] === "FAIL  status --quiet takes less than half a second";
  expect([isSlow ? 0 : code, isSlow ? failed.slice(2) : failed, stderr]).toEqual([0, [], ""]);
  for (const step of [
    "ok    trust (answer the windows)",
    "ok    ca info says trusted",
    "ok    bundle is whole after the restart",
    "ok    rows name the user",
    "ok    a banner for the held request",
    "ok    launchd has forgotten the agent",
    "ok    no certificate is left in the keychains",
  ])
    expect(stdout).toContain(step);
  expect(existsSync(join(home, "Library/LaunchAgents/dev.iddio.daemon.plist"))).toBe(false);
}, 600_000);

test("CI and releases verify the signature and run the check on both processors", () => {
  for (const name of ["ci.yml", "release.yml"]) {
    const text = readFileSync(join(PROJECT_ROOT, ".github/workflows", name), "utf8");
    for (const part of [
      "codesign --verify --strict",
      "packaging/macos-check.sh --unattended",
      "os: macos-15\n",
      "os: macos-15-intel\n",
      "npm test",
    ])
      expect(text).toContain(part);
  }
  expect(readFileSync(join(PROJECT_ROOT, ".github/workflows/release.yml"), "utf8")).toContain(
    "needs: [build, macos]",
  );
});
