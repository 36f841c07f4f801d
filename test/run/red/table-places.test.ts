// More of the red table of `iddio run`: what an agent tries with the processes that hold it, with
// files that iddio lays into its sandbox, and with links that it leaves for the next run. As an
// unprivileged user, in real sandboxes.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import { noSandbox, type Sandbox, startSandbox } from "../../support/sandbox/sandbox.ts";

const LONG_MS = 120_000;
const CANARY = "canary-secret-77ab";

describe.if(noSandbox() === undefined)("from inside a run", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox();
    await mkdir(join(sandbox.home, ".ssh"), { mode: 0o755 });
    await sandbox.write(join(sandbox.home, ".ssh", "id_ed25519"), `${CANARY}\n`, 0o644);
  }, LONG_MS);
  afterAll(() => sandbox[Symbol.asyncDispose](), LONG_MS);

  const pidOfDaemon = async () => (await sandbox.control.call("status", {})).pid;

  test(
    "held: ptrace of the processes that hold it, and their memory",
    async () => {
      const daemon = await pidOfDaemon();
      const attempt = `perl -e '
        my $x = (\`uname -m\` =~ /x86_64/);
        my ($ptrace, $readv) = $x ? (101, 310) : (117, 270);
        for my $pid (${daemon}, getppid(), 1 .. 40) {
          # Its own it may look at, as debuggers do.
          next if -d "/proc/$pid";
          my $buffer = "x" x 64; my $iov = pack("P Q", $buffer, 64); my $from = pack("Q Q", 0x400000, 64);
          print "ESCAPED ptrace $pid\\n" if syscall($ptrace, 16, $pid, 0, 0) == 0;
          print "ESCAPED memory $pid\\n" if syscall($readv, $pid, $iov, 1, $from, 1, 0) >= 0;
          print "ESCAPED mem $pid\\n" if open(my $f, "<", "/proc/$pid/mem");
        }'; echo the end`;
      const { stdout } = await sandbox.inside(attempt);
      expect(stdout).toBe("the end\n");
    },
    LONG_MS,
  );

  test(
    "held: stopping and killing the bridge and the daemon by their numbers",
    async () => {
      await using victim = sandbox.start(["run", "--name", "victim", "--", "/bin/sleep", "60"]);
      const bridge = await eventually(
        async () =>
          (await sandbox.control.call("runs_list", {})).runs.find(({ name }) => name === "victim")?.pid,
        (pid) => pid !== undefined,
      );
      const daemon = await pidOfDaemon();
      const { stdout } = await sandbox.inside(
        `for p in ${bridge} ${daemon}; do for s in STOP TERM KILL; do kill -$s $p 2>/dev/null && echo ESCAPED; kill -$s -- -$p 2>/dev/null && echo ESCAPED; done; done; pkill -KILL iddio && echo ESCAPED; echo the end`,
      );
      expect(stdout).toBe("the end\n");
      expect(await pidOfDaemon()).toBe(daemon);
      const { runs } = await sandbox.control.call("runs_list", {});
      expect(runs.find(({ name }) => name === "victim")?.pid).toBe(bridge ?? 0);
      await sandbox.iddio(["run", "stop", "victim"]);
      await victim.finished;
    },
    LONG_MS,
  );

  test(
    "held: writing the overlay, the trust, the hook and what else iddio lays into the sandbox",
    async () => {
      await sandbox.write(join(sandbox.state, "kubeconfig"), "clusters: []\n");
      const places = [
        "$KUBECONFIG",
        "$SSL_CERT_FILE",
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/resolv.conf",
        "/etc/hosts",
        "/run/iddio/hook-settings.json",
        "/run/iddio/iddio",
        "/run/iddio/api",
      ];
      const script = places
        .map(
          (place) =>
            `[ -e "${place}" ] || echo "missing ${place}"; (echo evil > "${place}") 2>/dev/null && echo "ESCAPED ${place}"; rm -f "${place}" 2>/dev/null && echo "ESCAPED ${place}"; mv "${place}" /tmp/x 2>/dev/null && echo "ESCAPED ${place}"; ln -sfn /tmp/x "${place}" 2>/dev/null && echo "ESCAPED ${place}"`,
        )
        .join("\n");
      const { stdout } = await sandbox.inside(`${script}\necho the end`, { flags: ["--profile", "claude"] });
      expect(stdout).toBe("the end\n");
      expect(await readFile(join(sandbox.state, "kubeconfig"), "utf8")).toBe("clusters: []\n");
    },
    LONG_MS,
  );

  test(
    "held: links that change while the next run is laid out",
    async () => {
      const { home, project } = sandbox;
      const swap = `while [ ! -e over ]; do for n in .envrc .vscode sub; do rm -rf $n; ln -s ${home}/.ssh $n; rm -f $n; mkdir -p $n/.git; ln -sfn ${home}/.ssh $n/.git/hooks; done; done`;
      await using racer = sandbox.start(["run", "--name", "racer", "--", "/bin/sh", "-c", swap]);
      await eventually(
        async () =>
          (await sandbox.control.call("runs_list", {})).runs.find(({ name }) => name === "racer")?.pid,
        (pid) => pid !== undefined,
      );
      for (let round = 0; round < 6; round += 1) {
        const { stdout } = await sandbox.inside(
          "cat .envrc/id_ed25519 .vscode/id_ed25519 sub/id_ed25519 sub/.git/hooks/id_ed25519 2>/dev/null; echo the end",
        );
        // A run that finds a place gone is not started; none shows a secret.
        expect(["", "the end\n"]).toContain(stdout);
      }
      await sandbox.write(join(project, "over"), "");
      await racer.finished;
      expect(await readFile(join(home, ".ssh", "id_ed25519"), "utf8")).toBe(`${CANARY}\n`);
    },
    LONG_MS,
  );

  for (const flag of ["--rw", "--ro"])
    test(
      `held: a link that an agent left, given to the next run by ${flag}`,
      async () => {
        const { home, project } = sandbox;
        await mkdir(join(project, "data"), { recursive: true });
        const name = `build${flag}`;
        await symlink(join(home, ".ssh"), join(project, name));
        const { code, stdout, stderr } = await sandbox.inside(`cat ${name}/id_ed25519`, {
          flags: [flag, name],
        });
        expect([code, stdout]).toEqual([1, ""]);
        expect(stderr).toContain("it is a link that leads out of the project");
        // The same place by its own name is the person's to give.
        const meant = await sandbox.inside("echo started", { flags: [flag, join(project, "data")] });
        expect(meant.stdout).toBe("started\n");
      },
      LONG_MS,
    );

  test(
    "not held (docs/run.md says so): a program outside that begins to listen in a folder of the agent's while it runs",
    async () => {
      const { project } = sandbox;
      await using agent = sandbox.start([
        ...["run", "--name", "patient", "--", "/bin/sh", "-c"],
        `until [ -S late.sock ]; do sleep 0.1; done; perl -MIO::Socket -e 'for (1 .. 100) { if (IO::Socket::UNIX->new("late.sock")) { print "connected\\n"; exit } select undef, undef, undef, 0.1 }'`,
      ]);
      await eventually(
        async () =>
          (await sandbox.control.call("runs_list", {})).runs.find(({ name }) => name === "patient")?.pid,
        (pid) => pid !== undefined,
      );
      const server = Bun.spawn(
        [
          ...[...sandbox.asUser, "/usr/bin/perl", "-MIO::Socket", "-e"],
          `my $s = IO::Socket::UNIX->new(Local => "${join(project, "late.sock")}", Listen => 5) or die; $s->accept; sleep 1`,
        ],
        { env: { ...sandbox.env }, stdout: "ignore", stderr: "inherit", stdin: "ignore" },
      );
      expect((await agent.finished).stdout).toBe("connected\n");
      server.kill();
      await server.exited;
    },
    LONG_MS,
  );
});
