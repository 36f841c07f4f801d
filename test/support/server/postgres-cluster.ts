// A PostgreSQL of a test's own: a copy of what initdb made once for all of them, in a temporary
// folder, run as an unprivileged user, gone with the test. Without the Debian package `postgresql`
// there is none, and the tests say so.

import { statSync } from "node:fs";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { madeOnce } from "../made-once.ts";

/** A running cluster. */
export interface PostgresCluster extends AsyncDisposable {
  readonly port: number;
  /** Of the server's first process. */
  readonly pid: number;
  /** Makes a database of its own and gives its URL. */
  database(name: string): Promise<string>;
  url(user: string, database: string): string;
  /** Ends the server process at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again on the same files. */
  start(): Promise<void>;
}

/** Where the server's programs are; undefined when PostgreSQL is not installed. */
export function postgresFolder(): string | undefined {
  const found = [...new Bun.Glob("/usr/lib/postgresql/*/bin/initdb").scanSync({ absolute: true })]
    .sort()
    .at(-1);
  return found === undefined ? undefined : join(found, "..");
}

const NOBODY = 65534;

function asNobody(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  return ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];
}

/** A TCP port that nothing listens on now. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}

/** A folder as initdb makes it, which takes that ten times as long as it takes to copy. */
async function template(bin: string): Promise<string> {
  const owner = process.getuid?.() === 0 ? NOBODY : process.getuid?.();
  const key = `${owner}-${Math.round(statSync(join(bin, "initdb")).ctimeMs)}`;
  const at = await madeOnce("test-postgres", key, async (made) => {
    const folder = await mkdtemp(join(tmpdir(), "iddio-initdb-"));
    if (process.getuid?.() === 0) await chown(folder, NOBODY, NOBODY);
    const data = join(folder, "data");
    // A write-ahead log of one megabyte, which is copied, too.
    const options = [
      "-D",
      data,
      "-U",
      "postgres",
      "-A",
      "trust",
      "-N",
      "-E",
      "UTF8",
      "--locale=C",
      "--wal-segsize=1",
    ];
    const { success, stderr } = Bun.spawnSync([...asNobody(), join(bin, "initdb"), ...options], {
      cwd: folder,
      stdout: "pipe",
      stderr: "pipe",
    });
    if (!success) throw new Error(`initdb: ${stderr.toString()}`);
    await copied(data, join(made, "data"));
    await rm(folder, { recursive: true, force: true });
  });
  return join(at, "data");
}

async function copied(from: string, to: string): Promise<void> {
  const { success, stderr } = Bun.spawnSync(["cp", "-a", from, to], { stdout: "ignore", stderr: "pipe" });
  if (!success) throw new Error(`cp: ${stderr.toString()}`);
}

/** Makes and starts a cluster. */
export async function startPostgres(): Promise<PostgresCluster> {
  const bin = postgresFolder();
  if (bin === undefined) throw new Error("PostgreSQL is not installed");
  const folder = await mkdtemp(join(tmpdir(), "iddio-pg-"));
  if (process.getuid?.() === 0) await chown(folder, NOBODY, NOBODY);
  const data = join(folder, "data");
  await copied(await template(bin), data);
  const port = freePort();
  let running: Bun.Subprocess<"ignore", "ignore", "pipe"> | undefined;
  const start = async () => {
    const settings = [
      "fsync=off",
      "max_connections=60",
      "listen_addresses=127.0.0.1",
      `unix_socket_directories=${folder}`,
    ];
    const child = Bun.spawn(
      [
        ...asNobody(),
        join(bin, "postgres"),
        "-D",
        data,
        "-p",
        String(port),
        ...settings.flatMap((each) => ["-c", each]),
      ],
      { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    );
    running = child;
    await untilReady(child.stderr);
  };
  await start();
  const url = (user: string, database: string) => `postgres://${user}@127.0.0.1:${port}/${database}`;
  return {
    port,
    get pid() {
      return running?.pid ?? 0;
    },
    url,
    start,
    async database(name) {
      await using admin = new Bun.SQL(url("postgres", "postgres"), { max: 1 });
      await admin.unsafe(`create database ${name}`);
      return url("postgres", name);
    },
    async kill() {
      running?.kill("SIGQUIT");
      await running?.exited;
    },
    async [Symbol.asyncDispose]() {
      // Its files go with it, so it need not leave them whole.
      running?.kill("SIGQUIT");
      await running?.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilReady(stderr: ReadableStream<Uint8Array>): Promise<void> {
  const decoder = new TextDecoder();
  const reader = stderr.getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`postgres ended: ${text}`);
    text += decoder.decode(value);
    if (text.includes("database system is ready to accept connections")) break;
  }
  // Read on, so that the pipe is never full.
  void (async () => {
    while (!(await reader.read()).done);
  })();
}
