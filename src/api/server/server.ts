// The daemon's end of the control socket: strict HTTP/1.1 on node:net, one request a connection
// (answer-call.ts). Not on Bun.serve or node:http, which do not tell who the peer is. Owns the
// socket file, who may connect, and how many.

import { chmod, chown, lstat, rename, unlink } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { UserError } from "../../model/user-error.ts";
import type { Gate } from "../gate.ts";
import type { ControlHandlers } from "../handlers.ts";
import type { ControlMethod } from "../methods.ts";
import { type PeerRun, socketPrincipal } from "../principal.ts";
import { answerCall } from "./answer-call.ts";
import { peerOf } from "./peer.ts";
import { Seats } from "./seats.ts";
import { answers, removeIfSame } from "./socket-file.ts";

/** sun_path holds 104 bytes on macOS and 108 on Linux, with the final NUL and our suffix. */
const MAX_SOCKET_PATH_BYTES = 99;

/** The options of `serveControl`. */
export interface ControlServerOptions {
  /** Says whether a person is present, for the methods that need one. */
  readonly gate: Gate;
  /** Mode of the socket file; 0600 unless given. */
  readonly mode?: number;
  /** The user, by number, to whom the socket file is given; ours unless given. */
  readonly owner?: number;
  /** The run that a process belongs to; asked as soon as it connects, while the process is surely there. */
  readonly runOf?: (pid: number | undefined) => PeerRun | Promise<PeerRun>;
  /** Connections at once, streams and calls together; 512. */
  readonly maxConnections?: number;
  /** Told why connections are refused, at most once a second. */
  readonly onRefused?: (reason: string) => void;
  /** Told about failures that are the daemon's own fault; the client sees their message only. */
  readonly onError?: (error: unknown, method: ControlMethod) => void;
}

/** The running server. */
export interface ControlServer {
  /** Ends open streams, removes the socket file if it is still this server's, and resolves when closed. */
  close(): Promise<void>;
}

/** Serves the control methods. A socket file that nothing answers on is replaced; one that answers is a UserError. */
export async function serveControl(
  socketPath: string,
  handlers: ControlHandlers,
  options: ControlServerOptions,
): Promise<ControlServer> {
  await checkPath(socketPath, options.owner);
  const open = new Set<Socket>();
  const stopping = new AbortController();
  const seats = new Seats(options);
  const server = createServer((socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    serveConnection(socket, handlers, options, stopping.signal, seats);
  });
  // Bound under another name and renamed: nobody finds the socket before it has its mode, and a
  // stale file is replaced in one step.
  const fresh = `${socketPath}.new`;
  await unlink(fresh).catch(() => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(fresh, resolve);
  });
  await chmod(fresh, options.mode ?? 0o600);
  if (options.owner !== undefined) await chown(fresh, options.owner, process.getgid?.() ?? 0);
  const { ino } = await lstat(fresh);
  await rename(fresh, socketPath);
  return {
    close: async () => {
      stopping.abort();
      await removeIfSame(socketPath, ino);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of open) socket.end();
      const late = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, 500);
      await closed;
      clearTimeout(late);
    },
  };
}

async function checkPath(socketPath: string, owner: number | undefined): Promise<void> {
  const length = Buffer.byteLength(socketPath);
  if (length > MAX_SOCKET_PATH_BYTES) {
    throw new UserError(
      `the socket path '${socketPath}' has ${length} bytes, the system allows ${MAX_SOCKET_PATH_BYTES}`,
      { hint: "set IDDIO_HOME to a shorter path" },
    );
  }
  const file = await lstat(socketPath).catch(() => undefined);
  if (file === undefined) return;
  if (!file.isSocket()) {
    throw new UserError(`'${socketPath}' is there and is not a socket`, {
      hint: `move it away: mv ${socketPath} ${socketPath}.old`,
    });
  }
  // A file that was given away refuses even root without its usual powers: then nobody could tell that it is stale.
  if (owner !== undefined) await chown(socketPath, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  if (await answers(socketPath)) {
    throw new UserError(`another daemon answers on '${socketPath}'`, { hint: "see it with: iddio status" });
  }
}

function serveConnection(
  socket: Socket,
  handlers: ControlHandlers,
  options: ControlServerOptions,
  stopping: AbortSignal,
  seats: Seats,
): void {
  const peer = peerBehind(socket);
  const owner = options.owner ?? process.getuid?.();
  const run = Promise.resolve(options.runOf?.(peer.pid)).catch((): PeerRun => "unknown");
  const seat = seats.sit(socket, socketPrincipal(peer, owner));
  if (seat === undefined) return;
  answerCall(socket, {
    handlers,
    gate: options.gate,
    caller: async () => socketPrincipal(peer, owner, await run),
    stopping,
    stream: () => seat.stream(),
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  });
}

function peerBehind(socket: Socket): { readonly uid?: number; readonly pid?: number } {
  // The descriptor is not public API of node:net; without it the caller stays unknown.
  const fd = (socket as unknown as { _handle?: { fd?: unknown } })._handle?.fd;
  return typeof fd === "number" && fd >= 0 ? peerOf(fd) : {};
}
