// The daemon's end of the control socket: strict HTTP/1.1 on node:net, one request a connection.
// Not on Bun.serve or node:http, which do not tell who the peer is. It must not know what the
// methods do. Every request is bounded in size and time; an answer is always JSON.

import { chmod, chown, lstat, rename, unlink } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import type { Header } from "../model/request.ts";
import { UserError } from "../model/user-error.ts";
import { errorCode } from "../state/files.ts";
import { serialiseResponseHead } from "../wire/http1/head.ts";
import { admit } from "./admit.ts";
import { valueProblem } from "./check-value.ts";
import { type Gate, PresenceNeeded } from "./gate.ts";
import type { ControlHandlers } from "./handlers.ts";
import { type CallMethod, type ControlMethod, entryOf, type StreamMethod } from "./methods.ts";
import { peerOf } from "./peer.ts";
import { type PeerRun, type Principal, socketPrincipal } from "./principal.ts";
import { type ReadRequest, RequestReader } from "./request-reader.ts";
import { type Seat, Seats } from "./seats.ts";
import { answers, removeIfSame } from "./socket-file.ts";
import { streamRows } from "./stream-rows.ts";

const REQUEST_TIMEOUT_MS = 10_000;
/** sun_path holds 104 bytes on macOS and 108 on Linux, with the final NUL and our suffix. */
const MAX_SOCKET_PATH_BYTES = 99;

/** What the caller of `serveControl` may set. */
export interface ControlServerOptions {
  /** Says whether a person is present, for the methods that need one. */
  readonly gate: Gate;
  /** Mode of the socket file; 0600 unless told. */
  readonly mode?: number;
  /** The user, by number, to whom the socket file is given; ours unless told. */
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
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, stopping]);
  // From the first byte to the last: a request that trickles has no longer than one that is whole.
  const deadline = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
  // A reset peer is no event of the daemon's: the close that follows is what counts.
  socket.on("error", () => undefined);
  socket.on("close", () => {
    clearTimeout(deadline);
    gone.abort();
  });
  const reader = new RequestReader();
  socket.on("data", (chunk: Buffer) => {
    const read = reader.push(chunk);
    if (read === undefined) return;
    clearTimeout(deadline);
    if ("problem" in read) return reply(socket, read.status, { error: read.problem, code: read.code });
    const answered = async () => {
      const caller = socketPrincipal(peer, owner, await run);
      await answer(socket, read, handlers, { caller, gate: options.gate }, signal, seat);
    };
    answered().catch((error: unknown) => {
      if (!(error instanceof UserError)) options.onError?.(error, read.method);
      replyError(socket, error);
    });
  });
}

function peerBehind(socket: Socket): { readonly uid?: number; readonly pid?: number } {
  // The descriptor is not public API of node:net; without it the caller stays unknown.
  const fd = (socket as unknown as { _handle?: { fd?: unknown } })._handle?.fd;
  return typeof fd === "number" && fd >= 0 ? peerOf(fd) : {};
}

function isStream(method: ControlMethod): method is StreamMethod {
  return entryOf(method).isStream === true;
}

async function answer(
  socket: Socket,
  request: ReadRequest,
  handlers: ControlHandlers,
  who: { readonly caller: Principal; readonly gate: Gate },
  signal: AbortSignal,
  seat: Seat,
): Promise<void> {
  const { method, input } = request;
  const caller = await admit({ ...request, entry: entryOf(method), caller: who.caller }, who.gate);
  if (isStream(method)) {
    const problem = seat.stream();
    if (problem !== undefined) return reply(socket, 503, { error: problem, code: "busy" });
    await streamRows(socket, signal, (sink) => handlers[method](input as never, caller, sink));
    return;
  }
  const handler = handlers[method] as ControlHandlers[CallMethod];
  const output = await handler(input as never, caller);
  const problem = valueProblem(entryOf(method).output, output, "strict");
  if (problem !== undefined)
    throw new TypeError(`the answer to ${method} is not what the table says: ${problem}`);
  reply(socket, 200, output);
}

function replyError(socket: Socket, error: unknown): void {
  if (error instanceof UserError) {
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    const isHeld = error.code === "needs-presence" || error.code === "not-permitted";
    const question = error instanceof PresenceNeeded ? error.question : undefined;
    reply(socket, isHeld ? 403 : error.exitCode === 2 ? 400 : 409, {
      error: error.message,
      ...hint,
      ...(question === undefined ? {} : { presence: question }),
      exit_code: error.exitCode,
      ...(error.code === undefined ? {} : { code: error.code }),
    });
    return;
  }
  if (isDiskFull(error)) {
    reply(socket, 507, {
      error: "the state directory cannot be written: the disk is full (ENOSPC)",
      hint: "make room on that disk and try again; what was there before is untouched",
    });
    return;
  }
  reply(socket, 500, {
    error: `the daemon failed: ${error instanceof Error ? error.message : String(error)}`,
  });
}

/** Files say it by the system's codes, the database by its own. */
function isDiskFull(error: unknown): boolean {
  return /^(?:ENOSPC|EDQUOT|SQLITE_FULL)$/.test(errorCode(error) ?? "");
}

function reply(socket: Socket, status: number, value: unknown): void {
  if (socket.destroyed || socket.writableEnded) return;
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  const headers: Header[] = [
    ["content-type", "application/json"],
    ["content-length", String(body.length)],
    ["connection", "close"],
  ];
  // A caller that never reads its answer does not keep the connection.
  socket.setTimeout(REQUEST_TIMEOUT_MS, () => socket.destroy());
  socket.write(serialiseResponseHead({ status, statusText: "", headers }));
  socket.end(body);
}
