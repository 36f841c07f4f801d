// TLS on Bun's own sockets, towards clients and upstreams. node:tls puts three layers of streams
// between TLS and the socket, which cost a third of a request, and over anything but a bare socket
// it takes bytes without end from a writer whose reader is slow. Owns the options of Bun's that no
// manual has (`isServer`, `initialData`, `secureContext`; node:tls is built on them); nothing else
// in the gateway may name them.

import type { SecureContext } from "node:tls";
import type { Socket, SocketHandler } from "bun";
import { TlsTail } from "../../wire/tls/tail.ts";
import { type ByteStream, IGNORE } from "./byte-stream.ts";
import { Channel } from "./channel.ts";
import { FairTurns } from "./fair-turns.ts";
import { TcpStream } from "./tcp-stream.ts";

/** A connection whose TLS handshake is done. */
export interface SecureConnection {
  readonly channel: Channel;
  /** The protocol that ALPN chose, if any. */
  readonly protocol: string | undefined;
  readonly peer: TlsPeer;
}

/** The peer's certificates; readable only while the connection is open. */
export interface TlsPeer {
  /** The TLS session with the presented chain in it, in BoringSSL's own DER. */
  getSession(): Buffer | undefined;
  /** The certificate and, if `detailed`, its issuers, as `TLSSocket.getPeerCertificate`. */
  getPeerCertificate(detailed: boolean): PeerCertificate | undefined;
}

/** The part of a peer's certificate that is looked at here. */
export interface PeerCertificate {
  readonly raw?: Uint8Array;
  readonly issuerCertificate?: PeerCertificate;
}

/** The options of both sides of a handshake. */
export interface HandshakeOptions {
  readonly context: SecureContext;
  /** For ALPN, best first. */
  readonly protocols: readonly string[];
  readonly timeoutMs: number;
  /** For whom it is done: where many wait, clients take turns. */
  readonly client?: TurnClient | undefined;
}

/** Options that only a client's handshake has. */
export interface ClientHandshake extends HandshakeOptions {
  /** For SNI; undefined for an address, which SNI has no room for. */
  readonly serverName: string | undefined;
  /** A session to resume. */
  readonly session?: Buffer | undefined;
  /** Hears of every session that the server offers for resumption. */
  readonly onSession?: (session: Buffer) => void;
}

/** A handshake that came to nothing; `code` is the system's or TLS's own word for it. */
export class TlsError extends Error {
  readonly code: string;
  constructor(code: string, options?: ErrorOptions) {
    super(`the TLS handshake failed (${code})`, options);
    this.code = code;
  }
}

/** Codes of `TlsError` beside those of the system. */
export const TLS_TIMEOUT = "TIMEOUT";
/** The other side closed the connection in the middle of the handshake. */
export const TLS_CLOSED = "CLOSED";

/** Members of Bun's sockets that its types lack or get wrong. */
type NativeSocket = Omit<
  Socket<TcpStream | undefined>,
  "alpnProtocol" | "getSession" | "getPeerCertificate"
> & {
  readonly alpnProtocol: string | false | null | undefined;
  getSession(): Buffer | undefined;
  getPeerCertificate(isAbbreviated: boolean): PeerCertificate | undefined;
};

interface NativeTls {
  readonly secureContext: unknown;
  readonly ALPNProtocols: Buffer;
  readonly requestCert: boolean;
  readonly rejectUnauthorized: false;
  readonly serverName?: string;
}

/** Handshakes that begin in one turn of the loop: each costs more than a millisecond of the one thread. */
const PER_TURN = 4;

/** For whom a handshake is done. */
export interface TurnClient {
  readonly payer: string;
}

const TURNS = new FairTurns<TurnClient>(PER_TURN, (client) => client?.payer ?? "");

const secured = new WeakSet<ByteStream>();

/**
 * Whether TLS can be put on this connection: on TCP it can, on a connection that has TLS already, Bun's
 * sockets cannot.
 */
export function canUpgrade({ stream }: Channel): boolean {
  return stream instanceof TcpStream && !secured.has(stream);
}

/** Accepts TLS from the client behind `client`; the buffered part of its hello is used first. */
export function acceptTls(client: Channel, options: HandshakeOptions): Promise<SecureConnection> {
  const tls = { ...nativeTls(options), requestCert: false };
  return upgrade(client, { isServer: true, tls }, options);
}

/** Begins TLS on a TCP connection. Verifies nothing: that is for the caller, before the first byte is sent. */
export function upgradeTls(channel: Channel, options: ClientHandshake): Promise<SecureConnection> {
  return upgrade(channel, { isServer: false, tls: clientTls(options) }, options);
}

async function upgrade(
  channel: Channel,
  native: { readonly isServer: boolean; readonly tls: NativeTls },
  options: HandshakeOptions & Partial<ClientHandshake>,
): Promise<SecureConnection> {
  const { stream } = channel;
  if (!(stream instanceof TcpStream) || secured.has(stream))
    throw new TypeError("TLS goes on TCP connections only");
  if (!stream.hasSentAll) await channel.flushed();
  await TURNS.next(options.client);
  if (channel.isOver) throw new TlsError(TLS_CLOSED);
  const initialData = channel.read();
  channel.handOver(IGNORE);
  return new Promise((resolve, reject) => {
    const handshake = new Handshake(options, resolve, reject);
    const order = { ...native, data: undefined, socket: handshake.handlers };
    if (initialData.length > 0) Object.assign(order, { initialData });
    // Only answers can end with the connection; the requests of clients state their length.
    const tail = native.isServer ? undefined : new TlsTail();
    const socket = stream.surrender(tail);
    const [, secure] = socket.upgradeTLS(order as never) as unknown as [unknown, NativeSocket];
    const successor = handshake.streamOf(secure);
    if (tail) successor.watchedBy(tail);
    stream.becomes(successor);
  });
}

function nativeTls({ context, protocols }: HandshakeOptions): NativeTls {
  const names = protocols.flatMap((name) => [Buffer.of(name.length), Buffer.from(name, "latin1")]);
  return {
    secureContext: context.context,
    ALPNProtocols: Buffer.concat(names),
    requestCert: true,
    rejectUnauthorized: false,
  };
}

function clientTls(options: ClientHandshake): NativeTls {
  return { ...nativeTls(options), serverName: options.serverName ?? "" };
}

/** One handshake: settles once, and closes the connection when it comes to nothing. */
class Handshake {
  readonly handlers: SocketHandler<TcpStream | undefined>;
  readonly #carried: SocketHandler<TcpStream | undefined>;
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #reject: (error: TlsError) => void;
  #channel: Channel | undefined;
  #stream: TcpStream | undefined;
  #isSettled = false;

  constructor(
    { timeoutMs, session, onSession }: HandshakeOptions & Partial<ClientHandshake>,
    resolve: (connection: SecureConnection) => void,
    reject: (error: TlsError) => void,
  ) {
    this.#reject = reject;
    this.#timer = setTimeout(() => this.fail(new TlsError(TLS_TIMEOUT)), timeoutMs);
    const carried = TcpStream.handlers((stream) => {
      this.#stream = stream;
      secured.add(stream);
      // Before the handshake is done: octets right behind it must find their reader.
      this.#channel = new Channel(stream);
    });
    const handlers = {
      ...carried,
      open: (socket: NativeSocket) => {
        // The one moment at which Bun takes a session.
        if (session) socket.setSession(session);
        this.streamOf(socket);
      },
      handshake: (socket: NativeSocket, isDone: boolean, error: Error | null) => {
        if (!isDone && !hasCompleted(socket, error)) return this.fail(error);
        if (this.#isSettled) return;
        this.#settle();
        const channel = this.#channel ?? new Channel(this.streamOf(socket));
        resolve({ channel, protocol: socket.alpnProtocol || undefined, peer: peerOf(socket) });
      },
      session: (_socket: NativeSocket, offered: Buffer) => onSession?.(offered),
      error: (socket: NativeSocket, error: Error) => {
        this.fail(error);
        carried.error?.(socket as never, error);
      },
      close: (socket: NativeSocket, error?: Error) => {
        this.fail(error ?? new TlsError(TLS_CLOSED));
        carried.close?.(socket as never, error);
      },
    };
    this.handlers = handlers as unknown as SocketHandler<TcpStream | undefined>;
    this.#carried = carried;
  }

  /** The stream over the secure socket; the same however often it is asked for. */
  streamOf(socket: NativeSocket): TcpStream {
    if (this.#stream === undefined) this.#carried.open?.(socket as never);
    return this.#stream as unknown as TcpStream;
  }

  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#stream?.destroy();
    this.#reject(error instanceof TlsError ? error : new TlsError(codeOf(error), { cause: error }));
  }

  #settle(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
  }
}

/**
 * Whether a handshake that Bun calls failed was one: it also says so when its own check of the name does not pass,
 * and that is not its to judge. Of a handshake that broke off there is no session, or an error of the system's.
 */
function hasCompleted(socket: NativeSocket, error: Error | null): boolean {
  const { code = "" } = (error ?? {}) as NodeJS.ErrnoException;
  return socket.getSession() !== undefined && !/^E[A-Z]+$/.test(code);
}

function peerOf(socket: NativeSocket): TlsPeer {
  return {
    getSession: () => socket.getSession(),
    getPeerCertificate: (detailed) => socket.getPeerCertificate(!detailed),
  };
}

/** TLS's own word for a fault where there is one: Bun has it in the text of the error only. */
function codeOf(error: unknown): string {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  const inside = /OPENSSL_internal:(\w+)/.exec(message ?? "")?.[1];
  return inside ?? code ?? "unknown";
}
