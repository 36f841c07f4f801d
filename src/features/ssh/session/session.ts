// The process of one client's SSH connection: `iddio ssh-session`, which the daemon starts. It ends
// the client's side with ssh2 and starts the operator's ssh for each channel that the daemon lets
// through. It is a process of its own so that a fault in it, or in ssh2, ends one connection and
// nothing else; without the daemon it ends at once.

import type { AuthContext, Connection, ServerConfig } from "ssh2";
import { isPlainUser } from "../../../protocols/ssh/target.ts";
import {
  CONNECTION_FD,
  type DialledTarget,
  type ForwardKind,
  type FromSession,
  SESSION_MEMORY,
} from "../link.ts";
import { askSsh } from "./ask-ssh.ts";
import { certifiedKey, type KexProtocol } from "./certified-key.ts";
import { openClientSocket } from "./client-socket.ts";
import { SessionLink } from "./daemon-link.ts";
import { explainLog } from "./explain-log.ts";
import { serveForward } from "./forward-channel.ts";
import { serveSessionChannel } from "./session-channel.ts";
import type { SessionContext } from "./session-context.ts";
import type { SshUpstream } from "./upstream.ts";

/** Channels that one connection may have open at once. */
const CHANNELS_MAX = 64;

/**
 * Only algorithms that are quick here and strong: groups of Diffie and Hellman over integers would hold the
 * process for long.
 */
const ALGORITHMS: NonNullable<ServerConfig["algorithms"]> = {
  kex: ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384"],
  serverHostKey: ["ssh-ed25519"],
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"],
  compress: ["none"],
};

/** Runs it to the end of the connection; resolves to the exit code. */
export async function runSession(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const stdout = Bun.stdout.writer();
  const link = new SessionLink(Bun.stdin.stream(), (line: FromSession) => {
    stdout.write(`${JSON.stringify(line)}\n`);
    void stdout.flush();
  });
  // While the daemon's words are on their way.
  const loading = import("ssh2");
  const start = await link.start;
  const ssh2 = (await loading).default;
  const { Server } = ssh2;
  const { parseKey } = ssh2.utils;
  const upstreams = new Set<SshUpstream>();
  const upstreamEnv = {
    ...env,
    ...start.runAs?.env,
    SSH_AUTH_SOCK: start.agentSocket,
    ...Object.fromEntries(Object.keys(SESSION_MEMORY).map((name) => [name, undefined])),
  };
  let protocol: KexProtocol | undefined;
  const certified = certifiedKey(start, parseKey, () => protocol);
  const server = new Server({
    hostKeys: [{ key: certified as never }, start.hostKey],
    algorithms: ALGORITHMS,
    ident: "iddio",
  });
  const over = Promise.withResolvers<void>();
  server.on("connection", (client) => {
    // Every problem of the wire ends the connection; ssh2 has said so to the client.
    client.on("error", () => undefined);
    client.on("close", () => over.resolve());
    protocol = (client as unknown as { readonly _protocol: KexProtocol })._protocol;
    serveClient(client);
  });
  const serveClient = (client: Connection) => {
    let context: SessionContext | undefined;
    let refused: string | undefined;
    client.on("authentication", (auth: AuthContext) => {
      void logIn(auth.username).finally(() => auth.accept());
    });
    const logIn = async (user: string) => {
      if (context !== undefined || refused !== undefined) return;
      const { program, config, name, port, runAs } = start;
      const base = { program, config, name, port, user, runAs };
      const target: DialledTarget = isPlainUser(user)
        ? await askSsh(base, upstreamEnv)
        : { host: start.host, port: start.port, user: "", problem: "the user's name is not plain" };
      const answer = await link.login({ user, target });
      if (answer.kind === "refuse") refused = answer.text;
      else
        context = {
          link,
          start,
          target: base,
          env: upstreamEnv,
          track(upstream) {
            upstreams.add(upstream);
            return () => upstreams.delete(upstream);
          },
          async refuseForward(what, detail = "") {
            const asked = link.ask({ kind: "forward", what, detail }, () => undefined);
            // Where nothing is enforced the answer is yes; it is not carried all the same.
            if ((await asked.answer).kind === "go")
              link.end(asked.id, {
                code: undefined,
                toRemote: 0,
                fromRemote: 0,
                reason: "it is never carried",
              });
          },
          explain: (log) => explainLog(log, target),
        };
    };
    let channels = 0;
    client.on("session", (accept, reject) => {
      if (channels >= CHANNELS_MAX) return reject();
      channels += 1;
      const session = accept();
      session.on("close", () => {
        channels -= 1;
      });
      if (context !== undefined) serveSessionChannel(context, client, session);
      else refuseSession(session, refused ?? "iddio refused the connection");
    });
    const forward = (what: ForwardKind, detail: string) => void context?.refuseForward(what, detail);
    client.on("tcpip", (accept, reject, { destIP, destPort }) => {
      if (context === undefined || channels >= CHANNELS_MAX) return reject();
      channels += 1;
      void serveForward(context, client, { host: destIP, port: destPort, accept, reject }).finally(() => {
        channels -= 1;
      });
    });
    client.on("openssh.streamlocal", (_, reject, info) => {
      forward("direct-streamlocal", String((info as { socketPath?: string }).socketPath ?? ""));
      reject();
    });
    client.on("request", (_, reject, name, info) => {
      const {
        bindAddr = "",
        bindPort = "",
        socketPath = "",
      } = info as unknown as Record<string, string | number>;
      if (!name.startsWith("cancel"))
        forward(
          name === "tcpip-forward" ? "tcpip-forward" : "streamlocal-forward",
          `${bindAddr}${socketPath}:${bindPort}`,
        );
      reject?.();
    });
  };

  const data = await openClientSocket(CONNECTION_FD, Buffer.from(start.first, "base64"));
  data.on("error", () => over.resolve());
  data.on("close", () => over.resolve());
  server.injectSocket(data);
  await Promise.race([over.promise, link.gone]);
  data.destroy();
  for (const upstream of upstreams) upstream.kill();
  await Promise.race([Promise.allSettled([...upstreams].map((each) => each.ended)), Bun.sleep(2_000)]);
  return 0;
}

/** A connection that must not be: whatever is asked for is told why. */
function refuseSession(session: import("ssh2").Session, text: string): void {
  const refuse = (accept: () => import("ssh2").ServerChannel) => {
    const channel = accept();
    channel.stderr.write(`${text}\r\n`);
    channel.exit(126);
    channel.end();
  };
  session.on("pty", (accept) => accept?.());
  session.on("env", (accept) => accept?.());
  session.on("exec", refuse);
  session.on("shell", refuse);
  session.on("subsystem", refuse);
}
