// The contract of a peer: a proxy of any make, running on a loopback port of its own with a
// temporary configuration, to which the same load can be sent.

import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadRoute } from "../load/connection.ts";
import type { OriginPorts } from "../origin-process.ts";

/** A running peer. */
export interface Peer extends AsyncDisposable {
  readonly name: string;
  /** The process whose time and memory count, with its children; undefined for going direct. */
  readonly pid: number | undefined;
  /** The way to a TLS or plain port of the origin through this peer. */
  route(origin: OriginPorts, port: keyof Omit<OriginPorts, "caPem">): LoadRoute;
}

/** Starts a peer, or says in a clause why it cannot be had here. */
export type StartPeer = (origin: OriginPorts) => Promise<Peer | string>;

/** Going without any proxy. */
export const startDirect: StartPeer = async () => ({
  name: "direct",
  pid: undefined,
  route: (origin, port) => ({
    port: origin[port],
    authority: `localhost:${origin[port]}`,
    ...(port === "tls" ? { caPem: origin.caPem } : {}),
  }),
  async [Symbol.asyncDispose]() {},
});

/** The way through a proxy on `proxyPort`. `caPem`: what it signs with when it intercepts. */
export function proxyRoute(proxyPort: number, caPem?: string): Peer["route"] {
  return (origin, port) => ({
    port: proxyPort,
    connect: `localhost:${origin[port]}`,
    authority: `localhost:${origin[port]}`,
    ...(port === "tls" ? { caPem: caPem ?? origin.caPem } : {}),
  });
}

/** A program with a configuration in a directory that goes with it. */
export interface PeerProgram {
  readonly name: string;
  readonly directory: string;
  readonly command: readonly string[];
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly caPem?: string;
}

const PATIENCE_MS = 20_000;

/** Starts the program and waits until its port takes connections. Rejects with its own words when it ends first. */
export async function runPeer(program: PeerProgram): Promise<Peer> {
  const output = Bun.file(join(program.directory, "output"));
  const child = Bun.spawn([...program.command], {
    env: { PATH: process.env.PATH ?? "", HOME: program.directory, ...program.env },
    cwd: program.directory,
    stdin: "ignore",
    stdout: output,
    stderr: output,
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async () => {
    process.off("exit", kill);
    kill();
    await child.exited;
    await rm(program.directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await answers(program.port))) {
    if (child.exitCode === null && Date.now() < deadline) {
      await Bun.sleep(50);
      continue;
    }
    const said = (await output.text()).trim();
    await stop();
    throw new Error(`${program.name} did not come up: ${said}`);
  }
  return {
    name: program.name,
    pid: child.pid,
    route: proxyRoute(program.port, program.caPem),
    [Symbol.asyncDispose]: stop,
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const settle = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

/** A loopback port that was free a moment ago; for programs that cannot be given port 0. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** A new directory for a peer's configuration. */
export function peerDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "iddio-bench-"));
}
