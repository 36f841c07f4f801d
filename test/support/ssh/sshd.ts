// A real sshd of a test: on loopback, as an unprivileged user whose shell is bash and who belongs
// to no group of terminals, so that it can give out terminals of its own. Needs OpenSSH and
// bubblewrap.

import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { findClient } from "../clients.ts";
import { eventually } from "../eventually.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

/** A running sshd. */
export interface Sshd extends AsyncDisposable {
  readonly port: number;
  /** The user that it lets in. */
  readonly user: string;
  /** That user's home directory. */
  readonly home: string;
  /** A configuration by which ssh gets in, as an operator has it. */
  readonly operatorConfig: string;
  readonly knownHosts: string;
  /** `ssh-ed25519 AAAA…` of the host. */
  readonly hostKey: string;
  /** The private key that is let in. */
  readonly identity: string;
  /** Its log so far. */
  readonly log: string;
}

/** Differences from a plain sshd. */
export interface SshdOptions {
  /** Lines of sshd_config. */
  readonly config?: string;
  /** The host has a certificate, and the operator trusts its authority instead of its key. */
  readonly hasCertificate?: boolean;
  /** The operator reaches it by itself: two logins for one session. */
  readonly isJumpHost?: boolean;
  /** Lines at the top of the operator's ssh configuration. */
  readonly operator?: string;
  /** The operator's ssh proposes all that it has. Its post-quantum exchange takes it 0.1 s of processor time. */
  readonly isWholeKeyExchange?: boolean;
}

/** The programs that every test of SSH needs; undefined when one is missing. */
export function findSshTools(): { readonly ssh: string; readonly sshd: string } | undefined {
  const [ssh, sshd] = [findClient("ssh"), findClient("sshd")];
  const bwrap = findClient("bwrap");
  return ssh === undefined || sshd === undefined || bwrap === undefined ? undefined : { ssh, sshd };
}

const USER = "tester";
const UID = 12_345;

/** Starts it; `await using` ends it. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const tools = findSshTools();
  if (tools === undefined) throw new Error("ask findSshTools first");
  const directory = await temporaryDirectory();
  const { path } = directory;
  const isRoot = process.getuid?.() === 0;
  const uid = isRoot ? UID : (process.getuid?.() ?? 0);
  const gid = isRoot ? UID : (process.getgid?.() ?? 0);
  const home = join(path, "home");
  mkdirSync(home);
  const port = await freePort();
  const keygen = (name: string) =>
    Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(path, name)]);
  keygen("host");
  keygen("identity");
  const text = (name: string) => readFileSync(join(path, name), "utf8");
  const write = (name: string, content: string) => writeFileSync(join(path, name), content);
  write("authorized_keys", text("identity.pub"));
  write("passwd", `root:x:0:0:root:/root:/bin/bash\n${USER}:x:${uid}:${gid}::${home}:/bin/bash\n`);
  write("group", `root:x:0:\n${USER}:x:${gid}:\n`);
  const hostKey = text("host.pub").split(" ").slice(0, 2).join(" ");
  const knownHosts = join(path, "known_hosts");
  write("known_hosts", `[localhost]:${port} ${hostKey}\n[127.0.0.1]:${port} ${hostKey}\n`);
  if (options.hasCertificate) {
    keygen("authority");
    Bun.spawnSync([
      "ssh-keygen",
      "-q",
      "-s",
      join(path, "authority"),
      "-I",
      "host",
      "-h",
      "-n",
      "localhost",
      join(path, "host.pub"),
    ]);
    write("known_hosts", `@cert-authority [localhost]:${port},localhost ${text("authority.pub")}`);
  }
  write(
    "sshd_config",
    `${options.config ?? ""}
${options.hasCertificate ? `HostCertificate ${path}/host-cert.pub` : ""}
Port ${port}
ListenAddress 127.0.0.1
HostKey ${path}/host
AuthorizedKeysFile ${path}/authorized_keys
PidFile ${path}/pid
StrictModes no
UsePAM no
MaxStartups 100
MaxSessions 100
AcceptEnv LANG LC_* GIT_PROTOCOL
Subsystem sftp internal-sftp
`,
  );
  write("pid", "");
  const operatorConfig = join(path, "operator.config");
  write(
    "operator.config",
    `${options.operator ?? ""}
${options.isJumpHost ? `Host localhost\n  ProxyJump ${USER}@127.0.0.1:${port}\n` : ""}
Host *
  IdentityFile ${path}/identity
  IdentitiesOnly yes
  UserKnownHostsFile ${knownHosts}
  GlobalKnownHostsFile none
${options.isWholeKeyExchange ? "" : "  KexAlgorithms curve25519-sha256\n"}`,
  );
  if (isRoot) {
    chmodSync(path, 0o755);
    for (const name of ["home", "host", "authorized_keys", "pid"]) chownSync(join(path, name), uid, gid);
  }
  const child = Bun.spawn(
    [
      ...["bwrap", "--dev-bind", "/", "/", "--die-with-parent"],
      ...[
        "--ro-bind",
        join(path, "passwd"),
        "/etc/passwd",
        "--ro-bind",
        join(path, "group"),
        "/etc/group",
        "--",
      ],
      ...(isRoot ? ["setpriv", "--reuid", String(uid), "--regid", String(gid), "--clear-groups", "--"] : []),
      ...[tools.sshd, "-D", "-e", "-f", join(path, "sshd_config")],
    ],
    {
      env: { PATH: process.env.PATH ?? "" },
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(join(path, "log")),
    },
  );
  const log = () => readFileSync(join(path, "log"), "utf8");
  await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`sshd ended: ${log()}`);
      return log();
    },
    (written) => written.includes("Server listening") && /^\d+\n$/.test(text("pid")),
  );
  const pid = Number(text("pid"));
  return {
    port,
    user: USER,
    home,
    operatorConfig,
    knownHosts,
    hostKey,
    identity: join(path, "identity"),
    get log() {
      return log();
    },
    async [Symbol.asyncDispose]() {
      // A change of the user drops the signal by which sshd would follow bwrap.
      if (child.exitCode === null) process.kill(pid, "SIGKILL");
      await child.exited;
      await directory[Symbol.asyncDispose]();
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
