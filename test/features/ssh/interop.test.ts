// People's work over SSH, through iddio, with the programs that they use: OpenSSH, scp by both
// protocols, sftp, rsync, git, paramiko. Everything is allowed here; it must work as without iddio.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findClient, runClient } from "../../support/clients.ts";
import { eventually } from "../../support/eventually.ts";
import { startPty } from "../../support/pages/pty.ts";
import { ALLOW_ALL, type SshWorld, startSshWorld } from "../../support/ssh/ssh-world.ts";
import { findSshTools } from "../../support/ssh/sshd.ts";

const MINUTES = 10 * 60_000;
const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

if (findSshTools() !== undefined)
  describe("through iddio as without", () => {
    let world: SshWorld;
    /** A folder that both sides may write. */
    let shared: string;

    beforeAll(async () => {
      world = await startSshWorld({ rules: ALLOW_ALL });
      shared = join(world.sshd.home, "shared");
      mkdirSync(shared);
      chmodSync(shared, 0o777);
    }, MINUTES);
    afterAll(async () => world[Symbol.asyncDispose](), MINUTES);

    const run = (program: string, args: readonly string[], more = {}) =>
      runClient(program, args, { env: world.env, ...more });
    const transport = () => `ssh -F ${world.config}`;

    test.concurrent(
      "exit status, stdout and stderr are those of the command",
      async () => {
        const { code, stdout, stderr } = await world.ssh("echo out; echo err >&2; exit 7");
        expect([code, stdout, stderr]).toEqual([7, "out\n", "err\n"]);
        expect((await world.ssh("true")).code).toBe(0);
        // The system's ssh tells a signal by 255, and no more.
        expect((await world.ssh("kill -TERM $$")).code).toBe(255);
      },
      MINUTES,
    );

    test.concurrent(
      "stdin and stdout carry any bytes, both ways, whole",
      async () => {
        const bytes = randomBytes(12 * 1024 * 1024);
        const there = join(shared, "bytes");
        expect((await world.ssh(`cat > ${there}`, { input: bytes })).code).toBe(0);
        expect(sha(readFileSync(there))).toBe(sha(bytes));
        const back = await world.ssh(`sha256sum < ${there}; cat ${there} | sha256sum`);
        expect(back.stdout.split("\n")[0]).toBe(`${sha(bytes)}  -`);
        const child = Bun.spawn(["ssh", "-F", world.config, "localhost", `cat ${there}`], {
          env: { PATH: process.env.PATH ?? "", ...world.env },
          stdout: "pipe",
          stderr: "ignore",
        });
        expect(sha(new Uint8Array(await new Response(child.stdout).arrayBuffer()))).toBe(sha(bytes));
      },
      MINUTES,
    );

    test.concurrent(
      "much on stdout and stderr at once is not mixed up",
      async () => {
        const { stdout, stderr } = await world.ssh("(seq 1 200000) & (seq 300001 500000 >&2) & wait");
        expect(sha(Buffer.from(stdout))).toBe(sha(Buffer.from(range(1, 200_000))));
        expect(sha(Buffer.from(stderr))).toBe(sha(Buffer.from(range(300_001, 500_000))));
      },
      MINUTES,
    );

    test.concurrent(
      "a shell has a terminal with the client's size, follows it, and ends with its own status",
      async () => {
        await using pty = startPty(["ssh", "-F", world.config, "localhost"], {
          env: world.env,
          columns: 93,
          rows: 31,
          isBare: true,
        });
        const written = async (text: string) => {
          const end = performance.now() + 60_000;
          while (!pty.written.includes(text)) {
            if (performance.now() > end) throw new Error(`no '${text}' in: ${pty.written}`);
            await Bun.sleep(20);
          }
        };
        await written("$ ");
        pty.type("stty size; echo mode-$((1+1))\r");
        await written("31 93");
        await written("mode-2");
        pty.resize(101, 41);
        // The new size comes by another way than what is typed, and may come later.
        pty.type("until stty size | grep '41 101'; do sleep 0.1; done\r");
        await written("41 101\r\n");
        // Ctrl-C is for the remote program. Spelled otherwise than it is printed: what is typed is echoed.
        pty.type("sh -c 'echo st\"\"arted; exec sleep 100'\r");
        await written("started");
        pty.type("\x03");
        pty.type("echo after-$((2+2))\r");
        await written("after-4");
        pty.type("exit 5\r");
        expect(await pty.exited).toBe(5);
      },
      MINUTES,
    );

    test.concurrent(
      "scp copies by SFTP and by the old protocol, both ways, folders too",
      async () => {
        const local = join(world.gateway.home, "scp");
        mkdirSync(join(local, "folder", "sub"), { recursive: true });
        writeFileSync(join(local, "folder", "a"), randomBytes(3_000_000));
        writeFileSync(join(local, "folder", "sub", "b"), "bee");
        for (const [name, options] of [
          ["new", ["-s"]],
          ["old", ["-O"]],
        ] as const) {
          const there = join(shared, `scp-${name}`);
          const back = join(local, `back-${name}`);
          const up = await run("scp", [
            "-F",
            world.config,
            ...options,
            "-r",
            "-p",
            join(local, "folder"),
            `localhost:${there}`,
          ]);
          expect([up.code, up.stderr]).toEqual([0, ""]);
          const down = await run("scp", ["-F", world.config, ...options, "-r", `localhost:${there}`, back]);
          expect([down.code, down.stderr]).toEqual([0, ""]);
          expect(sha(readFileSync(join(back, "a")))).toBe(sha(readFileSync(join(local, "folder", "a"))));
          expect(readFileSync(join(back, "sub", "b"), "utf8")).toBe("bee");
        }
      },
      MINUTES,
    );

    test.concurrent(
      "sftp in a batch: every operation that it has",
      async () => {
        const batch = [
          `cd ${shared}`,
          "mkdir batch",
          `put ${world.config} batch/one`,
          "rename batch/one batch/two",
          "ln -s two batch/link",
          "chmod 600 batch/two",
          "ls -l batch",
          "df",
          `get batch/two ${join(world.gateway.home, "got")}`,
          "rm batch/link",
          "rm batch/two",
          "rmdir batch",
        ].join("\n");
        const { code, stderr } = await run("sftp", ["-F", world.config, "-b", "-", "localhost"], {
          input: batch,
        });
        expect([code, stderr]).toEqual([0, ""]);
        expect(readFileSync(join(world.gateway.home, "got"), "utf8")).toBe(
          readFileSync(world.config, "utf8"),
        );
        expect(existsSync(join(shared, "batch"))).toBe(false);
      },
      MINUTES,
    );

    const rsync = findClient("rsync");
    if (rsync !== undefined)
      test.concurrent(
        "rsync sends and fetches",
        async () => {
          const local = join(world.gateway.home, "rsync");
          mkdirSync(join(local, "x"), { recursive: true });
          writeFileSync(join(local, "x", "one"), randomBytes(2_000_000));
          const there = join(shared, "rsync");
          const up = await run(rsync, ["-a", "-e", transport(), `${local}/x/`, `localhost:${there}/`]);
          expect([up.code, up.stderr]).toEqual([0, ""]);
          const down = await run(rsync, [
            "-a",
            "--delete",
            "-e",
            transport(),
            `localhost:${there}/`,
            `${local}/y/`,
          ]);
          expect([down.code, down.stderr]).toEqual([0, ""]);
          expect(sha(readFileSync(join(local, "y", "one")))).toBe(sha(readFileSync(join(local, "x", "one"))));
        },
        MINUTES,
      );

    const git = findClient("git");
    if (git !== undefined)
      test.concurrent(
        "git clones and pushes",
        async () => {
          const env = { ...world.env, GIT_SSH_COMMAND: transport(), GIT_CONFIG_GLOBAL: "/dev/null" };
          const repository = join(shared, "app.git");
          expect((await world.ssh(`git init -q --bare -b main ${repository}`)).code).toBe(0);
          const work = join(world.gateway.home, "work");
          const cloned = await run(git, ["clone", "-q", `localhost:${repository}`, work], { env });
          expect(cloned.code).toBe(0);
          writeFileSync(join(work, "file"), randomBytes(1_000_000));
          const at = ["-C", work, "-c", "user.name=t", "-c", "user.email=t@example.com"];
          await run(git, [...at, "checkout", "-q", "-B", "main"], { env });
          await run(git, [...at, "add", "."], { env });
          await run(git, [...at, "commit", "-qm", "one"], { env });
          const pushed = await run(git, [...at, "push", "-q", "origin", "main"], { env });
          expect([pushed.code, pushed.stderr]).toEqual([0, ""]);
          const listed = await run(git, ["ls-remote", `localhost:${repository}`], { env });
          expect(listed.stdout).toContain("refs/heads/main");
        },
        MINUTES,
      );

    test.concurrent(
      "a master carries many sessions on one connection, and keepalives are answered",
      async () => {
        const path = join(world.gateway.home, "cm");
        const options = [
          "-o",
          "ControlMaster=auto",
          "-o",
          `ControlPath=${path}`,
          "-o",
          "ServerAliveInterval=1",
        ];
        const go = join(shared, "go");
        const master = world.start(`while [ ! -e ${go} ]; do sleep 0.1; done; echo master`, { options });
        await eventually(async () => existsSync(path), Boolean);
        const answers = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            world.ssh(`sleep 2; echo ${index}; exit ${index}`, { options }),
          ),
        );
        expect(answers.map(({ code, stdout }) => [code, stdout])).toEqual(
          Array.from({ length: 8 }, (_, index) => [index, `${index}\n`]),
        );
        writeFileSync(go, "");
        expect((await master.finished).stdout).toBe("master\n");
      },
      MINUTES,
    );

    test.concurrent(
      "new keys are made while bytes go both ways",
      async () => {
        const bytes = randomBytes(8 * 1024 * 1024);
        const { code, stdout } = await world.ssh(
          "sha256sum; head -c 8000000 /dev/zero | tr '\\0' x | sha256sum",
          {
            options: ["-o", "RekeyLimit=1M"],
            input: bytes,
          },
        );
        expect([code, stdout.split(" ")[0]]).toEqual([0, sha(bytes)]);
      },
      MINUTES,
    );

    // Debian's own Python has Debian's paramiko.
    const python = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : findClient("python3");
    if (python !== undefined)
      test.concurrent(
        "paramiko runs commands, moves files and resizes a terminal",
        async () => {
          const { code, stderr, stdout } = await run(python, [
            "-c",
            PARAMIKO,
            world.config,
            String(world.sshd.port),
            world.sshd.user,
            shared,
            world.gateway.listen,
          ]);
          expect([code, stderr, stdout]).toEqual([0, "", "ok\n"]);
        },
        MINUTES,
      );
  });

function range(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join("");
}

const PARAMIKO = `
import os, socket, sys, hashlib
import paramiko
config, port, user, shared, listen = sys.argv[1:]
host, proxy_port = listen.rsplit(":", 1)
sock = socket.create_connection((host, int(proxy_port)))
sock.sendall(("CONNECT localhost:%s HTTP/1.1\\r\\nHost: localhost:%s\\r\\n\\r\\n" % (port, port)).encode())
head = b""
while not head.endswith(b"\\r\\n\\r\\n"):
    head += sock.recv(1)
assert b" 200 " in head, head
transport = paramiko.Transport(sock)
transport.connect(username=user)
transport.auth_none(user)
channel = transport.open_session()
channel.exec_command("cat; echo err >&2; exit 3")
data = os.urandom(1000000)
channel.sendall(data)
channel.shutdown_write()
out = channel.makefile("rb").read()
assert out == data
assert channel.makefile_stderr("rb").read() == b"err\\n"
assert channel.recv_exit_status() == 3
sftp = paramiko.SFTPClient.from_transport(transport)
with sftp.open(shared + "/paramiko", "wb") as f:
    f.write(data)
with sftp.open(shared + "/paramiko", "rb") as f:
    f.prefetch()
    assert hashlib.sha256(f.read()).digest() == hashlib.sha256(data).digest()
sftp.remove(shared + "/paramiko")
channel = transport.open_session()
channel.get_pty("xterm", 77, 22)
channel.exec_command("stty size")
assert b"22 77" in channel.makefile("rb").read()
transport.close()
print("ok")
`;
