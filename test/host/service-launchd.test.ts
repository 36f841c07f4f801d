// launchd, by a launchctl that drains as the real one does (test/support/system/launchctl): it
// answers bootout at once, keeps the label for a while, and refuses everything meanwhile. The
// daemon is a script that takes its time to end.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parsePrint, readLaunchctl } from "../../src/host/service/launchctl-answer.ts";
import { openService } from "../../src/host/service/service.ts";
import { statePaths } from "../../src/state/paths.ts";
import { PROJECT_ROOT } from "../support/source-files.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const LIMIT_MS = 300_000;
/** Ends a moment after it was told to, and writes down whether another one ran beside it. */
const DAEMON = `#!/bin/sh
mkdir "$IDDIO_HOME/held" 2>/dev/null || echo overlap >>"$IDDIO_HOME/overlaps"
trap 'kill $! 2>/dev/null; sleep 0.2; rmdir "$IDDIO_HOME/held"; exit 0' TERM
echo started >&2
sleep 600 &
while :; do wait $!; done
`;

async function launchdHome() {
  const directory = await temporaryDirectory();
  const fake = join(directory.path, "launchd");
  await mkdir(fake);
  await writeFile(join(fake, "drain"), "0.2");
  const env = {
    HOME: directory.path,
    PATH: process.env.PATH,
    IDDIO_TEST_TOOLS: join(PROJECT_ROOT, "test/support/system"),
    FAKE_LAUNCHD: fake,
  };
  const paths = statePaths(env);
  await mkdir(dirname(paths.daemonBinary), { recursive: true });
  await writeFile(paths.daemonBinary, DAEMON);
  await chmod(paths.daemonBinary, 0o755);
  const service = (more: { readonly bootstrapMs?: number } = {}) =>
    openService({ scope: "user", paths, env, platform: "darwin", ...more });
  return {
    fake,
    env,
    paths,
    service,
    calls: () =>
      readFileSync(join(fake, "calls"), "utf8")
        .split("\n")
        .filter((call) => call !== "" && !call.startsWith("print") && !call.startsWith("--")),
    hasOverlapped: () => existsSync(join(paths.root, "overlaps")),
    async [Symbol.asyncDispose]() {
      await service().remove();
      await directory[Symbol.asyncDispose]();
    },
  };
}

const uid = process.getuid?.() ?? 0;
const AGENT = `gui/${uid}/dev.iddio.daemon`;

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

test.concurrent(
  "a changed list ends with one daemon that runs, and a stop with none",
  async () => {
    await using home = await launchdHome();
    const service = home.service();
    await service.ensureUsable();
    expect(await service.state()).toEqual({ kind: "absent" });
    expect(await service.register()).toBe(true);
    const first = await service.state();
    expect(first.kind).toBe("running");
    expect(home.calls()).toEqual([`enable ${AGENT}`, `bootstrap gui/${uid} ${service.unitPath}`]);
    expect(service.unitPath).toBe(join(home.env.HOME, "Library/LaunchAgents/dev.iddio.daemon.plist"));
    expect(readFileSync(service.unitPath, "utf8")).toBe(service.unit);
    // A process that a bootstrap has started is not started again, which launchd would throttle.
    await service.restart();
    expect(home.calls().length).toBe(2);
    await service.restart();
    expect(home.calls().at(-1)).toBe(`kickstart -k ${AGENT}`);

    expect(await service.register()).toBe(false);
    await writeFile(service.unitPath, "<plist/>");
    expect(await service.register()).toBe(true);
    const second = await service.state();
    expect(second.kind).toBe("running");
    expect(
      home
        .calls()
        .filter((call) => !call.startsWith("enable"))
        .slice(-2),
    ).toEqual([`bootout ${AGENT}`, `bootstrap gui/${uid} ${service.unitPath}`]);

    const pid = second.kind === "running" ? second.pid : undefined;
    expect(isAlive(pid)).toBe(true);
    await service.stop();
    expect(isAlive(pid)).toBe(false);
    expect(await service.state()).toEqual({ kind: "absent" });
    // Nothing to stop is no failure.
    await service.stop();
    await service.restart();
    expect((await service.state()).kind).toBe("running");
    expect(await service.remove()).toBe(true);
    expect(existsSync(service.unitPath)).toBe(false);
    expect(await service.remove()).toBe(false);
    expect(home.hasOverlapped()).toBe(false);
  },
  LIMIT_MS,
);

test.concurrent("behind sudo the agent is the user's, not root's", async () => {
  await using home = await launchdHome();
  const env = { ...home.env, SUDO_UID: "4242" };
  await openService({ scope: "user", paths: home.paths, env, platform: "darwin" }).state();
  const asked = readFileSync(join(home.fake, "calls"), "utf8");
  expect(asked).toContain(`print gui/${uid === 0 ? 4242 : uid}/dev.iddio.daemon`);
});

test.concurrent(
  "a restart while the agent is being taken away waits and starts it again",
  async () => {
    await using home = await launchdHome();
    const service = home.service();
    await service.register();
    const state = await service.state();
    Bun.spawnSync([join(PROJECT_ROOT, "test/support/system/launchctl"), "bootout", AGENT], { env: home.env });
    expect(await service.state()).toMatchObject({ kind: "stopped", isEnding: true });
    await home.service().restart();
    const after = await service.state();
    expect(after.kind).toBe("running");
    expect(after).not.toEqual(state);
    expect(home.hasOverlapped()).toBe(false);
  },
  LIMIT_MS,
);

test.concurrent(
  "with nobody at the screen the agent belongs to the user's domain, and stays there",
  async () => {
    const withCode = async (code: string) => {
      await using home = await launchdHome();
      await writeFile(join(home.fake, "no-gui"), code);
      const service = home.service();
      await service.ensureUsable();
      expect(await service.state()).toEqual({ kind: "absent" });
      await service.register();
      expect((await service.state()).kind).toBe("running");
      expect(home.calls().at(-1)).toBe(`bootstrap user/${uid} ${service.unitPath}`);
      expect(service.restartCommand).toBe("launchctl kickstart -k user/$(id -u)/dev.iddio.daemon");
      expect(service.unit).toContain("<key>LimitLoadToSessionType</key>\n\t<string>Background</string>");
      // Later somebody logs in at the screen: the same agent, not a second one.
      await rm(join(home.fake, "no-gui"));
      const later = home.service();
      expect(later.unit).toBe(service.unit);
      expect(await later.register()).toBe(false);
      await later.restart();
      expect(home.calls().at(-1)).toBe(`kickstart -k user/${uid}/dev.iddio.daemon`);
      await later.stop();
      expect(await later.state()).toEqual({ kind: "absent" });
      await later.restart();
      expect(home.calls().at(-1)).toBe(`bootstrap user/${uid} ${service.unitPath}`);
    };
    await Promise.all(["112", "125"].map(withCode));
  },
  LIMIT_MS,
);

test.concurrent("without any domain the service is unreachable, not absent", async () => {
  await using home = await launchdHome();
  for (const name of ["no-gui", "no-user"]) await writeFile(join(home.fake, name), "125");
  const service = home.service();
  expect(await service.state()).toMatchObject({ kind: "unreachable" });
  const error = await service.ensureUsable().then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { hint: string },
  );
  expect(error?.message).toContain("launchd does not answer");
  expect(error?.hint).toContain("--no-service");
  expect(() =>
    openService({ scope: "system", paths: home.paths, env: home.env, platform: "darwin" }),
  ).toThrow("--system");
});

test.concurrent(
  "an agent that the user has switched off is told as such",
  async () => {
    await using home = await launchdHome();
    await writeFile(join(home.fake, "off"), "");
    const error = await home
      .service({ bootstrapMs: 1_000 })
      .register()
      .then(
        () => undefined,
        (thrown: unknown) => thrown as Error & { hint: string },
      );
    expect(error?.message).toContain("5: Input/output error");
    expect(error?.hint).toContain("Login Items");
  },
  LIMIT_MS,
);

test("exit codes and texts of macOS 13 to 27 are read", () => {
  for (const [code, meaning] of [
    [0, "done"],
    [3, "no-process"],
    [5, "refused"],
    [36, "in-progress"],
    [37, "in-progress"],
    [64, "failed"],
    [112, "no-domain"],
    [113, "absent"],
    [125, "no-domain"],
    [127, "failed"],
  ] as const)
    expect(readLaunchctl(code)).toBe(meaning);
  for (const [text, state] of [
    ["\tstate = running\n\tpid = 77\n", { kind: "running", pid: 77 }],
    ["\tpid = 77\n", { kind: "running", pid: 77 }],
    ["\tstate = SIGTERMed\n\tpid = 77\n", { kind: "stopped", isEnding: true, pid: 77 }],
    ["\tstate = not running\n\tlast exit code = 1\n", { kind: "stopped", detail: "last exit code 1" }],
    ["\tstate = spawn scheduled\n\tlast exit code = (never exited)\n", { kind: "stopped" }],
    [
      "\tstate = not running\n\tlast terminating signal = Killed: 9\n",
      { kind: "stopped", detail: "last ended by signal Killed: 9" },
    ],
    [
      "\tstate = not running\n\tlast exit reason = OS_REASON_CODESIGNING\n",
      { kind: "stopped", detail: "macOS ended it because its signature is not valid" },
    ],
  ] as const)
    expect(parsePrint(text)).toMatchObject(state);
});
