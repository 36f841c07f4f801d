// A live agent of keys signs for the upstream connection, and a session's process that is killed
// takes no other session with it.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findClient } from "../../support/clients.ts";
import { eventually } from "../../support/eventually.ts";
import { ALLOW_ALL, type SshWorld, startSshWorld } from "../../support/ssh/ssh-world.ts";
import { findSshTools } from "../../support/ssh/sshd.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";

const LONG_MS = 100_000;
const CLIENT_MS = 60_000;

const hasTools = findSshTools() !== undefined && findClient("ssh-agent") !== undefined;

describe.if(hasTools)("with the operator's agent of keys", () => {
  let own: AsyncDisposableStack;
  let world: SshWorld;

  beforeAll(async () => {
    await using made = new AsyncDisposableStack();
    const folder = made.use(await temporaryDirectory());
    const socket = join(folder.path, "agent");
    const agent = Bun.spawn(["ssh-agent", "-D", "-a", socket], { stdout: "ignore", stderr: "ignore" });
    made.defer(async () => {
      agent.kill();
      await agent.exited;
    });
    await eventually(async () => existsSync(socket), Boolean, LONG_MS);
    world = made.use(await startSshWorld({ rules: ALLOW_ALL, settings: `ssh_agent: ${socket}\n` }));
    const added = Bun.spawnSync(["ssh-add", "-q", world.sshd.identity], {
      env: { ...process.env, SSH_AUTH_SOCK: socket },
    });
    expect(added.exitCode, added.stderr.toString()).toBe(0);
    // From now on nobody but the agent has the key.
    rmSync(world.sshd.identity);
    own = made.move();
  }, LONG_MS);
  afterAll(() => own?.disposeAsync(), LONG_MS);

  test(
    "it signs for the upstream, and neither the client nor the host sees it",
    async () => {
      const { code, stdout } = await world.ssh('uname -s; echo "agent=$SSH_AUTH_SOCK"', { options: ["-A"] });
      expect([code, stdout]).toEqual([0, "Linux\nagent=\n"]);
      expect(world.sshd.log).toContain("Accepted publickey");
    },
    LONG_MS,
  );

  test(
    "a session's process that is killed ends its own session alone",
    async () => {
      const limit = { timeoutMs: CLIENT_MS };
      const doomed = world.start("echo up; exec sleep 1003", limit);
      await doomed.until("up");
      const [doomedProcess = 0] = sessionsOf(world);
      const kept = world.start("echo up; while [ ! -e ~/go ]; do sleep 0.1; done; echo went on", limit);
      await kept.until("up");
      process.kill(doomedProcess, "SIGKILL");
      expect((await doomed.finished).code).toBe(255);
      writeFileSync(join(world.sshd.home, "go"), "");
      const { code, stdout } = await kept.finished;
      expect([code, stdout]).toEqual([0, "up\nwent on\n"]);
      expect((await world.ssh("uname -s")).stdout).toBe("Linux\n");
    },
    LONG_MS,
  );
});

/** The processes of the sessions of this world's daemon. */
function sessionsOf(world: SshWorld): readonly number[] {
  return Bun.spawnSync(["pgrep", "-f", "iddio ssh-session"])
    .stdout.toString()
    .split("\n")
    .filter(Boolean)
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(world.gateway.home));
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
