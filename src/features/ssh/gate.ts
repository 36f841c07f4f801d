// The daemon's end of SSH: takes a client's connection from the proxy, starts a session process for it, hands the bytes
// over and answers what the session asks. Owns how many sessions there may be and that none outlives its client.

import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Socket, Subprocess } from "bun";
import { peerOf } from "../../api/server/peer.ts";
import type { SshCarrier, SshConnection } from "../../gateway/request/ssh-carrier.ts";
import { Channel } from "../../gateway/stream/channel.ts";
import { relay } from "../../gateway/stream/relay.ts";
import { Shares } from "../../gateway/stream/shares.ts";
import { TcpStream } from "../../gateway/stream/tcp-stream.ts";
import { type Environment, programEnvironment } from "../../host/process/environment.ts";
import { findSystemTool } from "../../host/process/system-tool.ts";
import { NdjsonDecoder } from "../../wire/ndjson.ts";
import { hostKeyOf } from "./host-key.ts";
import { type JudgeParts, SessionJudge } from "./judge-session.ts";
import type { FromSession, SessionStart, ToSession } from "./link.ts";

/** Session processes at once, and the part of them that one client may have. */
const SESSIONS_MAX = 96;
const CLIENT_PART = 0.75;
/** A session that was told to end has this long for its channels. */
const END_MS = 5_000;
const CONNECT_MS = 15_000;

/** What the gate is made with. */
export interface GateParts extends JudgeParts {
  /** A folder of our own for keys, sockets and logs. */
  readonly folder: string;
  readonly env: Environment;
  /** The user whose keys the operator's ssh has. */
  readonly ownerUid: number | undefined;
}

/** This program, as it is started again; from source, with its first file. */
const OWN_PROGRAM: readonly string[] = import.meta.dir.startsWith("/$bunfs/")
  ? [process.execPath]
  : [process.execPath, join(import.meta.dir, "..", "..", "main.ts")];

/** Carries SSH. */
export class SshGate implements SshCarrier {
  readonly #parts: GateParts;
  readonly #shares = new Shares(SESSIONS_MAX, CLIENT_PART);
  readonly #sessions = new Set<Subprocess>();
  #isClosed = false;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  async serve(connection: SshConnection): Promise<void> {
    const { channel, owner, destination } = connection;
    await owner.identified();
    const client = owner.identity;
    const where = { host: destination.host, port: destination.port, ...(client ? { client } : {}) };
    const refuse = (reason: string) => {
      this.#parts.gateway().recorder.blocked({ ...where, protocol: "ssh", reason });
      channel.destroy();
    };
    // A system's daemon is root's: the keys that it has are not those of the user whom it serves.
    if (this.#parts.ownerUid !== process.getuid?.())
      return refuse("iddio runs as a system's daemon here, which has no SSH keys of its user");
    // Anyone who may use the proxy could otherwise use the operator's keys.
    if (owner.run === undefined && owner.uid !== this.#parts.ownerUid)
      return refuse("only the user who runs iddio may use his SSH keys through it");
    const program = findSystemTool("ssh", this.#parts.env);
    if (program === undefined) return refuse("this machine has no ssh program of the system");
    const { payer } = owner;
    if (this.#isClosed || this.#shares.take(payer) !== undefined)
      return refuse("too many SSH sessions are open");
    try {
      await this.#session(connection, program);
    } catch (error) {
      this.#parts.gateway().log.error("ssh session failed", { reason: String(error) });
    } finally {
      this.#shares.give(payer);
      channel.destroy();
    }
  }

  async #session({ channel, owner, destination, name }: SshConnection, program: string): Promise<void> {
    const { folder, env } = this.#parts;
    const gateway = this.#parts.gateway();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { privateKey } = await hostKeyOf(folder);
    const socket = join(folder, `${randomBytes(4).toString("hex")}.sock`);
    const data = Promise.withResolvers<Channel | undefined>();
    let child: Subprocess<"pipe", "pipe", "inherit"> | undefined;
    const handlers = TcpStream.handlers(() => undefined);
    const server = Bun.listen<TcpStream | undefined>({
      unix: socket,
      allowHalfOpen: true,
      data: undefined,
      socket: {
        ...handlers,
        open(opened: Socket<TcpStream | undefined>) {
          const stream = new TcpStream(opened);
          const { pid } = peerOf((opened as unknown as { fd: number }).fd);
          // Only the process that we started, where the system tells who it is.
          if (child === undefined || (pid !== undefined && pid !== child.pid)) return stream.destroy();
          data.resolve(new Channel(stream));
        },
      },
    });
    try {
      child = Bun.spawn([...OWN_PROGRAM, "ssh-session"], {
        env: programEnvironment(env),
        cwd: "/",
        stdin: "pipe",
        stdout: "pipe",
        stderr: "inherit",
      });
      this.#sessions.add(child);
      const session = child;
      const send = (line: ToSession) => {
        try {
          session.stdin.write(`${JSON.stringify(line)}\n`);
          void Promise.resolve(session.stdin.flush()).catch(() => undefined);
        } catch {
          // It has ended; its client sees that.
        }
      };
      const start: SessionStart = {
        name: name === "" ? destination.host : name,
        host: destination.host,
        port: destination.port,
        dataSocket: socket,
        hostKey: privateKey,
        program,
        config: gateway.settings.current.ssh_config || undefined,
        agentSocket: env.SSH_AUTH_SOCK,
        scratch: folder,
      };
      send({ type: "start", start });
      const judge = new SessionJudge(this.#parts, { owner, destination, name: start.name }, send);
      const read = readLines(session.stdout, (line) => judge.take(line));
      const timer = setTimeout(() => data.resolve(undefined), CONNECT_MS);
      const ended = session.exited.then(() => data.resolve(undefined));
      const inner = await data.promise;
      clearTimeout(timer);
      server.stop(false);
      await rm(socket, { force: true });
      if (inner !== undefined) await relay(channel, inner);
      // Both ends are closed: a session has nothing left to do, and one that hangs is ended.
      const late = setTimeout(() => session.kill("SIGKILL"), END_MS);
      await Promise.allSettled([ended, read]);
      clearTimeout(late);
      judge.close();
    } finally {
      server.stop(true);
      if (child !== undefined) {
        this.#sessions.delete(child);
        if (child.exitCode === null) child.kill("SIGKILL");
      }
      await rm(socket, { force: true });
    }
  }

  /** Ends every session. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#sessions];
    for (const session of all) (session.stdin as import("bun").FileSink).end();
    await Promise.race([Promise.allSettled(all.map((each) => each.exited)), Bun.sleep(END_MS)]);
    for (const session of all) if (session.exitCode === null) session.kill("SIGKILL");
  }
}

async function readLines(from: ReadableStream<Uint8Array>, take: (line: FromSession) => void): Promise<void> {
  const decoder = new NdjsonDecoder();
  for await (const bytes of from) for (const line of decoder.push(bytes)) take(line as FromSession);
}
