// The units, read by the programs that will read them where those are here, and by eye where not.

import { expect, test } from "bun:test";
import { join } from "node:path";
import {
  LAUNCHD_LABEL,
  renderLaunchdPlist,
  renderSystemdUnit,
  SYSTEMD_UNIT,
} from "../../src/host/service/service-unit.ts";
import { findClient, runClient } from "../support/clients.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const ODD = '/home/a "b" 50% $HOME & <c>\\d';

/** How much systemd finds open in a unit, from 0 to 10. */
async function exposure(analyze: string, file: string): Promise<number> {
  const { stdout } = await runClient(analyze, ["security", "--offline=true", "--no-pager", file]);
  return Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
}

test("systemd's own checks pass, and its exposure score is good", async () => {
  const analyze = findClient("systemd-analyze");
  if (analyze === undefined) return;
  for (const [scope, most] of [
    // The tool takes any unit for root's: more than two points are for what no user's process can do anyhow.
    ["user", 6.3],
    // Two tenths of it are for the operator's ssh, which is started with that user's rights.
    ["system", 3.2],
  ] as const) {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, SYSTEMD_UNIT);
    await Bun.write(file, renderSystemdUnit({ binary: "/bin/true", home: "/var/lib/iddio" }, scope));
    const verified = await runClient(analyze, ["verify", "--man=no", file]);
    expect([verified.code, verified.stderr]).toEqual([0, ""]);
    expect(await exposure(analyze, file)).toBeLessThanOrEqual(most);
  }
  const server = join(PROJECT_ROOT, "packaging/server/iddio-server.service");
  expect(await exposure(analyze, server)).toBeLessThanOrEqual(2);
});

test("both units are hardened; the system's also hides the file system from the daemon", () => {
  const unit = { binary: "/h/.iddio/bin/iddio-daemon", home: "/h/.iddio" };
  const user = renderSystemdUnit(unit, "user");
  const system = renderSystemdUnit({ ...unit, config: "/etc/iddio" }, "system");
  for (const text of [user, system])
    for (const line of [
      "NoNewPrivileges=yes",
      "RestrictNamespaces=yes",
      "SystemCallFilter=@system-service",
      "Restart=always",
    ])
      expect(text).toContain(`\n${line}\n`);
  for (const line of ["ProtectSystem=strict", "ProtectHome=read-only", "PrivateTmp=yes"]) {
    expect(system).toContain(`\n${line}\n`);
    // A user's manager would make a user namespace for it, and then no connection could be told to be whose.
    expect(user).not.toContain(line);
  }
  expect(system).toContain('\nReadWritePaths="/h/.iddio" "/etc/iddio"\n');
  expect(system).toContain('\nEnvironment="IDDIO_CONFIG=/etc/iddio"\n');
});

test("paths survive each format's quoting", async () => {
  const unit = renderSystemdUnit({ binary: `${ODD}/d`, home: ODD }, "user");
  expect(unit).toContain('\nExecStart="/home/a \\"b\\" 50%% $$HOME & <c>\\\\d/d" gateway --start\n');
  expect(unit).toContain('\nEnvironment="IDDIO_HOME=/home/a \\"b\\" 50%% $HOME & <c>\\\\d"\n');
  const python = findClient("python3");
  if (python === undefined) return;
  const program = "import plistlib,json,sys; print(json.dumps(plistlib.load(sys.stdin.buffer)))";
  const { stdout } = await runClient(python, ["-c", program], {
    input: renderLaunchdPlist({ binary: `${ODD}/d`, home: ODD }),
  });
  expect(JSON.parse(stdout)).toMatchObject({
    Label: LAUNCHD_LABEL,
    ProgramArguments: [`${ODD}/d`, "gateway", "--start"],
    EnvironmentVariables: { IDDIO_HOME: ODD },
    KeepAlive: true,
    RunAtLoad: true,
  });
});

test("the daemon starts in the root, and inherits nothing that loads code or changes trust", () => {
  const unit = { binary: "/h/.iddio/bin/iddio-daemon", home: "/h/.iddio" };
  for (const scope of ["user", "system"] as const) {
    const lines = renderSystemdUnit(unit, scope).split("\n");
    expect(lines).toContain("WorkingDirectory=/");
    const unset = lines.find((line) => line.startsWith("UnsetEnvironment=")) ?? "";
    for (const name of ["BUN_OPTIONS", "BUN_BE_BUN", "NODE_TLS_REJECT_UNAUTHORIZED", "LD_PRELOAD"])
      expect(unset.slice("UnsetEnvironment=".length).split(" ")).toContain(name);
  }
  const plist = renderLaunchdPlist(unit).replaceAll(/\n\s*/g, "");
  expect(plist).toContain("<key>WorkingDirectory</key><string>/</string>");
  expect(plist).toContain("<key>BUN_BE_BUN</key><string></string>");
});
