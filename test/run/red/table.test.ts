// The red table of `iddio run`: ways out of the sandbox, each tried in a real one by an
// unprivileged user. The scripts of red-attempts.ts run one after the other in one run; each must
// reach its end, so that a broken one does not count as held.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import { noSandbox, type Sandbox, startSandbox } from "../../support/sandbox/sandbox.ts";
import { ATTEMPTS, CANARY } from "./attempts.ts";

const LONG_MS = 120_000;
describe.if(noSandbox() === undefined)("from inside a run", () => {
  let sandbox: Sandbox;
  let loopback: net.Server;
  let outside: ReturnType<typeof Bun.spawn>;
  /** The output of each attempt. */
  const sections: string[] = [];

  beforeAll(async () => {
    sandbox = await startSandbox();
    const { home, project, write } = sandbox;
    for (const folder of [".ssh", ".aws", ".gnupg", "other"]) await mkdir(join(home, folder));
    for (const file of [".ssh/id_ed25519", ".aws/credentials", ".netrc", "secret.txt", "other/.env"])
      await write(join(home, file), CANARY);
    loopback = net.createServer((socket) => {
      socket.on("error", () => undefined);
      socket.end(`HTTP/1.0 200 OK\r\n\r\n${CANARY}\n`);
    });
    await new Promise<void>((resolve) => loopback.listen(0, "127.0.0.1", resolve));
    // Sockets outside: in the home directory, in the project, and without a path.
    const script = `$SIG{TERM} = sub { exit }; my @s; for (@ARGV) { socket(my $s, PF_UNIX, SOCK_STREAM, 0); bind($s, pack_sockaddr_un($_ =~ s/^@/\\0/r)) or die "$_: $!"; listen($s, 5); push @s, $s } print "up\\n"; $| = 1; sleep 600`;
    outside = Bun.spawn(
      [
        ...sandbox.asUser,
        "/usr/bin/perl",
        "-MSocket",
        "-e",
        `$| = 1; ${script}`,
        join(home, "agent.sock"),
        join(project, "tool.sock"),
        "@iddio-red-table",
      ],
      { env: { ...sandbox.env, SECRET: CANARY }, stdout: "pipe", stderr: "inherit", stdin: "ignore" },
    );
    await (outside.stdout as ReadableStream).getReader().read();
    const page = join(sandbox.state, "console-red.html");
    await write(page, CANARY);
    const console = await sandbox.iddio(["console", "--no-open"]);
    const around = {
      port: (loopback.address() as net.AddressInfo).port,
      consolePort: Number(/localhost:(\d+)/.exec(console.stdout)?.[1]),
      daemonPid: (await sandbox.control.call("status", {})).pid,
      namespaces: Object.fromEntries(
        ["net", "pid", "mnt", "ipc", "user", "uts"].map((kind) => [
          kind,
          readlinkSync(`/proc/self/ns/${kind}`),
        ]),
      ),
    };
    expect(around.consolePort).toBeGreaterThan(0);
    const attempts = Object.values(ATTEMPTS)
      .map((attempt, index) => `echo '@@ ${index}'; (\n${attempt(sandbox, around)}\n) 2>&1; echo 'the end'`)
      .join("\n");
    const { stdout } = await sandbox.inside(attempts, {
      env: { LD_PRELOAD: "", NODE_OPTIONS: "--no-warnings" },
      timeoutMs: LONG_MS,
    });
    for (const section of stdout.split("@@ ").slice(1)) {
      const end = section.indexOf("\n");
      sections[Number(section.slice(0, end))] = section.slice(end + 1);
    }
  }, LONG_MS);

  afterAll(async () => {
    outside.kill();
    loopback.close();
    await sandbox[Symbol.asyncDispose]();
  }, LONG_MS);

  for (const [index, name] of Object.keys(ATTEMPTS).entries())
    test(`held: ${name}`, () => {
      const said = sections[index] ?? "it was not reached\n";
      expect([name, said]).toEqual([name, expect.not.stringContaining("ESCAPED")]);
      expect(said).toContain("the end\n");
    });

  test(
    "held: killing the bridge and everything else",
    async () => {
      await sandbox.inside("kill -9 -1; echo ESCAPED");
      expect((await sandbox.control.call("status", {})).pid).toBeNumber();
    },
    LONG_MS,
  );

  test(
    "held: a program left behind when the agent has ended",
    async () => {
      const { code } = await sandbox.inside(
        "setsid sleep 98765 >/dev/null 2>&1 & nohup sleep 98765 >/dev/null 2>&1 &",
      );
      expect(code).toBe(0);
      const left = () =>
        readdirSync("/proc").filter((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, "latin1") === "sleep\0" + "98765\0";
          } catch {
            return false;
          }
        });
      await eventually(
        async () => left(),
        (pids) => pids.length === 0,
      );
    },
    LONG_MS,
  );

  test(
    "held: another name for the run, in the row of its request",
    async () => {
      const rows = await sandbox.rowsWhen((all) =>
        all.some(({ fields }) => fields.host === "renamed.seen.example"),
      );
      const row = rows.find(({ fields }) => fields.host === "renamed.seen.example");
      expect(row?.fields.client?.run).toBe("sh");
    },
    LONG_MS,
  );

  test(
    "held: a descriptor that the person's shell had open",
    async () => {
      const { asUser, binary, env, project, home } = sandbox;
      const child = Bun.spawn(
        [
          ...asUser,
          "/bin/bash",
          "-c",
          'exec 9< "$HOME"; exec "$0" run -- /bin/sh -c "ls -l /proc/self/fd; ls /proc/self/fd/9/ 2>&1; echo the end"',
          binary,
        ],
        { env: { ...env }, cwd: project, stdout: "pipe", stderr: "pipe", stdin: "ignore" },
      );
      const text = await new Response(child.stdout).text();
      expect(text).toContain("the end");
      expect(text).not.toContain("secret.txt");
      expect(text).not.toContain(`-> ${home}\n`);
    },
    LONG_MS,
  );

  test(
    "held: a repository whose .git leads to secrets",
    async () => {
      const { home, write, project } = sandbox;
      const trap = join(project, "trap");
      await mkdir(trap);
      await mkdir(join(project, "linked"));
      await write(join(trap, ".git"), `gitdir: ${home}/.ssh\n`);
      await symlink(join(home, ".ssh"), join(project, "linked", ".git"));
      for (const cwd of [trap, join(project, "linked")]) {
        const { stdout } = await sandbox.inside(`cat ${home}/.ssh/id_ed25519 .git/id_ed25519; echo the end`, {
          cwd,
        });
        expect(stdout).not.toContain(CANARY);
        expect(stdout).toContain("the end");
      }
    },
    LONG_MS,
  );

  test(
    "held: a control file that is a link to a secret is not shown",
    async () => {
      const { home, project } = sandbox;
      await symlink(join(home, "secret.txt"), join(project, ".envrc"));
      const { stdout } = await sandbox.inside("cat .envrc; echo the end");
      expect(stdout).toBe("the end\n");
    },
    LONG_MS,
  );

  test(
    "held: a link in a kept folder is not followed outside",
    async () => {
      const { home } = sandbox;
      await sandbox.inside(`ln -sfn ${home}/.ssh ~/.cache/npm; ln -sfn ${home}/.ssh ~/.cache/x; true`);
      const { stdout } = await sandbox.inside(
        "cat ~/.cache/npm/id_ed25519 ~/.cache/x/id_ed25519; echo the end",
      );
      expect(stdout).toBe("the end\n");
    },
    LONG_MS,
  );

  test(
    "held: start-up files written inside do not arrive outside",
    async () => {
      const { home } = sandbox;
      const files = [
        ".bashrc",
        ".profile",
        ".zshrc",
        ".config/fish/config.fish",
        ".config/autostart/x.desktop",
      ];
      const { stdout } = await sandbox.inside(
        `${files.map((file) => `mkdir -p ~/"$(dirname ${file})"; echo evil > ~/${file}`).join("\n")}\necho the end`,
      );
      expect(stdout).toContain("the end");
      for (const file of files) expect(existsSync(join(home, file))).toBe(false);
    },
    LONG_MS,
  );

  test(
    "held: the program itself cannot be replaced",
    async () => {
      const before = readFileSync(sandbox.binary).length;
      const { stdout } = await sandbox.inside(
        `echo evil > ${sandbox.binary}; mv ${sandbox.binary} /tmp/x; rm -f ${sandbox.binary}; echo the end`,
      );
      expect(stdout).toContain("the end");
      expect(readFileSync(sandbox.binary).length).toBe(before);
    },
    LONG_MS,
  );

  test(
    "held: a bridge is only the process that registered",
    async () => {
      const running = sandbox.start(["run", "--name", "other", "--", "/bin/sleep", "30"]);
      await using _ = running;
      for (let tries = 0; tries < 100; tries += 1) {
        const { runs } = await sandbox.control.call("runs_list", {});
        if (runs.some(({ name, pid }) => name === "other" && pid !== undefined)) break;
        await Bun.sleep(50);
      }
      const { runs } = await sandbox.control.call("runs_list", {});
      const run = runs.find(({ name }) => name === "other");
      expect(run?.pid).toBeNumber();
      // A process of the same user outside knows the path; the daemon closes the connection without a word.
      const { stdout } = await sandbox.outside([
        "/usr/bin/perl",
        "-MIO::Socket",
        "-e",
        `$SIG{PIPE} = "IGNORE"; my $s = IO::Socket::UNIX->new("${sandbox.state}/runs/${run?.id}.sock") or exit; print $s "CONNECT a.seen.example:443 HTTP/1.1\\r\\n\\r\\n"; print "[", <$s>, "]"`,
      ]);
      expect(stdout).toBe("[]");
      const { code } = await sandbox.iddio(["run", "stop", "other"]);
      expect(code).toBe(0);
      await running.finished;
    },
    LONG_MS,
  );

  const refused: Readonly<Record<string, readonly string[]>> = {
    "the home directory as project": ["home"],
    "the root directory as project": ["root"],
    "the state directory as project": ["state"],
  };
  for (const [name, [where]] of Object.entries(refused))
    test(
      `refused: ${name}`,
      async () => {
        const cwd = where === "home" ? sandbox.home : where === "root" ? "/" : sandbox.state;
        const { code, stderr } = await sandbox.inside("true", { cwd });
        expect(code).toBe(1);
        expect(stderr).toContain("an agent cannot be given");
      },
      LONG_MS,
    );

  for (const flag of ["--rw", "--ro"])
    test(
      `refused: the state directory by ${flag}`,
      async () => {
        const { code, stderr } = await sandbox.inside("true", { flags: [flag, sandbox.state] });
        expect(code).toBe(1);
        expect(stderr).toContain("it holds the state of iddio");
      },
      LONG_MS,
    );

  for (const name of [
    "LD_PRELOAD",
    "SSH_AUTH_SOCK",
    "NODE_OPTIONS",
    "GIT_DIR",
    "DOCKER_HOST",
    "DBUS_SESSION_BUS_ADDRESS",
  ])
    test(
      `refused: ${name} by --env`,
      async () => {
        const { code, stderr } = await sandbox.inside("true", { flags: ["--env", name] });
        expect(code).toBe(2);
        expect(stderr).toContain(`'${name}' cannot be given to an agent`);
      },
      LONG_MS,
    );
});
