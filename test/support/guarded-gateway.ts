// The compiled program with a guard, as an unprivileged user: a gateway, terminals in which an
// "agent" runs shell scripts, and a terminal for a person. When the tests run as root everything
// here runs as nobody.

import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { placeProgram } from "./built-binary.ts";
import { eventually } from "./eventually.ts";
import { type PtyProgram, startPty } from "./pages/pty.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

const NOBODY = 65_534;
const IS_ROOT = process.getuid?.() === 0;
const AS_USER = IS_ROOT
  ? ["/usr/bin/setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"]
  : [];

const POLICY = `generic:
  inspect: ["127.0.0.1:*"]
  default: escalate
  groups:
    read: { tiers: [observe] }
  rules:
    allow: { groups: [read] }
`;

/** How a program in a terminal ended. */
export interface Ended {
  readonly code: number;
  readonly text: string;
}

/** A gateway with a guard. */
export interface GuardedGateway extends AsyncDisposable {
  readonly home: string;
  readonly binary: string;
  readonly proxy: string;
  readonly upstreamPort: number;
  /** Paths that the upstream has seen. */
  readonly arrived: readonly string[];
  /** Runs a shell script in a terminal of its own, as the user. */
  inTerminal(script: string, env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** The same, to type into. */
  terminal(argv: readonly string[], env?: Readonly<Record<string, string>>): PtyProgram;
  /** A terminal of the tests' own user, root where they are. */
  rootTerminal(argv: readonly string[]): PtyProgram;
  /** The approval of a request that is held, once there is one. */
  idOf(path: string): Promise<string>;
  /** Sends a request that is held, from a terminal of its own, and gives the approval's id. */
  hold(path: string): Promise<string>;
  /** A terminal that sends a request which is held, and then runs a shell script with its approval's id as `$id`. */
  agent(path: string, script: string): Promise<Ended>;
  /** Ends the daemon, lets `meanwhile` happen, and starts it again. */
  restart(meanwhile?: () => void, env?: Readonly<Record<string, string>>): Promise<void>;
  iddio(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
}

/** Starts one; `settings` names the guard. */
export async function guardedGateway(settings: string): Promise<GuardedGateway> {
  const directory = await temporaryDirectory();
  const home = directory.path;
  const state = join(home, ".iddio");
  const binary = join(home, "bin", "iddio");
  mkdirSync(state, { mode: 0o700 });
  mkdirSync(join(home, "bin"));
  placeProgram(binary);
  writeFileSync(join(state, "settings.yaml"), `proxy_listen: 127.0.0.1:0\napproval_timeout: 5m\n${settings}`);
  writeFileSync(join(state, "policy.yaml"), POLICY);
  if (IS_ROOT)
    for (const path of [home, state, join(state, "settings.yaml"), join(state, "policy.yaml")])
      chownSync(path, NOBODY, NOBODY);
  const arrived: string[] = [];
  const upstream = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      arrived.push(new URL(request.url).pathname);
      return new Response("done");
    },
  });
  const env = {
    HOME: home,
    PATH: `${join(home, "bin")}:${process.env.PATH ?? ""}`,
    TERM: "xterm",
    SHELL: "/bin/bash",
  };
  const log = join(home, "gateway.out");
  await writeFile(log, "");
  const start = async (more: Readonly<Record<string, string>> = {}) => {
    const before = (await readFile(log, "utf8")).length;
    const child = Bun.spawn(["/bin/sh", "-c", `exec "$@" 2>>"${log}"`, "sh", ...AS_USER, binary, "gateway"], {
      env: { ...env, ...more },
      cwd: home,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    const listens = await eventually(
      async () => {
        const text = (await readFile(log, "utf8")).slice(before);
        if (child.exitCode !== null) throw new Error(`the gateway ended: ${text}`);
        return /listens on (\S+);/.exec(text)?.[1];
      },
      (found) => found !== undefined,
    );
    return { child, proxy: listens ?? "" };
  };
  let running = await start();
  const iddio = async (
    args: readonly string[],
    more: Readonly<Record<string, string>> = {},
    prefix = AS_USER,
  ) => {
    const child = Bun.spawn([...prefix, binary, ...args], {
      env: { ...env, ...more },
      cwd: home,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, text: out + err };
  };
  const terminal = (argv: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    startPty([...AS_USER, ...argv], { env: { ...env, ...more }, columns: 200, rows: 60, cwd: home });
  const url = (path: string) => `http://127.0.0.1:${upstream.port}${path}`;
  const idOf = async (path: string) => {
    const list = async () => {
      const { text } = await iddio(["approval", "list", "--json"]);
      return (JSON.parse(text) as { id: string; path: string }[]).find((each) => each.path === path)?.id;
    };
    return (await eventually(list, (id) => id !== undefined)) ?? "";
  };
  const senders: PtyProgram[] = [];
  return {
    home,
    binary,
    get proxy() {
      return running.proxy;
    },
    arrived,
    upstreamPort: upstream.port ?? 0,
    terminal,
    iddio: (args, more) => iddio(args, more),
    async inTerminal(script, more) {
      await using program = terminal(["/bin/bash", "--norc", "-c", script], more);
      const code = await program.exited;
      return { code, text: program.written };
    },
    rootTerminal: (argv) => startPty(argv, { env, columns: 200, rows: 80, cwd: home }),
    idOf,
    async hold(path) {
      senders.push(
        terminal(["/usr/bin/curl", "-s", "-x", `http://${running.proxy}`, "-X", "POST", url(path)]),
      );
      return idOf(path);
    },
    async agent(path, script) {
      const sends = `curl -s -x http://${running.proxy} -X POST ${url(path)} >/dev/null & read -r id; `;
      await using program = terminal([
        "/bin/bash",
        "--norc",
        "-c",
        `${sends}${script}; kill %1 2>/dev/null; exit 0`,
      ]);
      program.type(`${await idOf(path)}\n`);
      const code = await Promise.race([program.exited, Bun.sleep(30_000)]);
      if (code === undefined) throw new Error(`the agent's script does not end: ${program.written}`);
      return { code, text: program.written };
    },
    async restart(meanwhile, more) {
      running.child.kill();
      await running.child.exited;
      meanwhile?.();
      running = await start(more);
    },
    async [Symbol.asyncDispose]() {
      for (const sender of senders) await sender[Symbol.asyncDispose]();
      running.child.kill();
      await running.child.exited;
      await upstream.stop(true);
      await directory[Symbol.asyncDispose]();
    },
  };
}
