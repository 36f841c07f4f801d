// Commands over SSH with the real clients and a real sshd: what is let through runs there and is
// recorded, what is not is refused in words on stderr with status 126.

import { expect, test } from "bun:test";
import { adoptSocket } from "../../../src/gateway/stream/adopt-socket.ts";
import { Channel } from "../../../src/gateway/stream/channel.ts";
import { socketPair } from "../../../src/host/process/descriptor.ts";
import { closeDescriptor } from "../../../src/host/sandbox/libc.ts";
import { builtBinary } from "../../support/built-binary.ts";
import { type SshWorld, startSshWorld } from "../../support/ssh/ssh-world.ts";
import { findSshTools } from "../../support/ssh/sshd.ts";

const MINUTES = 5 * 60_000;

/** The first line of `ssh-proxy` when it is started on one socket by a program that is not ssh. */
async function firstLineOver(world: SshWorld): Promise<string> {
  const [ours, theirs] = socketPair();
  const proxy = Bun.spawn([builtBinary(), "ssh-proxy", "localhost", String(world.sshd.port)], {
    env: { PATH: process.env.PATH ?? "", ...world.env },
    stdio: [theirs, theirs, "inherit"],
  });
  closeDescriptor(theirs);
  const channel = new Channel(await adoptSocket(ours));
  channel.write(new TextEncoder().encode("SSH-2.0-test\r\n"));
  try {
    return (await channel.moreWithin(60_000)) ? new TextDecoder().decode(channel.read()) : "nothing";
  } finally {
    channel.destroy();
    proxy.kill();
    await proxy.exited;
  }
}

if (findSshTools() !== undefined) {
  test(
    "a command that reads runs on the host, and its row says so",
    async () => {
      await using world = await startSshWorld();
      const { code, stdout, stderr } = await world.ssh("uname -a");
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toStartWith("Linux ");
      // Others than ssh that read the same configuration give one socket, too, and want bytes.
      expect(await firstLineOver(world)).toStartWith("SSH-2.0-iddio");
      const rows = await world.gateway.rowsWhen((all) => all.some(({ op }) => op === "ssh"));
      expect(rows.find(({ op }) => op === "ssh")?.fields).toMatchObject({
        carrier: "ssh",
        protocol: "ssh",
        host: "localhost",
        path: "uname -a",
        ssh_user: "tester",
        tier: "observe",
        decision: "allow",
        exit_code: 0,
      });
    },
    MINUTES,
  );
}
