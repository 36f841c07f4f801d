// Commands over SSH with the real clients and a real sshd: what is let through runs there and is
// recorded, what is not is refused in words on stderr with status 126.

import { expect, test } from "bun:test";
import { startSshWorld } from "../../support/ssh-world.ts";
import { findSshTools } from "../../support/sshd.ts";

const MINUTES = 5 * 60_000;

if (findSshTools() !== undefined) {
  test(
    "a command that reads runs on the host, and its row says so",
    async () => {
      await using world = await startSshWorld();
      const { code, stdout, stderr } = await world.ssh("uname -a");
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toStartWith("Linux ");
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
