// The proxy's listening socket. Owns how many connections there may be and what happens
// to them at shutdown; each one is connection.ts's affair.

import { openFileLimit } from "../../host/process/open-file-limit.ts";
import { UserError } from "../../model/user-error.ts";
import { parseAuthority } from "../../wire/http1/connect-request.ts";
import type { Gateway } from "../request/context.ts";
import type { Run } from "../request/runs.ts";
import { TcpStream } from "../stream/tcp-stream.ts";
import { serveConnection } from "./connection.ts";

/** A listening proxy. */
export interface Listener {
  /** host:port, with the port that the system chose when 0 was asked for. */
  readonly listen: string;
  readonly gateway: Gateway;
  /** Serves a connection that came by another way, as this run's. */
  serve(stream: TcpStream, run: Run): void;
  /**
   * Listens on another address from now on; connections that are open stay. Throws UserError when the address
   * cannot be had, and then nothing has changed. The address it was given last changes nothing.
   */
  rebind(address: string): void;
  /** Stops accepting, gives open connections a moment, closes them, resolves when all are gone. */
  close(): Promise<void>;
}

/** Above this many, new connections are closed at once: a leak or a flood must not take the descriptors that others need. */
const MAX_CONNECTIONS = 20_000;
/** Descriptors that connections leave to the pool, files and the control socket, or a quarter of all where those are few. */
const RESERVED_FILES = 600;
const WARN_EVERY_MS = 1_000;
/** What is under way at shutdown may finish within this time. */
const DRAIN_MS = 500;

/** Listens on `address` and serves the rest of the gateway on it. Throws UserError when the address cannot be had. */
export function startListener(address: string, parts: Omit<Gateway, "listen">): Listener {
  const open = new Map<TcpStream, Promise<void>>();
  const most = mostConnections(openFileLimit());
  let refused = 0;
  let warnedAt = Number.NEGATIVE_INFINITY;
  const refuse = (stream: TcpStream) => {
    stream.destroy();
    refused += 1;
    const now = performance.now();
    if (now - warnedAt < WARN_EVERY_MS) return;
    parts.log.warn("connections refused", { reason: `${most} are open`, connections: refused });
    warnedAt = now;
    refused = 0;
  };
  const accept = (stream: TcpStream, run?: Run) => {
    if (open.size >= most) return refuse(stream);
    open.set(
      stream,
      serveConnection(gateway, stream, run).finally(() => open.delete(stream)),
    );
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
      const drained = Promise.all(open.values());
      await Promise.race([drained, Bun.sleep(DRAIN_MS)]);
      for (const stream of open.keys()) stream.destroy();
      // A connection ends when both of its sides have; one whose upstream does not let go must not hold up the stop.
      await Promise.race([drained, Bun.sleep(DRAIN_MS)]);
    },
  };
}

/** Each connection may need a second descriptor for its upstream. Without any left, Bun's accept would spin and say nothing. */
function mostConnections(files: number | undefined): number {
  if (files === undefined) return MAX_CONNECTIONS;
  const reserved = Math.min(RESERVED_FILES, files / 4);
  return Math.max(1, Math.min(MAX_CONNECTIONS, Math.floor((files - reserved) / 2)));
}

function parseListen(address: string): { readonly host: string; readonly port: number } {
  // Port 0 asks the system for one; as a destination it would be malformed.
  if (address.endsWith(":0")) {
    const any = parseAuthority(`${address.slice(0, -2)}:1`);
    if (any) return { host: any.host, port: 0 };
  }
  const parsed = parseAuthority(address);
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

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
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
