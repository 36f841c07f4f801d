// Opening connections: TCP for splices, TCP or verified TLS for intercepted requests. Always dials
// an address that was resolved and judged before, never a name: so the judged address is the
// dialled one.

import { isIP } from "node:net";
import type { SecureContext } from "node:tls";
import type { ChainVerdict } from "../../../ca/verify/verify-chain.ts";
import { Channel } from "../../stream/channel.ts";
import { PATIENCE } from "../../stream/patience.ts";
import {
  type ClientHandshake,
  canUpgrade,
  type SecureConnection,
  TLS_CLOSED,
  TLS_TIMEOUT,
  TlsError,
  type TurnClient,
  upgradeTls,
} from "../../stream/secure-stream.ts";
import { TcpStream } from "../../stream/tcp-stream.ts";
import { tlsInTls } from "../../stream/tls-in-tls.ts";
import { presentedChain } from "../presented-chain.ts";
import { UpstreamError } from "../upstream-error.ts";
import { isOnLocalNetwork, LOCAL_NETWORK_REFUSED } from "./local-network.ts";
import { raceAddresses } from "./race.ts";

/** Trust and identity for one upstream; trusts are made once and shared. */
export interface UpstreamTrust {
  /** Distinguishes pools: two requests share a connection only with equal keys. */
  readonly key: string;
  /** For one more connection: a client certificate may have to be read. Throws UpstreamError when it cannot be. */
  context(): Promise<SecureContext>;
  /** Judges the chain that the server presented, in DER, as one for `serverName`. */
  verify(presented: readonly Uint8Array[], serverName: string): ChainVerdict;
}

/** Who pays for a socket with a descriptor. */
export interface Charge {
  readonly client?: TurnClient | undefined;
  /** Throws UpstreamError when there is none left; returns the way to give it back. */
  pay(): Promise<() => void>;
}

/** Connects by TCP to the first address that answers. Throws UpstreamError. */
export async function dialTcp(addresses: readonly string[], port: number, charge: Charge): Promise<Channel> {
  if (addresses.length === 0) throw new UpstreamError("unreachable", "no address to dial");
  return raceAddresses(
    addresses,
    (address) => dialAddress(address, port, charge),
    (late) => late.destroy(),
    isFinal,
  );
}

/** Another address would fail in the same way. */
function isFinal(error: unknown): boolean {
  return error instanceof UpstreamError && (error.failure === "unverified" || error.failure === "busy");
}

async function dialAddress(address: string, port: number, charge: Charge): Promise<Channel> {
  const giveBack = await charge.pay();
  const where = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  return new Promise<Channel>((resolve, reject) => {
    let isSettled = false;
    const fail = (reason: string, cause?: unknown) => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      giveBack();
      reject(new UpstreamError("unreachable", `${where} ${reason}`, { cause }));
    };
    const timer = setTimeout(() => fail("did not answer in time"), PATIENCE.connectMs);
    const handlers = TcpStream.handlers((stream) => {
      if (isSettled) return stream.destroy();
      stream.onceGone(giveBack);
      isSettled = true;
      clearTimeout(timer);
      stream.keepAlive();
      resolve(new Channel(stream));
    });
    Bun.connect({
      hostname: address,
      port,
      allowHalfOpen: true,
      data: undefined,
      socket: { ...handlers, connectError: (_socket, error) => fail(connectProblem(error, address), error) },
    }).catch((error: unknown) => fail(connectProblem(error, address), error));
  });
}

function connectProblem(error: unknown, address?: string): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ECONNREFUSED":
      return "refused the connection";
    case "EHOSTUNREACH":
      if (process.platform === "darwin" && address !== undefined && isOnLocalNetwork(address))
        return `${LOCAL_NETWORK_REFUSED} (System Settings > Privacy & Security > Local Network)`;
      return "is not reachable from here";
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

/** A TLS connection and the protocol that the upstream chose. */
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
  charge: Charge,
): Promise<TlsConnection> {
  if (addresses.length === 0) throw new UpstreamError("unreachable", "no address to dial");
  const context = await trust.context();
  return raceAddresses(
    addresses,
    async (address) => {
      const channel = await dialAddress(address, port, charge);
      const where = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
      const id = sessionKey(port, serverName, trust);
      const connect = (options: ClientHandshake) => upgradeTls(channel, options);
      return verified(connect, { where, serverName, trust, context, versions, id, client: charge.client });
    },
    ({ channel }) => channel.destroy(),
    isFinal,
  );
}

/** As `dialTls` on a connection that is there already; `where` names its other end in messages. */
export async function secureChannel(
  channel: Channel,
  where: string,
  serverName: string,
  trust: UpstreamTrust,
  versions: readonly HttpVersion[],
  client?: TurnClient,
): Promise<TlsConnection> {
  const connect = (options: ClientHandshake) =>
    canUpgrade(channel) ? upgradeTls(channel, options) : tlsInTls(channel, options);
  const context = await trust.context().catch((error: unknown) => {
    channel.destroy();
    throw error;
  });
  return verified(connect, { where, serverName, trust, context, versions, id: undefined, client });
}

/** A TLS connection to an upstream must satisfy these. */
interface Wanted {
  /** The other end, for messages. */
  readonly where: string;
  readonly serverName: string;
  readonly trust: UpstreamTrust;
  readonly context: SecureContext;
  readonly versions: readonly HttpVersion[];
  /** Under which its TLS session is remembered; undefined: it is not. */
  readonly id: string | undefined;
  readonly client: TurnClient | undefined;
}

async function verified(
  connect: (options: ClientHandshake) => Promise<SecureConnection>,
  { where, serverName, trust, context, versions, id, client }: Wanted,
): Promise<TlsConnection> {
  const session = id === undefined ? undefined : sessions.get(id);
  // A ticket may come before the chain was judged; one of a server that failed is of no use to anybody.
  let isTrusted = false;
  let offered: Buffer | undefined;
  const secure = await connect({
    context,
    protocols: versions,
    serverName: isIP(serverName) ? undefined : serverName,
    session,
    client,
    onSession(ticket) {
      if (!isTrusted) offered = ticket;
      else if (id !== undefined) rememberSession(id, ticket);
    },
    timeoutMs: PATIENCE.connectMs,
  }).catch((error: unknown) => {
    if (id !== undefined) sessions.delete(id);
    throw error instanceof TlsError ? tlsProblem(error, where) : error;
  });
  // Also for a resumed session: it holds the chain that was shown when it was made.
  const verdict = trust.verify(presentedChain(secure.peer), serverName);
  if (verdict.kind === "refused") {
    if (id !== undefined) sessions.delete(id);
    secure.channel.destroy();
    throw new UpstreamError(
      "unverified",
      `the certificate that ${where} shows for '${serverName}' is refused: ${verdict.reason}`,
      { remedy: verdict.remedy },
    );
  }
  isTrusted = true;
  if (id !== undefined && offered !== undefined) rememberSession(id, offered);
  // No ALPN in the answer means HTTP/1.1 (RFC 9113 3.2).
  return { channel: secure.channel, version: secure.protocol === "h2" ? "h2" : "http/1.1" };
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

function tlsProblem(error: TlsError, where: string): UpstreamError {
  const isLasting = isOfTheLibrary(error);
  return new UpstreamError("unreachable", `${where} ${tlsReason(error)}`, { cause: error, isLasting });
}

function tlsReason({ code, cause }: TlsError): string {
  if (code === TLS_TIMEOUT) return "did not answer in time";
  if (code === TLS_CLOSED || code === "ECONNRESET" || code === "EPIPE")
    return "closed the connection during the TLS handshake";
  return isOfTheSystem(code) ? connectProblem(cause) : `broke off the TLS handshake (${code})`;
}

function isOfTheSystem(code: string): boolean {
  return /^E[A-Z]+$/.test(code) && code !== "EPROTO";
}

/** A certificate, a key or a version that one of the two TLS libraries does not take, it does not take the next time either. */
function isOfTheLibrary({ code }: TlsError): boolean {
  return code !== TLS_TIMEOUT && code !== TLS_CLOSED && !isOfTheSystem(code);
}
