// One connection of the control API from its first byte to its answer, whatever carries it: the
// control socket's, or one that an agent's bridge handed over. One request a connection; an answer
// is always JSON. It must not know single methods.

import type { Duplex } from "node:stream";
import type { Header } from "../../model/request.ts";
import { UserError } from "../../model/user-error.ts";
import { serialiseResponseHead } from "../../wire/http1/head.ts";
import { errorReply } from "../error-reply.ts";
import type { Gate } from "../gate.ts";
import { type ControlHandlers, callHandler, isStream } from "../handlers.ts";
import { type ControlMethod, entryOf } from "../methods.ts";
import type { Principal } from "../principal.ts";
import { IncomingRows } from "../rows/incoming-rows.ts";
import { admit } from "./admit.ts";
import { type ReadRequest, RequestReader } from "./request-reader.ts";
import { streamRows } from "./stream-rows.ts";

const REQUEST_TIMEOUT_MS = 10_000;

/** The server's parts behind a connection. */
export interface CallParts {
  readonly handlers: ControlHandlers;
  readonly gate: Gate;
  /** Who is at the other end. */
  readonly caller: () => Principal | Promise<Principal>;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
  /** Called when the connection becomes a stream; returns the reason when there are too many streams, else undefined. */
  readonly stream?: () => string | undefined;
  /** Told about failures that are the daemon's own fault; the client sees their message only. */
  readonly onError?: (error: unknown, method: ControlMethod) => void;
}

/** Reads one request and answers it; the connection then ends. */
export function answerCall(socket: Duplex, parts: CallParts): void {
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, parts.stopping]);
  // From the first byte to the last: a request that trickles has no longer than one that is whole.
  const deadline = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
  // A reset peer is no event of the daemon's: the close that follows is what counts.
  socket.on("error", () => undefined);
  socket.on("close", () => {
    clearTimeout(deadline);
    gone.abort();
  });
  const reader = new RequestReader();
  let incoming: IncomingRows | undefined;
  socket.on("data", (chunk: Buffer) => {
    if (incoming !== undefined) {
      incoming.push(chunk);
      return;
    }
    const read = reader.push(chunk);
    if (read === undefined) return;
    clearTimeout(deadline);
    if ("problem" in read) return reply(socket, read.status, { error: read.problem, code: read.code });
    const { rows } = entryOf(read.method);
    if (rows !== undefined) incoming = new IncomingRows(socket, rows);
    answer(socket, read, parts, signal, incoming).catch((error: unknown) => {
      if (!(error instanceof UserError)) parts.onError?.(error, read.method);
      const { status, value } = errorReply(error);
      reply(socket, status, value);
    });
  });
}

async function answer(
  socket: Duplex,
  request: ReadRequest,
  { handlers, gate, caller: who, stream }: CallParts,
  signal: AbortSignal,
  incoming: IncomingRows | undefined,
): Promise<void> {
  const { method, input } = request;
  const caller = await admit({ ...request, entry: entryOf(method), caller: await who() }, gate);
  if (isStream(method)) {
    const problem = stream?.();
    if (problem !== undefined) return reply(socket, 503, { error: problem, code: "busy" });
    await streamRows(socket, signal, (sink) => handlers[method](input as never, caller, sink), incoming);
    return;
  }
  reply(socket, 200, await callHandler(handlers, method, input, caller));
}

function reply(socket: Duplex, status: number, value: unknown): void {
  if (socket.destroyed || socket.writableEnded) return;
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  const headers: Header[] = [
    ["content-type", "application/json"],
    ["content-length", String(body.length)],
    ["connection", "close"],
  ];
  // A caller that never reads its answer does not keep the connection.
  const late = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
  socket.once("close", () => clearTimeout(late));
  socket.write(serialiseResponseHead({ status, statusText: "", headers }));
  socket.end(body);
}
