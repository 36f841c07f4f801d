// Who lays a run's sandbox out: the daemon where it sees the caller's files, else `iddio run`
// itself. Both make the same sandbox, and one that is refused leaves nothing.

import { describe, expect, test } from "bun:test";
import { readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { RunPlace } from "../../src/api/run-report.ts";
import { seesSameFiles } from "../../src/features/run/lay-out-in-daemon.ts";
import { passedOn } from "../../src/features/run/sandbox/passed-on.ts";
import { StartedBridge } from "../../src/features/run/started-bridge.ts";
import { startTimeOf } from "../../src/host/process/process-start.ts";
import { statePaths } from "../../src/state/paths.ts";
import { eventually } from "../support/eventually.ts";
import { noSandbox, startSandbox } from "../support/sandbox/sandbox.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

const linux = test.if(process.platform === "linux");

linux("the daemon lays out only for a caller that sees the same files", () => {
  const paths = statePaths({ IDDIO_HOME: "/state" });
  const place = { state: "/state", config: "/state" } as RunPlace;
  const caller = { kind: "owner", pid: process.pid, uid: process.getuid?.() ?? 0 } as const;
  expect(seesSameFiles(caller, place, paths)).toBe(true);
  for (const [why, other, where] of [
    ["another user", { ...caller, uid: caller.uid + 1 }, place],
    ["a process that is gone", { ...caller, pid: 2 ** 30 }, place],
    ["no process known", { kind: "owner", uid: caller.uid }, place],
    ["another name of the state directory", caller, { ...place, state: "/link-to-state" }],
    ["another folder of the policy", caller, { ...place, config: "/etc/iddio" }],
  ] as const)
    expect([why, seesSameFiles(other, where, paths)]).toEqual([why, false]);
});

test("what is set wins over what is passed on, and the rest stays outside", () => {
  const env = { A: "1", B: "2", LC_TIME: "C", SECRET: "x" };
  expect(passedOn(env, { passes: ["A", "B", "MISSING"], sets: { B: "3" } })).toEqual({
    A: "1",
    B: "3",
    LC_TIME: "C",
  });
});

linux("a bridge that is not wanted any more ends with the processes that it has begun", async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, "pid");
  const script = `sleep 300 & echo $! > ${file}.new; mv ${file}.new ${file}; wait`;
  const bridge = new StartedBridge(["/bin/sh", "-c", script]);
  const pid = await eventually(
    async () =>
      Number(
        await Bun.file(file)
          .text()
          .catch(() => ""),
      ),
    (found) => found > 0,
  );
  expect(startTimeOf(pid)).toBeDefined();
  bridge[Symbol.dispose]();
  await eventually(
    async () => startTimeOf(pid),
    (started) => started === undefined,
  );
});

const why = noSandbox();

describe.if(why === undefined)("in a sandbox", () => {
  test("both ways make the same sandbox", async () => {
    await using sandbox = await startSandbox();
    const link = join(sandbox.home, "..", "state-link");
    await symlink(sandbox.state, link);
    const script = [
      `test -r ${sandbox.state}/policy.yaml && echo policy shows`,
      "ls -A ~",
      "cut -d' ' -f5 /proc/self/mountinfo | sort",
      "env -0 | sort -z | tr '\\0' '\\n' | grep -v '^_='",
      "curl -s http://a.seen.example/",
    ].join("\n");
    const byDaemon = await sandbox.inside(script, { timeoutMs: 90_000 });
    const byItself = await sandbox.inside(script, { timeoutMs: 90_000, env: { IDDIO_HOME: link } });
    expect(byDaemon.stdout).toContain("hello from a.seen.example");
    const known = (text: string) => text.replaceAll(link, sandbox.state).split("\n").sort();
    // By its other name the state directory is one more place that is covered.
    expect([...new Set(known(byItself.stdout))]).toEqual([...new Set(known(byDaemon.stdout))]);
  }, 115_000);

  test("a sandbox that is refused at once leaves no process that holds the caller's pipes", async () => {
    await using sandbox = await startSandbox();
    // The output ends only when every process has gone that has it.
    for (let times = 0; times < 12; times += 1) {
      const { code, stderr } = await sandbox.inside("true", {
        env: { HOME: join(sandbox.home, "nobody"), IDDIO_HOME: sandbox.state },
        timeoutMs: 20_000,
      });
      expect([code, stderr]).toEqual([1, expect.stringContaining("the home directory '")]);
    }
    const gone = 'mkdir ../gone; cd ../gone; rmdir ../gone; exec "$0" run -- true';
    const { code, stderr } = await sandbox.outside(["/bin/sh", "-c", gone, sandbox.binary]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/cd into a different directory|is gone/)]);
  }, 115_000);

  test("a sandbox that is refused leaves no run and no files", async () => {
    await using sandbox = await startSandbox();
    for (const flags of [
      ["--rw", "/etc"],
      ["--profile", "no-such"],
    ]) {
      const refused = await sandbox.inside("true", { flags, timeoutMs: 90_000 });
      expect([flags, refused.code]).not.toEqual([flags, 0]);
      expect(refused.stderr).toContain("hint: ");
    }
    expect((await sandbox.control.call("runs_list", {})).runs).toEqual([]);
    expect(await readdir(join(sandbox.state, "runs"))).toEqual([]);
  }, 115_000);
});
