// squid in one process, without cache and log: as a tunnel, and intercepting by ssl-bump with
// certificates that it makes itself. Both are given every advantage: elliptic keys, no access log.

import { chmod, chown, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, type Peer, peerDirectory, runPeer, type StartPeer } from "./peer.ts";

const HELPER = "/usr/lib/squid/security_file_certgen";
/** The user that Debian's squid runs as when it is started by root. */
const USER = "proxy";

/** Starts squid as a plain tunnel. */
export const startSquidTunnel: StartPeer = async () => {
  const program = Bun.which("squid");
  if (program === null) return "squid is not installed";
  const directory = await peerDirectory();
  const port = freePort();
  return runSquid("squid", program, directory, port, [`http_port 127.0.0.1:${port}`]);
};

/** Starts squid with ssl-bump; upstreams are verified against the origin's CA. */
export const startSquidBump: StartPeer = async (origin) => {
  const program = Bun.which("squid");
  if (program === null) return "squid is not installed";
  if (!(await Bun.file(HELPER).exists())) return "this squid has no ssl-bump (squid-openssl has)";
  if (Bun.which("openssl") === null) return "openssl, which makes squid's CA, is not installed";
  const directory = await peerDirectory();
  const port = freePort();
  const authority = join(directory, "ca.pem");
  const roots = join(directory, "origin.pem");
  const store = join(directory, "certificates");
  await writeFile(roots, origin.caPem);
  run([
    ..."openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30".split(" "),
    ...["-subj", "/CN=bench squid", "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
    ...["-keyout", join(directory, "key.pem"), "-out", join(directory, "cert.pem")],
  ]);
  const caPem = await readFile(join(directory, "cert.pem"), "utf8");
  await writeFile(authority, `${caPem}${await readFile(join(directory, "key.pem"), "utf8")}`);
  run([HELPER, "-c", "-s", store, "-M", "4MB"]);
  if (isRoot()) run(["chown", "-R", USER, store]);
  return runSquid(
    "squid ssl-bump",
    program,
    directory,
    port,
    [
      `http_port 127.0.0.1:${port} ssl-bump tls-cert=${authority} generate-host-certificates=on dynamic_cert_mem_cache_size=4MB`,
      `sslcrtd_program ${HELPER} -s ${store} -M 4MB`,
      "sslcrtd_children 2 startup=1 idle=1",
      "acl first_step at_step SslBump1",
      "ssl_bump peek first_step",
      "ssl_bump bump all",
      `tls_outgoing_options cafile=${roots}`,
    ],
    caPem,
  );
};

async function runSquid(
  name: string,
  program: string,
  directory: string,
  port: number,
  lines: readonly string[],
  caPem?: string,
): Promise<Peer> {
  const config = join(directory, "squid.conf");
  await writeFile(
    config,
    [
      ...lines,
      "http_access allow all",
      "cache deny all",
      "access_log none",
      `cache_log ${join(directory, "cache.log")}`,
      "logfile_rotate 0",
      "pid_filename none",
      "pinger_enable off",
      "visible_hostname bench.localhost",
      "shutdown_lifetime 0 seconds",
      "max_filedescriptors 16384",
      `coredump_dir ${directory}`,
      "",
    ].join("\n"),
  );
  if (isRoot()) {
    const uid = Number(run(["id", "-u", USER]));
    await chmod(directory, 0o755);
    await chown(directory, uid, -1);
  }
  return runPeer({
    name,
    directory,
    command: [program, "-N", "-f", config],
    port,
    ...(caPem === undefined ? {} : { caPem }),
  });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function run(command: readonly string[]): string {
  const { success, stdout, stderr } = Bun.spawnSync([...command]);
  if (!success) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout.toString().trim();
}
