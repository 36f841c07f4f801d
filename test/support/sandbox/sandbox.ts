// `iddio run` as an unprivileged user, with a daemon of that user's own and a small internet behind
// it: a proxy that leads every name to servers of the test. As root everything runs as `nobody`,
// because nothing confines root.

import { chownSync, existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { ControlClient } from "../../../src/api/client.ts";
import type { Entry } from "../../../src/model/entry.ts";
import { placeProgram } from "../built-binary.ts";
import { makeRoot, makeServer } from "../certificates/certificate-maker.ts";
import { COMPILED_ONCE, type Finished, type Running, type RunOptions, startClient } from "../clients.ts";
import { eventually } from "../eventually.ts";
import { temporaryDirectory } from "../temporary-directory.ts";

/** The user that the sandbox is tested as when the tests are root's. */
const NOBODY = 65534;

/** A home directory, a project and a daemon for `iddio run`. */
export interface Sandbox extends AsyncDisposable {
  readonly binary: string;
  readonly home: string;
  readonly state: string;
  readonly project: string;
  readonly proxyPort: number;
  readonly env: Readonly<Record<string, string>>;
  readonly control: ControlClient;
  /** Prefix of a command line that is to run as the user. */
  readonly asUser: readonly string[];
  /** Runs a shell script in the sandbox. */
  inside(script: string, options?: InsideOptions): Promise<Finished>;
  /** Runs `iddio <args>` as the user, outside. */
  iddio(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Starts `iddio <args>` beside the test. */
  start(args: readonly string[], options?: RunOptions): Running;
  /** Runs a program as the user, outside. */
  outside(argv: readonly string[], options?: RunOptions): Promise<Finished>;
  /** Writes a file as the user. */
  write(path: string, text: string, mode?: number): Promise<void>;
  /** Lets every client trust the test's servers under this name, by the daemon. */
  serve(host: string): Promise<void>;
  rows(): Promise<Entry[]>;
  rowsWhen(enough: (rows: readonly Entry[]) => boolean): Promise<Entry[]>;
  /** Stops the daemon and starts it again. */
  restart(): Promise<void>;
  kill(): Promise<void>;
}

/** How a script is run inside. */
export interface InsideOptions extends RunOptions {
  /** Flags of `iddio run`. */
  readonly flags?: readonly string[];
}

/** Answers of the test's servers, by path; anything else is `hello from <host>`. */
export type Answers = (
  path: string,
  host: string,
  request: Request,
) => Response | undefined | Promise<Response | undefined>;

/** Why no sandbox can be had here; undefined when one can. One line says so on stderr. */
export function noSandbox(): string | undefined {
  const why =
    process.platform !== "linux"
      ? "not Linux"
      : existsSync("/usr/bin/bwrap")
        ? bwrapProblem()
        : "no bubblewrap (apt install bubblewrap)";
  if (why === undefined) return undefined;
  if (process.env.IDDIO_REQUIRE_CLIENTS === "1") throw new Error(`iddio run cannot be tested: ${why}`);
  process.stderr.write(`iddio run is not tested: ${why}\n`);
  return why;
}

function bwrapProblem(): string | undefined {
  const argv = [
    ...userPrefix(),
    "/usr/bin/bwrap",
    "--unshare-user",
    "--unshare-net",
    "--dev-bind",
    "/",
    "/",
    "true",
  ];
  const result = Bun.spawnSync(argv, { stdout: "ignore", stderr: "pipe" });
  return result.success ? undefined : `bubblewrap does not work here: ${result.stderr.toString().trim()}`;
}

function userPrefix(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  return ["/usr/bin/setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];
}

/** Starts everything. `policy` is of the daemon; `answers` of its upstreams. */
export async function startSandbox(options: { policy?: string; answers?: Answers } = {}): Promise<Sandbox> {
  const directory = await temporaryDirectory();
  const root = directory.path;
  await chmod(root, 0o755);
  const home = join(root, "home");
  const state = join(home, ".iddio");
  const project = join(home, "project");
  const binary = join(root, "iddio");
  placeProgram(binary);
  const own = (path: string) => {
    if (process.getuid?.() === 0) chownSync(path, NOBODY, NOBODY);
  };
  for (const path of [home, state, project]) {
    await mkdir(path, { mode: 0o700 });
    own(path);
  }
  const write = async (path: string, text: string, mode = 0o600) => {
    await writeFile(path, text, { mode });
    own(path);
  };
  const world = await startWorld(options.answers ?? (() => undefined));
  await write(
    join(state, "settings.yaml"),
    `approval_guard: off\nproxy_listen: 127.0.0.1:0\nupstream_proxy: http://127.0.0.1:${world.port}\nupstream_no_proxy: 127.0.0.1\n`,
  );
  await write(
    join(state, "policy.yaml"),
    options.policy ?? 'generic:\n  inspect: ["*.seen.example"]\n  default: allow\n',
  );
  const env = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: home,
    IDDIO_HOME: state,
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
  };
  const asUser = userPrefix();
  const control = new ControlClient(join(state, "iddio.sock"));
  let daemon: ReturnType<typeof startDaemon>;
  const startDaemon = () =>
    Bun.spawn([...asUser, binary, "gateway"], {
      env: { ...env, ...COMPILED_ONCE },
      cwd: home,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
  const up = async () => {
    daemon = startDaemon();
    return eventually(
      () => control.call("status", {}).catch(() => undefined),
      (answer) => answer !== undefined,
    );
  };
  const kill = async () => {
    daemon.kill("SIGKILL");
    await daemon.exited;
  };
  const status = await up();
  const proxyPort = Number(status?.proxy_listen.split(":").at(-1));
  // The same port after a restart, as a real daemon has it.
  await write(
    join(state, "settings.yaml"),
    `approval_guard: off\nproxy_listen: 127.0.0.1:${proxyPort}\nupstream_proxy: http://127.0.0.1:${world.port}\nupstream_no_proxy: 127.0.0.1\n`,
  );
  const start = (args: readonly string[], more: RunOptions = {}): Running => {
    const [program = "", ...rest] = [...asUser, binary, ...args];
    return startClient(program, rest, {
      cwd: project,
      timeoutMs: 60_000,
      ...more,
      env: { ...env, ...more.env },
    });
  };
  const outside = (argv: readonly string[], more: RunOptions = {}) => {
    const [program = "", ...rest] = [...asUser, ...argv];
    return startClient(program, rest, { cwd: project, ...more, env: { ...env, ...more.env } }).finished;
  };
  const rows = async () =>
    (await readFile(join(state, "audit.jsonl"), "utf8"))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Entry);
  return {
    binary,
    home,
    state,
    project,
    proxyPort,
    env,
    control,
    asUser,
    start,
    outside,
    write,
    rows,
    kill,
    iddio: (args, more) => start(args, more).finished,
    inside: (script, { flags = [], ...more } = {}) =>
      start(["run", ...flags, "--", "/bin/sh", "-c", script], more).finished,
    async serve(host) {
      await control.call("upstreams_add", { host, port: 443, ca_pem: world.caPem, source: "test" });
    },
    rowsWhen: (enough) => eventually(rows, enough),
    async restart() {
      await kill();
      await up();
    },
    async [Symbol.asyncDispose]() {
      daemon.kill("SIGTERM");
      await daemon.exited;
      await world[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Servers for HTTP and HTTPS, and a proxy that leads every CONNECT to them by its port. */
async function startWorld(
  answers: Answers,
): Promise<AsyncDisposable & { readonly port: number; readonly caPem: string }> {
  const authority = makeRoot("sandbox world");
  const server = makeServer(authority, ["*.seen.example", "*.unseen.example"]);
  const fetch = async (request: Request) => {
    const { pathname, hostname } = new URL(request.url);
    return (await answers(pathname, hostname, request)) ?? new Response(`hello from ${hostname}\n`);
  };
  const plain = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch });
  const secure = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert: server.pem, key: server.keyPem },
    fetch,
  });
  const proxy = net.createServer((client) => {
    client.on("error", () => undefined);
    client.once("data", (head) => {
      const [, port = ""] = /^CONNECT [^:]+:(\d+) /.exec(head.toString("latin1")) ?? [];
      const target = port === "80" ? plain.port : secure.port;
      if (port === "" || target === undefined) return client.destroy();
      const upstream = net.connect(target, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(upstream).pipe(client);
      });
      upstream.on("error", () => client.destroy());
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    port: (proxy.address() as net.AddressInfo).port,
    caPem: authority.pem,
    async [Symbol.asyncDispose]() {
      proxy.close();
      await Promise.all([plain.stop(true), secure.stop(true)]);
    },
  };
}
