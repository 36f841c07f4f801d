// Sessions over SSH are recorded as those into clusters are: a row names the recording, and it
// replays.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runClient } from "../../support/clients.ts";
import { startPty } from "../../support/pages/pty.ts";
import { ALLOW_ALL, startSshWorld } from "../../support/ssh/ssh-world.ts";
import { findSshTools } from "../../support/ssh/sshd.ts";

const MINUTES = 10 * 60_000;

if (findSshTools() !== undefined) {
  test.concurrent(
    "a command, a shell and a transfer are recorded and replay",
    async () => {
      await using world = await startSshWorld({ rules: ALLOW_ALL });
      const { gateway } = world;
      await world.ssh("echo visible; echo trouble >&2; exit 3", { input: "typed\n" });
      await using pty = startPty(["ssh", "-F", world.config, "localhost"], {
        env: world.env,
        columns: 90,
        rows: 30,
        isBare: true,
      });
      const end = performance.now() + 60_000;
      while (!pty.written.includes("$ ") && performance.now() < end) await Bun.sleep(20);
      pty.type("echo from-$((40+2))-shell\rexit\r");
      await pty.exited;
      const file = join(gateway.home, "file");
      writeFileSync(file, "content");
      await runClient("sftp", ["-F", world.config, "-b", "-", "localhost"], {
        env: world.env,
        input: `put ${file} ${world.sshd.home}/x\n`,
      });
      // A command behind a transfer is no part of it, and does not go unrecorded with it.
      await world.ssh("git-upload-pack /nowhere; echo behind-it");

      const rows = await gateway.rowsWhen(
        (all) => all.filter(({ op, fields }) => op === "ssh" && fields.recording !== undefined).length >= 4,
      );
      const ids = rows
        .filter(({ op, fields }) => op === "ssh" && fields.recording !== undefined)
        .map(({ fields }) => String(fields.recording));
      const listed = JSON.parse((await gateway.run(["session", "list", "--json"])).stdout);
      expect(listed.length).toBe(4);
      for (const each of listed)
        expect(each).toMatchObject({ kind: "ssh", host: "localhost", remote_user: "tester", state: "ended" });
      const replays = await Promise.all(
        ids.map(async (id) => (await gateway.run(["session", "replay", id, "--speed", "100"])).stdout),
      );
      const all = replays.join("\n");
      expect(all).toContain("visible");
      expect(all).toContain("trouble");
      expect(all).toContain("from-42-shell");
      expect(all).toContain("behind-it");
      expect(all).toMatch(
        /upload \S+\/x 7 bytes sha256 ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73/,
      );
      const shown = JSON.parse((await gateway.run(["session", "show", ids[0] ?? "", "--json"])).stdout);
      expect(shown).toMatchObject({ exit_code: 3, octets: { stdin: 6, stdout: 8, stderr: 8 } });
      // Keystrokes in a terminal hold passwords.
      const shell = readFileSync(join(gateway.home, "recordings", `${ids[1]}.jsonl`), "utf8");
      expect(shell.split("\n").filter((line) => line.includes('"stdin","'))).toEqual([]);
      expect(shell).toContain('"resize","90x30"');
    },
    MINUTES,
  );

  test.concurrent(
    "a session that cannot be recorded does not begin",
    async () => {
      await using world = await startSshWorld({ rules: ALLOW_ALL });
      const folder = join(world.gateway.home, "recordings");
      rmSync(folder, { recursive: true, force: true });
      writeFileSync(folder, "not a folder");
      const { code, stderr } = await world.ssh("echo never");
      expect([code, stderr]).toEqual([126, expect.stringContaining("cannot be recorded")]);
      expect(readdirSync(world.gateway.home)).toContain("recordings");
    },
    MINUTES,
  );

  test.concurrent(
    "a person ends a session that lasts",
    async () => {
      await using world = await startSshWorld({ rules: ALLOW_ALL });
      const running = world.start("echo begun; sleep 1000");
      await running.until("begun");
      const listed = JSON.parse((await world.gateway.run(["session", "list", "--json"])).stdout);
      expect(listed[0]).toMatchObject({ state: "open" });
      expect((await world.gateway.run(["session", "end", listed[0].id])).code).toBe(0);
      const finished = await running.finished;
      expect(finished.code).not.toBe(0);
      expect(finished.stderr).toContain("a person ended the session");
    },
    MINUTES,
  );
}
