// Repositories and folders that an agent has prepared: for the person's next git command outside,
// and for the next run, which the daemon lays out. Neither may run, write, show or wait for what
// the agent chose.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { asMountPath, MOUNTS_ARE_OWN } from "../../../src/features/run/bridge/preflight.ts";
import { type LayoutInput, layOut } from "../../../src/features/run/lay-out.ts";
import { ownMount } from "../../../src/features/run/sandbox/own-mounts.ts";
import { noSandbox, type Sandbox, startSandbox } from "../../support/sandbox/sandbox.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const LONG_MS = 110_000;
const IDENTITY = "-c user.name=t -c user.email=t@example.com";

test("what the kernel says of a place that is mounted from itself", () => {
  const mounts = [
    "21 1 8:1 / / rw - ext4 /dev/sda1 rw",
    "30 21 0:35 /@home /home rw - btrfs /dev/sdb rw",
    "31 30 0:36 / /home/u/my\\040disk rw - ext4 /dev/sdc rw",
  ].join("\n");
  expect(ownMount("/srv/p", mounts)).toBe("8:1 /srv/p /srv/p");
  expect(ownMount("/home/u/p", mounts)).toBe("0:35 /@home/u/p /home/u/p");
  expect(ownMount("/home/u/my disk", mounts)).toBe("0:36 / /home/u/my\\040disk");
  expect(ownMount("/home/u/my disk/p", mounts)).toBe("0:36 /p /home/u/my\\040disk/p");
  expect(ownMount("/home/u/my disks", mounts)).toBe("0:35 /@home/u/my\\040disks /home/u/my\\040disks");
  expect(ownMount("/srv", "")).toBeUndefined();
});

test("a working directory whose way leads over a link since is not laid out", async () => {
  await using directory = await temporaryDirectory();
  const folder = join(directory.path, "link");
  await symlink("/usr", folder);
  const place = { folder } as LayoutInput["place"];
  const laidOut = layOut({ place, run: { id: "run_x", name: "x" } } as unknown as LayoutInput);
  await expect(laidOut).rejects.toThrow(/working directory was changed|no filter of system calls/);
});

const MADE = ["a/b/c/d/e", "node_modules/x", "vendor/y", "target/z", 'v/w/x/y/$(printf "\\377")'];

describe.if(noSandbox() === undefined)("an agent", () => {
  let sandbox: Sandbox;
  const sh = (script: string) => sandbox.outside(["/bin/sh", "-c", script], { timeoutMs: 60_000 });

  beforeAll(async () => {
    sandbox = await startSandbox();
    const { stderr } = await sh(`git init -q .; git ${IDENTITY} commit -q --allow-empty -m one
mkdir -p own/a/b/c/d; git init -q own/a/b/c/d; git -C own/a/b/c/d config diff.external mine
mkdir ../secret ../other; echo CANARY > ../secret/key; git init -q ../other`);
    expect(stderr).toBe("");
    await sandbox.write(join(sandbox.project, "evil.sh"), `#!/bin/sh\ntouch ${sandbox.home}/RAN\n`, 0o755);
  }, LONG_MS);

  afterAll(() => sandbox[Symbol.asyncDispose](), LONG_MS);

  test(
    "held: repositories wherever they are, which `git status` above them enters",
    async () => {
      const { project, home } = sandbox;
      const make = MADE.map(
        (at) => `mkdir -p "${at}"; ( cd "${at}"; git init -q .; git ${IDENTITY} commit -q --allow-empty -m x
git config core.fsmonitor ${project}/evil.sh; cp ${project}/evil.sh .git/hooks/post-index-change )
git update-index --add --cacheinfo "160000,$(git -C "${at}" rev-parse HEAD),${at}"`,
      );
      const { code, stderr } = await sandbox.inside(`${make.join("\n")}\ntouch own/a/b/c/d/file`, {
        timeoutMs: 90_000,
      });
      expect([code, stderr]).toEqual([0, expect.stringContaining("node_modules/x/.git/config")]);
      const status = await sh("git status --short; cd v/w/x/y/*/ && git status --short");
      expect(status.stdout).toContain("a/b/c/d/e");
      expect(existsSync(join(home, "RAN"))).toBe(false);
      // A configuration that the person had there stays.
      expect(readFileSync(join(project, "own/a/b/c/d/.git/config"), "utf8")).toContain("external = mine");
      await sh("rm -rf a node_modules vendor target v; git rm -rq --cached .");
    },
    LONG_MS,
  );

  test(
    "held: links by which the next start would make files outside",
    async () => {
      const { home } = sandbox;
      await sh(`git init -q one; ln -s ${home} one/link; git -C one config core.hooksPath link/made/deep
git -C one config include.path ../link/.bash_profile
git init -q two; ln -s ${home}/other two/.git/modules
git init -q three; ln -s / three/.git/modules; rm -rf one/.git/hooks; ln -s ${home}/secret one/.git/hooks`);
      const { stdout } = await sandbox.inside("cat one/.git/hooks/key; echo the end", { timeoutMs: 60_000 });
      expect(stdout).toBe("the end\n");
      expect(readdirSync(home).filter((name) => name === "made" || name === ".bash_profile")).toEqual([]);
      expect(existsSync(join(home, "other/.git/commondir"))).toBe(false);
      await sh("rm -rf one two three");
    },
    LONG_MS,
  );

  test(
    "held: files that end nowhere, for whoever lays the next run out",
    async () => {
      await sh(`for n in 1 2 3 4; do git init -q fifo$n; git -C fifo$n config include.path ff; mkfifo fifo$n/.git/ff; done
git init -q zero; git -C zero config include.path /dev/zero
git init -q sparse; git -C sparse config include.path big; truncate -s 3G sparse/.git/big
mkdir -p pointer/x/modules/m; echo "gitdir: x/modules/m" > pointer/.git; mkfifo pointer/x/modules/m/gitdir`);
      const { stdout, stderr } = await sandbox.inside("echo the end", { timeoutMs: 60_000 });
      expect([stdout, stderr]).toEqual(["the end\n", expect.not.stringContaining("does not answer")]);
      await sh("rm -rf fifo? zero sparse pointer");
    },
    LONG_MS,
  );

  test("held: the project itself swapped for a link while it is mounted", () => {
    const { project, home } = sandbox;
    const expected = ownMount(project, readFileSync("/proc/self/mountinfo", "utf8")) ?? "";
    const start = (source: string, wanted: string) =>
      Bun.spawnSync([
        ...sandbox.asUser,
        ...["/usr/bin/bwrap", "--unshare-user", "--ro-bind", "/", "/", "--proc", "/proc", "--tmpfs", home],
        ...["--bind", source, project, "--", "/bin/sh", "-c", `${MOUNTS_ARE_OWN}echo started`, "iddio"],
        ...[wanted, "--", "--"],
      ]).stdout.toString();
    expect(start(project, expected)).toBe("started\n");
    expect(start(join(home, "secret"), expected)).toBe("");
    expect(start(project, expected.replace(asMountPath(project), "/elsewhere"))).toBe("");
  });
});
