// A run from start to end: its name, `run ls`, `run stop`, a published port, profiles, and the
// check before the start.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import { noSandbox, type Sandbox, startSandbox } from "../support/sandbox/sandbox.ts";

const LONG_MS = 120_000;

describe.if(noSandbox() === undefined)("a run", () => {
  let sandbox: Sandbox;

  beforeAll(async () => {
    sandbox = await startSandbox();
    await sandbox.serve("a.seen.example");
  }, LONG_MS);

  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
  }, LONG_MS);

  const running = (name: string) =>
    eventually(
      async () => (await sandbox.control.call("runs_list", {})).runs.find((run) => run.name === name),
      (run) => run?.pid !== undefined,
    );

  test(
    "is listed while it runs, ended by its name, and leaves nothing behind",
    async () => {
      await using program = sandbox.start(["run", "--name", "worker", "--", "/bin/sleep", "60"]);
      await running("worker");
      const { stdout } = await sandbox.iddio(["run", "ls"]);
      expect(stdout).toMatch(/^worker +run_[0-9a-f]{8} +shell +L2 +\d+ +\S+ +\/bin\/sleep 60$/m);
      const taken = await sandbox.inside("true", { flags: ["--name", "worker"] });
      expect([taken.code, taken.stderr]).toEqual([
        1,
        expect.stringContaining("a run named 'worker' exists already"),
      ]);
      expect((await sandbox.iddio(["run", "stop", "worker"])).stdout).toBe("stopped worker\n");
      expect((await program.finished).code).not.toBe(0);
      await eventually(
        () => readdir(join(sandbox.state, "runs")),
        (names) => names.length === 0,
      );
    },
    LONG_MS,
  );

  test(
    "leaves nothing when `iddio run` is killed, whether or not the daemon was there to see it",
    async () => {
      // A folder that may not be entered, as an agent can leave it.
      const script = "mkdir -p /var/tmp/a/b; chmod 0 /var/tmp/a; exec sleep 60";
      const runs = join(sandbox.state, "runs");
      const startedThere = async (name: string) => {
        const program = sandbox.start(["run", "--name", name, "--", "/bin/sh", "-c", script]);
        const run = await running(name);
        await eventually(
          async () => existsSync(join(runs, run?.id ?? "", "var-tmp", "a")),
          (isThere) => isThere,
        );
        return () => program.stop("SIGKILL");
      };
      const isEmpty = () =>
        eventually(
          () => readdir(runs),
          (names) => names.length === 0,
        );
      await (await startedThere("first"))();
      await isEmpty();
      const second = await startedThere("second");
      await sandbox.kill();
      await second();
      expect((await readdir(runs)).length).toBeGreaterThan(0);
      await sandbox.restart();
      await isEmpty();
      // The agent is seen to a last time, which the killed one cannot do.
      const third = sandbox.start([
        ...["run", "--name", "third", "--", "/bin/sh", "-c"],
        "until [ -e now ]; do sleep 0.1; done; echo > .envrc; exec sleep 60",
      ]);
      await running("third");
      void third.stop("SIGSTOP");
      await sandbox.write(join(sandbox.project, "now"), "");
      await eventually(
        async () => existsSync(join(sandbox.project, ".envrc")),
        (isThere) => isThere,
      );
      await third.stop("SIGKILL");
      await isEmpty();
      expect(existsSync(join(sandbox.project, ".envrc"))).toBe(false);
      expect((await sandbox.iddio(["run", "quarantine"])).stdout).toContain("/.envrc");
      // And `iddio run` itself gets such a folder away, and gives the agent's exit code.
      expect((await sandbox.inside("mkdir -p /var/tmp/a/b; chmod 0 /var/tmp/a; exit 7")).code).toBe(7);
      await isEmpty();
    },
    LONG_MS,
  );

  test(
    "has its network again after the daemon has restarted",
    async () => {
      const script =
        "until [ -e go ]; do sleep 0.1; done; for i in 1 2 3 4 5 6 7 8 9 10; do curl -sS https://a.seen.example/ && exit 0; sleep 0.5; done; exit 9";
      await using program = sandbox.start(["run", "--name", "survivor", "--", "/bin/sh", "-c", script]);
      const before = await running("survivor");
      await sandbox.restart();
      const after = await running("survivor");
      expect(after).toMatchObject({ id: before?.id, pid: before?.pid });
      await sandbox.write(join(sandbox.project, "go"), "");
      const { code, stdout } = await program.finished;
      expect([code, stdout]).toEqual([0, "hello from a.seen.example\n"]);
    },
    LONG_MS,
  );

  test(
    "lets this machine reach a port that it publishes",
    async () => {
      const free = net.createServer();
      await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
      const { port } = free.address() as net.AddressInfo;
      await new Promise((resolve) => free.close(resolve));
      const script = `perl -MIO::Socket -e 'my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => ${port}, Listen => 5) or die; while (my $c = $l->accept) { print $c "from inside\\n"; close $c }'`;
      await using _ = sandbox.start([
        "run",
        "--name",
        "server",
        "--publish",
        String(port),
        "--",
        "/bin/sh",
        "-c",
        script,
      ]);
      await running("server");
      const text = await eventually(
        () =>
          new Promise<string>((resolve) => {
            let said = "";
            const socket = net.connect(port, "127.0.0.1");
            socket.on("data", (bytes) => {
              said += bytes;
            });
            socket.on("error", () => resolve(""));
            socket.on("close", () => resolve(said));
          }),
        (said) => said !== "",
      );
      expect(text).toBe("from inside\n");
      await sandbox.iddio(["run", "stop", "server"]);
    },
    LONG_MS,
  );

  test(
    "may reach a port of loopback that it was given",
    async () => {
      const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("database\n") });
      const script = `curl -sS http://127.0.0.1:${server.port}/`;
      const without = await sandbox.inside(script);
      const given = await sandbox.inside(script, { flags: ["--local-port", String(server.port)] });
      await server.stop(true);
      expect([without.stdout, given.stdout]).toEqual(["", "database\n"]);
    },
    LONG_MS,
  );

  test(
    "--check prints what holds",
    async () => {
      const { code, stdout } = await sandbox.iddio(["run", "--check"]);
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^level +yes +L2$/m)]);
      expect(stdout).not.toMatch(/ NO /);
    },
    LONG_MS,
  );

  test(
    "shows and lets write what it was given, and keeps its caches apart",
    async () => {
      const { home, write } = sandbox;
      for (const name of ["shown", "given"]) await mkdir(join(home, name), { mode: 0o777 });
      await write(join(home, "shown", "file"), "readable\n", 0o644);
      await sandbox.outside(["/bin/sh", "-c", "true"]);
      const flags = ["--ro", join(home, "shown")];
      const { stdout } = await sandbox.inside(
        `cat ${home}/shown/file; echo x > ${home}/shown/new 2>/dev/null || echo read-only; echo kept > ~/.cache/mine`,
        { flags },
      );
      expect(stdout).toBe("readable\nread-only\n");
      expect(existsSync(join(home, ".cache", "mine"))).toBe(false);
      expect((await sandbox.inside("cat ~/.cache/mine")).stdout).toBe("kept\n");
    },
    LONG_MS,
  );

  test(
    "takes a profile of the state directory before the built-in one, and refuses what it does not know",
    async () => {
      const { state, write } = sandbox;
      await mkdir(join(state, "profiles"));
      await write(join(state, "profiles", "mine.yaml"), "summary: Mine\nset:\n  HELLO: world\n");
      await write(join(state, "profiles", "wrong.yaml"), "summary: Wrong\nenvironment: [LD_PRELOAD]\n");
      expect((await sandbox.inside('echo "$HELLO"', { flags: ["--profile", "mine"] })).stdout).toBe(
        "world\n",
      );
      const wrong = await sandbox.inside("true", { flags: ["--profile", "wrong"] });
      expect([wrong.code, wrong.stderr]).toEqual([
        2,
        expect.stringContaining("'LD_PRELOAD' must not be let through"),
      ]);
    },
    LONG_MS,
  );
});
