// The proxy's listening socket. Owns how many connections there may be and what happens
// to them at shutdown; each one is connection.ts's affair.

import type { HandedOver } from "../../host/sandbox/handed-over.ts";
import { UserError } from "../../model/user-error.ts";
import { bracketed } from "../../text/host-port.ts";
import { parseListenAddress } from "../../wire/http1/connect-request.ts";
import { ClientOwner } from "../request/client-owner.ts";
import type { Gateway } from "../request/context.ts";
import type { Run } from "../request/runs/runs.ts";
import { LOOP_TIME } from "../stream/loop-clock.ts";
import { Shares } from "../stream/shares.ts";
import { TcpStream } from "../stream/tcp-stream.ts";
import { serveConnection } from "./connection.ts";

/** A listening proxy. */
export interface Listener {
  /** host:port, with the port that the system chose when 0 was asked for. */
  readonly listen: string;
  readonly gateway: Gateway;
  /** Serves a connection that came by another way, as this run's. */
  serve(stream: TcpStream, run: Run, handedOver?: HandedOver): void;
  /**
   * Listens on another address from now on; connections that are open stay. Throws UserError when the address
   * cannot be had, and then nothing has changed. The address it was given last changes nothing.
   */
  rebind(address: string): void;
  /** Stops accepting, gives open connections a moment, closes them, resolves when all are gone. */
  close(): Promise<void>;
}

/** One client may have so much of the connections; the rest is for anyone who comes next. */
const CLIENT_PART = 0.6;
/** From this part of the bound on, processes are told apart: before that nobody is short of anything. */
const CROWDED_PART = 0.2;
/** A connection that said nothing for so long gives way to a new one of somebody else. */
const SILENT_MS = 5_000;
const WARN_EVERY_MS = 1_000;
/** At shutdown, requests that are under way get this long to finish. */
const DRAIN_MS = 500;

/** Listens on `address` and serves the rest of the gateway on it. Throws UserError when the address cannot be had. */
export function startListener(address: string, parts: Omit<Gateway, "listen">): Listener {
  const open = new Map<TcpStream, Accepted>();
  const { descriptors } = parts;
  const most = descriptors.connections;
  const shares = new Shares(most, CLIENT_PART);
  let refused = 0;
  let warnedAt = Number.NEGATIVE_INFINITY;
  const refuse = (stream: TcpStream, reason: string, caught: string | undefined) => {
    if (caught === undefined) stream.write(UNAVAILABLE);
    stream.hangUp();
    refused += 1;
    const now = performance.now();
    if (now - warnedAt < WARN_EVERY_MS) return;
    parts.log.warn("connections refused", { reason, connections: refused });
    warnedAt = now;
    refused = 0;
  };
  const accept = (stream: TcpStream, run?: Run, { caught, inode }: HandedOver = {}) => {
    const owner = new ClientOwner(stream.remote, stream.local, parts.processes, run && { run, inode });
    if (open.size >= most * CROWDED_PART) owner.lookUpProcess();
    const payer = owner.payer;
    let problem = shares.take(payer);
    if (problem === "full" && giveWay(open, shares, payer)) problem = shares.take(payer);
    if (problem !== undefined)
      return refuse(
        stream,
        problem === "full" ? `${most} are open` : `${shares.of(payer)} are open for ${payer}`,
        caught,
      );
    // A descriptor more or less is in the set-aside ones: the accepted connection is open already.
    const charged = descriptors.take(payer) === undefined;
    const accepted: Accepted = {
      payer,
      owner,
      isCharged: charged,
      hasGivenWay: false,
      done: Promise.resolve(),
    };
    if (charged) stream.onceGone(() => descriptors.give(accepted.payer));
    open.set(stream, accepted);
    owner.onProcess(() => rename(accepted));
    accepted.done = serveConnection(gateway, stream, owner, caught).finally(() => {
      open.delete(stream);
      if (!accepted.hasGivenWay) shares.give(accepted.payer);
    });
  };
  /** Its process is known now, and its connections count for that. */
  const rename = (accepted: Accepted) => {
    const { payer } = accepted.owner;
    if (payer === accepted.payer || accepted.hasGivenWay) return;
    shares.move(accepted.payer, payer);
    if (accepted.isCharged) descriptors.move(accepted.payer, payer);
    accepted.payer = payer;
  };
  let bound = bind(address, accept);
  const gateway: Gateway = {
    ...parts,
    get listen() {
      return bound;
    },
  };
  return {
    get listen() {
      return `${bracketed(bound.host)}:${bound.port}`;
    },
    gateway,
    serve: accept,
    rebind(next) {
      if (next === bound.address) return;
      const { port } = parseListen(next);
      const previous = bound;
      // Another address with the same port can only be had once the old one is given up.
      if (port === previous.port) previous.server.stop(false);
      try {
        bound = bind(next, accept);
      } catch (error) {
        if (port === previous.port)
          bound = { ...bind(`${bracketed(previous.host)}:${port}`, accept), address: previous.address };
        throw error;
      }
      if (port !== previous.port) previous.server.stop(false);
    },
    async close() {
      bound.server.stop(false);
      const drained = Promise.all([...open.values()].map(({ done }) => done));
      await Promise.race([drained, Bun.sleep(DRAIN_MS)]);
      for (const stream of open.keys()) stream.destroy();
      // A connection ends when both of its sides have; one whose upstream does not let go must not hold up the stop.
      await Promise.race([drained, Bun.sleep(DRAIN_MS)]);
    },
  };
}

/** A client's connection and whose share it counts for. */
interface Accepted {
  payer: string;
  readonly owner: ClientOwner;
  readonly isCharged: boolean;
  /** It gave way: its share is given back already. */
  hasGivenWay: boolean;
  done: Promise<void>;
}

const UNAVAILABLE = new TextEncoder().encode(
  "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
);

/** Closes the connection of the client with most of them that has been silent longest. False: there is none. */
function giveWay(open: ReadonlyMap<TcpStream, Accepted>, shares: Shares, newcomer: string): boolean {
  const { heaviest } = shares;
  if (heaviest === undefined || heaviest === newcomer) return false;
  let oldest: TcpStream | undefined;
  for (const [stream, { payer, hasGivenWay }] of open)
    if (payer === heaviest && !hasGivenWay && (oldest === undefined || stream.receivedMs < oldest.receivedMs))
      oldest = stream;
  const accepted = oldest && open.get(oldest);
  if (!oldest || !accepted || LOOP_TIME.nowMs - oldest.receivedMs < SILENT_MS) return false;
  accepted.hasGivenWay = true;
  shares.give(heaviest);
  oldest.destroy();
  return true;
}

function parseListen(address: string): { readonly host: string; readonly port: number } {
  // Port 0 asks the system for one; as a destination it would be malformed.
  if (address.endsWith(":0")) {
    const any = parseListenAddress(`${address.slice(0, -2)}:1`);
    if (any) return { host: any.host, port: 0 };
  }
  const parsed = parseListenAddress(address);
  if (parsed) return parsed;
  throw new UserError(`'${address}' is not an address to listen on`, {
    hint: "set proxy_listen to host:port in settings.yaml, e.g. 127.0.0.1:9443",
  });
}

interface Bound {
  /** As it was asked for. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly server: { stop(closeActiveConnections?: boolean): void };
}

function bind(address: string, accept: (stream: TcpStream) => void): Bound {
  const wanted = parseListen(address);
  const server = listen(wanted, accept);
  return { address, host: wanted.host, port: server.port, server };
}

function listen(
  wanted: { readonly host: string; readonly port: number },
  accept: (stream: TcpStream) => void,
) {
  const isLocal = /^(?:127\.|::1$|localhost$)/.test(wanted.host);
  try {
    return Bun.listen({
      hostname: wanted.host,
      port: wanted.port,
      allowHalfOpen: true,
      data: undefined,
      socket: TcpStream.handlers((stream) => {
        // A client on this machine cannot vanish without its kernel's noticing.
        if (!isLocal) stream.keepAlive();
        accept(stream);
      }),
    });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const where = `${wanted.host}:${wanted.port}`;
    if (code === "EADDRINUSE")
      throw new UserError(`${where} is already in use`, {
        hint: "stop what listens there, or set another proxy_listen in settings.yaml",
        cause: error,
      });
    throw new UserError(`cannot listen on ${where} (${code ?? "unknown error"})`, {
      hint: "set proxy_listen in settings.yaml to an address of this machine",
      cause: error,
    });
  }
}
