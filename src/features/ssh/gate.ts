// The daemon's end of SSH: takes a client's connection from the proxy, starts a session process and
// gives it the connection, and answers the session's questions. Owns how many sessions there may
// be. None outlives its client or the daemon: it ends when its connection or its stdin does.

import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { SshCarrier, SshConnection } from "../../gateway/request/contracts/ssh-carrier.ts";
import { Shares } from "../../gateway/stream/shares.ts";
import type { TcpStream } from "../../gateway/stream/tcp-stream.ts";
import { type Environment, programEnvironment } from "../../host/process/environment.ts";
import { type OtherUser, otherUser } from "../../host/process/other-user.ts";
import { ownProgram } from "../../host/process/own-program.ts";
import { findSystemTool } from "../../host/process/system-tool.ts";
import { closeDescriptor } from "../../host/sandbox/libc.ts";
import { NdjsonDecoder } from "../../wire/ndjson.ts";
import { authorityOf, certify, hostKeyOf, SSH_FOLDER_MODE } from "./host-key.ts";
import { type JudgeParts, SessionJudge } from "./judge-session.ts";
import { type FromSession, SESSION_MEMORY, type SessionStart, type ToSession } from "./link.ts";

/** Session processes at once, and the part of them that one client may have. */
const SESSIONS_MAX = 96;
const CLIENT_PART = 0.75;
/** A session that was told to end has this long for its channels. */
const END_MS = 5_000;

type Session = Subprocess<"pipe", "pipe", "inherit">;

/** The parts that the gate works with. */
export interface GateParts extends JudgeParts {
  /** A folder of our own for keys, sockets and logs. */
  readonly folder: string;
  readonly env: Environment;
  /** The user whose keys the operator's ssh has. */
  readonly ownerUid: number | undefined;
}

/** Carries SSH. */
export class SshGate implements SshCarrier {
  readonly #parts: GateParts;
  readonly #shares = new Shares(SESSIONS_MAX, CLIENT_PART);
  readonly #sessions = new Set<Session>();
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
    // A system's daemon is root's: the keys are those of the user whom it serves, so ssh runs as that user.
    const { ownerUid, env } = this.#parts;
    const isOther = ownerUid !== process.getuid?.();
    const runAs = isOther && ownerUid !== undefined ? await otherUser(ownerUid, env) : undefined;
    if (isOther && (runAs === undefined || process.getuid?.() !== 0))
      return refuse("iddio cannot start ssh as the user whose SSH keys it needs");
    // Anyone who may use the proxy could otherwise use the operator's keys.
    if (owner.run === undefined && owner.uid !== this.#parts.ownerUid)
      return refuse("only the user who runs iddio may use his SSH keys through it");
    const program = findSystemTool("ssh", this.#parts.env);
    if (program === undefined) return refuse("this machine has no ssh program of the system");
    const { payer } = owner;
    if (this.#isClosed || this.#shares.take(payer) !== undefined)
      return refuse("too many SSH sessions are open");
    try {
      await this.#session(connection, program, runAs);
    } catch (error) {
      this.#parts.gateway().log.error("ssh session failed", { reason: String(error) });
    } finally {
      this.#shares.give(payer);
      channel.destroy();
    }
  }

  async #session(
    { channel, owner, destination, name }: SshConnection,
    program: string,
    runAs: OtherUser | undefined,
  ): Promise<void> {
    const { folder, env } = this.#parts;
    const gateway = this.#parts.gateway();
    await mkdir(folder, { recursive: true, mode: SSH_FOLDER_MODE });
    const key = await hostKeyOf(folder);
    const names = [...new Set([destination.host, name === "" ? destination.host : name])];
    const certificate = certify(key, await authorityOf(folder), names, Date.now());
    // Where the other user's ssh finds its log, which was made for it and cannot be put in another's place.
    const scratch = runAs === undefined ? folder : await mkdtemp(join(tmpdir(), "iddio-ssh-"));
    if (runAs !== undefined) await chmod(scratch, 0o711);
    const stream = channel.stream as TcpStream;
    let child: Session | undefined;
    // Octets that the client sent already go to the session with its connection; nobody reads in between.
    const first = Buffer.from(channel.read()).toString("base64");
    const connectionFd = stream.handOut(() => child && endSession(child));
    try {
      child = Bun.spawn([...ownProgram(), "ssh-session"], {
        env: { ...programEnvironment(env), ...SESSION_MEMORY },
        cwd: "/",
        stdio: ["pipe", "pipe", "inherit", connectionFd],
      }) as Session;
    } finally {
      closeDescriptor(connectionFd);
    }
    const session = child;
    this.#sessions.add(session);
    try {
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
        first,
        hostKey: key.privateKey,
        hostCertificate: certificate.toString("base64"),
        program,
        config: gateway.settings.current.ssh_config || undefined,
        agentSocket: gateway.settings.current.ssh_agent || (runAs ? undefined : env.SSH_AUTH_SOCK),
        scratch,
        runAs,
      };
      send({ type: "start", start });
      const judge = new SessionJudge(this.#parts, { owner, destination, name: start.name }, send);
      await Promise.allSettled([session.exited, readLines(session.stdout, (line) => judge.take(line))]);
      judge.close();
    } finally {
      this.#sessions.delete(session);
      if (session.exitCode === null) session.kill("SIGKILL");
      if (runAs !== undefined) await rm(scratch, { recursive: true, force: true });
    }
  }

  /** Ends every session. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#sessions];
    for (const session of all) endSession(session);
    await Promise.allSettled(all.map((each) => each.exited));
  }
}

/** Tells a session to end, and sees to it. */
function endSession(session: Session): void {
  void Promise.resolve(session.stdin.end()).catch(() => undefined);
  const late = setTimeout(() => session.kill("SIGKILL"), END_MS);
  void session.exited.then(() => clearTimeout(late));
}

async function readLines(from: ReadableStream<Uint8Array>, take: (line: FromSession) => void): Promise<void> {
  const decoder = new NdjsonDecoder();
  for await (const bytes of from) for (const line of decoder.push(bytes)) take(line as FromSession);
}
