// A PgBouncer in transaction mode in front of a test's PostgreSQL: a connection belongs to a client
// for one transaction only. Without the Debian package `pgbouncer` there is none.

import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../eventually.ts";
import { freePort } from "./postgres-cluster.ts";

const NOBODY = 65534;

/** A running pooler. */
export interface Pooler extends AsyncDisposable {
  /** The database behind it. */
  readonly url: string;
}

/** The program; undefined where it is not installed. */
export function pgbouncerPath(): string | undefined {
  return Bun.which("pgbouncer", { PATH: `${process.env.PATH ?? ""}:/usr/sbin` }) ?? undefined;
}

/** Starts it in front of a database. */
export async function startPgbouncer(behind: string): Promise<Pooler> {
  const program = pgbouncerPath();
  if (program === undefined) throw new Error("PgBouncer is not installed");
  const { hostname, port: databasePort, pathname, username } = new URL(behind);
  const name = pathname.slice(1);
  const folder = await mkdtemp(join(tmpdir(), "iddio-pooler-"));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(folder, NOBODY, NOBODY);
  const port = freePort();
  const config = join(folder, "pgbouncer.ini");
  await writeFile(
    config,
    `[databases]\n${name} = host=${hostname} port=${databasePort} dbname=${name} user=${username || "postgres"}\n` +
      `[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n` +
      "default_pool_size = 4\nmax_client_conn = 200\nserver_login_retry = 1\n",
  );
  const before = isRoot ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"] : [];
  const child = Bun.spawn([...before, program, config], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await eventually(
    () =>
      Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } }).then(
        (socket) => {
          socket.end();
          return true;
        },
        () => false,
      ),
    (isThere) => isThere,
    30_000,
  );
  return {
    url: `postgres://postgres@127.0.0.1:${port}/${name}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
