// Opening connections: TCP for splices, TCP or verified TLS for intercepted requests.
// Always dials an address that was resolved and judged before, never a name: what was
// judged is what is dialled.

import { isIP } from "node:net";
import tls from "node:tls";
import type { ChainVerdict } from "../ca/verify-chain.ts";
import { Channel } from "./channel.ts";
import { duplexOver, NodeStream } from "./node-stream.ts";
import { PATIENCE } from "./patience.ts";
import { presentedChain } from "./presented-chain.ts";
import { raceAddresses } from "./race.ts";
import { TcpStream } from "./tcp-stream.ts";
import { UpstreamError } from "./upstream-error.ts";

/** Trust and identity for one upstream; contexts are made once and shared. */
export interface UpstreamTrust {
  /** Distinguishes pools: two requests share a connection only with equal keys. */
  readonly key: string;
  readonly context: tls.SecureContext;
  /** Judges the chain that the server presented, in DER, as one for `serverName`. */
  verify(presented: readonly Uint8Array[], serverName: string): ChainVerdict;
}

/** Connects by TCP to the first address that answers. Throws UpstreamError. */
export async function dialTcp(addresses: readonly string[], port: number): Promise<Channel> {
  if (addresses.length === 0) throw new UpstreamError("unreachable", "no address to dial");
  return raceAddresses(
    addresses,
    (address) => dialAddress(address, port),
    (late) => late.destroy(),
  );
}

async function dialAddress(address: string, port: number): Promise<Channel> {
  const where = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  return new Promise<Channel>((resolve, reject) => {
    let isSettled = false;
    const fail = (reason: string, cause?: unknown) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      reject(new UpstreamError("unreachable", `${where} ${reason}`, { cause }));
    };
    const timer = setTimeout(() => fail("did not answer in time"), PATIENCE.connectMs);
    const handlers = TcpStream.handlers((stream) => {
      if (isSettled) return stream.destroy();
      isSettled = true;
      clearTimeout(timer);
      resolve(new Channel(stream));
    });
    Bun.connect({
      hostname: address,
      port,
      allowHalfOpen: true,
      data: undefined,
      socket: { ...handlers, connectError: (_socket, error) => fail(connectProblem(error), error) },
    }).catch((error: unknown) => fail(connectProblem(error), error));
  });
}

function connectProblem(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ECONNREFUSED":
      return "refused the connection";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "is not reachable from here";
    case "ETIMEDOUT":
      return "did not answer in time";
    case "EMFILE":
    case "ENFILE":
      return "could not be dialled: too many open files";
    default:
      return "could not be connected to";
  }
}

/** The HTTP versions that ALPN can settle on. */
export type HttpVersion = "h2" | "http/1.1";

/** A TLS connection and what the upstream chose to speak on it. */
export interface TlsConnection {
  readonly channel: Channel;
  readonly version: HttpVersion;
}

/** Connects by TLS 1.2 or newer, offering `versions`, and verifies the chain and `serverName`. Throws UpstreamError. */
export async function dialTls(
  addresses: readonly string[],
  port: number,
  serverName: string,
  trust: UpstreamTrust,
  versions: readonly HttpVersion[],
): Promise<TlsConnection> {
  if (addresses.length === 0) throw new UpstreamError("unreachable", "no address to dial");
  const session = sessionKey(port, serverName, trust);
  return raceAddresses(
    addresses,
    (address) => {
      const where = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
      return handshake({ host: address, port }, where, serverName, trust, versions, session);
    },
    ({ channel }) => channel.destroy(),
    (error) => error instanceof UpstreamError && error.failure === "unverified",
  );
}

/** As `dialTls` on a connection that is there already; `where` names its other end in messages. */
export function secureChannel(
  channel: Channel,
  where: string,
  serverName: string,
  trust: UpstreamTrust,
  versions: readonly HttpVersion[],
): Promise<TlsConnection> {
  return handshake({ socket: duplexOver(channel) }, where, serverName, trust, versions, undefined);
}

function handshake(
  over: Pick<tls.ConnectionOptions, "host" | "port" | "socket">,
  where: string,
  serverName: string,
  trust: UpstreamTrust,
  versions: readonly HttpVersion[],
  sessionId: string | undefined,
): Promise<TlsConnection> {
  return new Promise((resolve, reject) => {
    let hasConnected = over.socket !== undefined;
    const session = sessionId === undefined ? undefined : sessions.get(sessionId);
    const socket = tls.connect({
      ...over,
      ...(isIP(serverName) ? {} : { servername: serverName }),
      ...(session === undefined ? {} : { session }),
      secureContext: trust.context,
      minVersion: "TLSv1.2",
      // The runtime's verdict is too lax for some chains and too strict for others; ours follows the handshake.
      rejectUnauthorized: false,
      ALPNProtocols: [...versions],
    });
    const fail = (error: UpstreamError) => {
      clearTimeout(timer);
      if (sessionId !== undefined) sessions.delete(sessionId);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new UpstreamError("unreachable", `${where} did not answer in time`)),
      PATIENCE.connectMs,
    );
    socket.once("connect", () => {
      hasConnected = true;
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
    });
    const onError = (error: Error) => fail(tlsProblem(error, hasConnected, where, serverName));
    const onClose = () =>
      fail(new UpstreamError("unreachable", `${where} closed the connection during the TLS handshake`));
    socket.once("error", onError);
    socket.once("close", onClose);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      socket.off("error", onError);
      socket.off("close", onClose);
      // Also for a resumed session: it holds the chain that was shown when it was made.
      const verdict = trust.verify(presentedChain(socket), serverName);
      if (verdict.kind === "refused")
        return fail(
          new UpstreamError(
            "unverified",
            `the certificate that ${where} shows for '${serverName}' is refused: ${verdict.reason}`,
            { remedy: verdict.remedy },
          ),
        );
      // No ALPN in the answer means HTTP/1.1 (RFC 9113 3.2).
      const version = socket.alpnProtocol === "h2" ? "h2" : "http/1.1";
      resolve({ channel: new Channel(new NodeStream(socket)), version });
    });
    if (sessionId !== undefined) socket.on("session", (ticket: Buffer) => rememberSession(sessionId, ticket));
  });
}

/** TLS sessions of upstreams that proved themselves, so that the next connection saves a certificate and a signature. */
const sessions = new Map<string, Buffer>();
const SESSIONS_MAX = 1_000;

function sessionKey(port: number, serverName: string, trust: UpstreamTrust): string {
  return `${trust.key}|${serverName}:${port}`;
}

function rememberSession(id: string, ticket: Buffer): void {
  sessions.delete(id);
  const oldest = sessions.size >= SESSIONS_MAX ? sessions.keys().next().value : undefined;
  if (oldest !== undefined) sessions.delete(oldest);
  sessions.set(id, ticket);
}

function tlsProblem(error: Error, hasConnected: boolean, where: string, name: string): UpstreamError {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (!hasConnected && /^E[A-Z]+$/.test(code))
    return new UpstreamError("unreachable", `${where} ${connectProblem(error)}`, { cause: error });
  if (code === "ECONNRESET" || code === "EPIPE" || code === "EPROTO" || code.startsWith("ERR_SSL_"))
    return new UpstreamError("unreachable", `the TLS handshake with ${where} failed (${code})`, {
      cause: error,
    });
  const detail = code === "" ? error.message : code;
  return new UpstreamError(
    "unverified",
    `the certificate that ${where} shows for '${name}' is not trusted (${detail})`,
    {
      cause: error,
    },
  );
}
