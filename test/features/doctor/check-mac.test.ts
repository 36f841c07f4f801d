// doctor's findings about roots, and about things that only macOS has: seen from a state directory
// alone.

import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import * as tls from "node:tls";
import { Authority } from "../../../src/ca/authority.ts";
import { writeBundle } from "../../../src/ca/bundle.ts";
import type { CheckContext } from "../../../src/cli/kit/check.ts";
import { homeInAnswer } from "../../../src/cli/kit/installation/invoking-user.ts";
import { checkBundle } from "../../../src/features/doctor/check-authority.ts";
import { checkLocalNetwork, checkNotifications } from "../../../src/features/doctor/check-mac.ts";
import { LOCAL_NETWORK_REFUSED } from "../../../src/gateway/upstream/dial/local-network.ts";
import { openService } from "../../../src/host/service/service.ts";
import { ensureStateDirectory } from "../../../src/state/files.ts";
import { statePaths } from "../../../src/state/paths.ts";
import { pemCertificates } from "../../../src/text/pem-certificates.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const NOW_MS = Date.UTC(2026, 10, 29);

async function contextIn(home: string, more: Partial<CheckContext> = {}): Promise<CheckContext> {
  const paths = statePaths({ HOME: home });
  await ensureStateDirectory(paths);
  return {
    paths,
    env: { HOME: home },
    version: "v0.0.0-dev",
    nowMs: NOW_MS,
    service: undefined,
    daemon: undefined,
    systemRoots: [],
    trustPlaces: [],
    platform: "darwin",
    ...more,
  };
}

test("a bundle with fewer than 50 certificates fails, whatever the system says that it trusts", async () => {
  await using directory = await temporaryDirectory();
  const context = await contextIn(directory.path);
  const authority = await Authority.open(context.paths);
  for (const [count, verdict] of [
    [0, "fail"],
    [48, "fail"],
    [49, "ok"],
  ] as const) {
    const roots = tls.rootCertificates.slice(0, count).flatMap(pemCertificates);
    await writeBundle(context.paths, authority, { roots });
    // The list that it is compared with has shrunk just the same.
    expect((await checkBundle({ ...context, systemRoots: roots })).verdict).toBe(verdict);
  }
});

test("an upstream that macOS kept from the daemon is named for a day", async () => {
  await using directory = await temporaryDirectory();
  const context = await contextIn(directory.path);
  expect((await checkLocalNetwork(context)).verdict).toBe("ok");
  const row = (reason: string, timestamp_ms: number) =>
    `${JSON.stringify({ timestamp_ms, op: "mitm", hash: "0".repeat(32), fields: { host: "192.168.7.1", outcome: "failed", reason } })}\n`;
  await writeFile(context.paths.audit, row("192.168.7.1:6443 refused the connection", NOW_MS));
  expect((await checkLocalNetwork(context)).verdict).toBe("ok");
  await writeFile(context.paths.audit, row(`192.168.7.1:6443 ${LOCAL_NETWORK_REFUSED}`, NOW_MS - 60_000));
  const found = await checkLocalNetwork(context);
  expect(found).toMatchObject({ verdict: "warn", detail: expect.stringContaining("192.168.7.1") });
  expect(found.fix).toContain("Local Network");
  expect((await checkLocalNetwork({ ...context, nowMs: NOW_MS + 2 * 86_400_000 })).verdict).toBe("ok");
});

test("notifications of an agent without a session at the screen cannot be seen, and doctor says so", async () => {
  await using directory = await temporaryDirectory();
  const context = await contextIn(directory.path);
  const service = openService({ scope: "user", paths: context.paths, env: context.env, platform: "darwin" });
  expect((await checkNotifications({ ...context, service })).verdict).toBe("ok");
  await Bun.write(service.unitPath, "<key>LimitLoadToSessionType</key>\n\t<string>Background</string>\n");
  const headless = openService({ scope: "user", paths: context.paths, env: context.env, platform: "darwin" });
  expect(await checkNotifications({ ...context, service: headless })).toMatchObject({
    verdict: "warn",
    fix: "decide with: iddio approval watch",
  });
});

test("a home directory is read from dscl, with blanks too", () => {
  expect(homeInAnswer("NFSHomeDirectory: /Users/alice\n")).toBe("/Users/alice");
  // A value with blanks is on the next line.
  expect(homeInAnswer("NFSHomeDirectory:\n /Volumes/Big Disk/alice\n")).toBe("/Volumes/Big Disk/alice");
  expect(homeInAnswer("<dscl_cmd> DS Error: -14136 (eDSRecordNotFound)\n")).toBeUndefined();
});
