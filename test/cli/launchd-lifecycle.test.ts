// The daemon's life under a launchd that drains (test/support/system/launchctl), with the compiled
// program as daemon: registered, restarted, exchanged for a new version and for a broken one, and
// removed. At each step one daemon answers, never two, and its bundle is whole.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bringUp, placeDaemon } from "../../src/cli/kit/installation/bring-up.ts";
import { daemonStatus } from "../../src/cli/kit/installation/installation.ts";
import { exchangeDaemon } from "../../src/features/update/exchange-daemon.ts";
import { removeInstallation } from "../../src/host/service/remove-installation.ts";
import { openService } from "../../src/host/service/service.ts";
import { statePaths } from "../../src/state/paths.ts";
import { pemCertificates } from "../../src/text/pem-certificates.ts";
import { builtBinary } from "../support/built-binary.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { testSettings } from "../support/test-settings.ts";

const WAIT_MS = 300_000;

test(
  "install, a changed list, upgrade, a broken upgrade and uninstall end as they should",
  async () => {
    await using directory = await temporaryDirectory();
    const fake = join(directory.path, "launchd");
    await mkdir(fake);
    const env = {
      HOME: directory.path,
      PATH: process.env.PATH,
      IDDIO_TEST_TOOLS: join(PROJECT_ROOT, "test/support/system"),
      FAKE_LAUNCHD: fake,
    };
    const paths = statePaths(env);
    await mkdir(paths.root, { mode: 0o700 });
    await writeFile(paths.settings, testSettings(), { mode: 0o600 });
    const service = openService({ scope: "user", paths, env, platform: "darwin" });
    await using _end = { [Symbol.asyncDispose]: async () => void (await service.remove()) };
    const pidNow = async () => {
      const status = await daemonStatus(paths);
      const state = await service.state();
      expect(state).toEqual({ kind: "running", pid: status?.pid });
      expect(pemCertificates(readFileSync(paths.bundle, "utf8")).length).toBeGreaterThan(50);
      return status?.pid;
    };

    const { version } = await placeDaemon(paths, env, builtBinary());
    const { isUnitNew } = await bringUp(paths, service, { isBinaryNew: true, waitMs: WAIT_MS });
    expect(isUnitNew).toBe(true);
    const first = await pidNow();
    // Once more, and nothing is touched.
    await bringUp(paths, service, { isBinaryNew: false, waitMs: WAIT_MS });
    expect(await pidNow()).toBe(first);
    await writeFile(service.unitPath, "<plist/>");
    await bringUp(paths, service, { isBinaryNew: false, waitMs: WAIT_MS });
    const second = await pidNow();
    expect(second).not.toBe(first);

    const staged = join(directory.path, "staged");
    await copyFile(builtBinary(), staged);
    await chmod(staged, 0o755);
    expect(await exchangeDaemon({ paths, env, service, staged, version })).toEqual({ isRestarted: true });
    const third = await pidNow();
    expect(third).not.toBe(second);

    await writeFile(staged, "#!/bin/sh\necho 'dyld: cannot load' >&2\nexit 1\n");
    const broken = exchangeDaemon({ paths, env, service, staged, version: "v99.0101.0000" });
    await expect(broken).rejects.toThrow("did not come up");
    await expect(broken).rejects.toThrow("dyld: cannot load");
    expect(await pidNow()).not.toBe(third);
    expect(existsSync(`${paths.database}.previous`)).toBe(false);
    // No daemon ever met the lock of another.
    expect(readFileSync(paths.daemonErrors, "utf8")).not.toContain("another iddio daemon");

    expect(await service.remove()).toBe(true);
    expect(await daemonStatus(paths)).toBeUndefined();
    const { left } = await removeInstallation(paths, { isDataKept: false });
    expect(left.filter((path) => path !== paths.audit)).toEqual([]);
    expect(existsSync(paths.daemonErrors)).toBe(false);
    expect(await service.remove()).toBe(false);
  },
  5 * 60_000,
);
