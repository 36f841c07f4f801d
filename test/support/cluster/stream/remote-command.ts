// exec and attach over WebSocket (v5 and v4.channel.k8s.io) and over SPDY/3.1: both end as one set
// of streams.

import { ApiError, badRequest } from "../api-error.ts";
import { type ClusterRequest, fieldOf, listOf, type Reply } from "../http-connection.ts";
import { ByteQueue, type ByteStream } from "./byte-stream.ts";
import type { ExitStatus, ProcessStreams } from "./pod-runtime.ts";
import { type SpdyStream, serveSpdy } from "./spdy.ts";
import { acceptKey, WebSocketConnection } from "./websocket.ts";

/** Runs whatever the request is for, on the given streams. */
export type Session = (streams: ProcessStreams) => Promise<ExitStatus>;

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const CLOSE = 255;

/** Upgrades the connection as the client asks and runs the session; anything but an upgrade is a 400. */
export async function serveRemoteCommand(
  request: ClusterRequest,
  reply: Reply,
  query: URLSearchParams,
  session: Session,
): Promise<void> {
  const upgrade = fieldOf(request, "upgrade")?.toLowerCase();
  if (upgrade === "websocket") return overWebSocket(request, reply, query, session);
  if (upgrade === "spdy/3.1") return overSpdy(request, reply, query, session);
  throw badRequest("Upgrade request required");
}

/** The 101 of a WebSocket with the chosen subprotocol. */
export async function acceptWebSocket(
  request: ClusterRequest,
  reply: Reply,
  protocols: readonly string[],
): Promise<{ readonly socket: WebSocketConnection; readonly protocol: string }> {
  const offered = listOf(request, "sec-websocket-protocol");
  const protocol = protocols.find((candidate) => offered.includes(candidate));
  const key = fieldOf(request, "sec-websocket-key");
  if (protocol === undefined || key === undefined)
    throw new ApiError(400, "BadRequest", `unable to negotiate protocol: ${offered.join(", ")}`);
  const stream = await reply.upgrade({
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Accept": acceptKey(key),
    "Sec-WebSocket-Protocol": protocol,
  });
  return { socket: new WebSocketConnection(stream), protocol };
}

/** The 101 of SPDY with the chosen stream protocol. */
export async function acceptSpdy(
  request: ClusterRequest,
  reply: Reply,
  protocols: readonly string[],
): Promise<ByteStream> {
  const offered = listOf(request, "x-stream-protocol-version");
  const protocol = protocols.find((candidate) => offered.includes(candidate));
  if (protocol === undefined)
    throw new ApiError(
      403,
      "Forbidden",
      `unable to upgrade: no protocol in common with ${offered.join(", ")}`,
    );
  return reply.upgrade({
    Upgrade: "SPDY/3.1",
    Connection: "Upgrade",
    "X-Stream-Protocol-Version": protocol,
  });
}

async function overWebSocket(
  request: ClusterRequest,
  reply: Reply,
  query: URLSearchParams,
  session: Session,
): Promise<void> {
  const { socket, protocol } = await acceptWebSocket(request, reply, [
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
  ]);
  const stdin = new ByteQueue();
  void (async () => {
    for (let message = await socket.message(); message !== undefined; message = await socket.message()) {
      if (message[0] === STDIN) stdin.push(message.subarray(1));
      if (protocol === "v5.channel.k8s.io" && message[0] === CLOSE && message[1] === STDIN) stdin.end();
    }
    stdin.end();
  })();
  const send = (channel: number, bytes: Uint8Array) => socket.send(new Uint8Array([channel, ...bytes]));
  const status = await session({
    stdin: isAsked(query, "stdin") ? stdin : undefined,
    stdout: (bytes) => send(STDOUT, bytes),
    stderr: (bytes) => send(isAsked(query, "tty") ? STDOUT : STDERR, bytes),
    gone: socket.gone,
  });
  await send(ERROR, Buffer.from(JSON.stringify(exitStatus(status))));
  await socket.close();
}

async function overSpdy(
  request: ClusterRequest,
  reply: Reply,
  query: URLSearchParams,
  session: Session,
): Promise<void> {
  const wanted = new Set(["error", ...["stdin", "stdout", "stderr"].filter((name) => isAsked(query, name))]);
  if (isAsked(query, "tty")) wanted.delete("stderr");
  const stream = await acceptSpdy(request, reply, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
  const streams = new Map<string, SpdyStream>();
  await serveSpdy(stream, (opened) => {
    streams.set(opened.headers.get("streamtype") ?? "", opened);
    if ([...wanted].every((name) => streams.has(name)) && wanted.size > 0) {
      wanted.clear();
      void runOverSpdy(stream, streams, session);
    }
  });
}

async function runOverSpdy(
  connection: ByteStream,
  streams: ReadonlyMap<string, SpdyStream>,
  session: Session,
): Promise<void> {
  const stdout = streams.get("stdout");
  const status = await session({
    stdin: streams.get("stdin"),
    stdout: async (bytes) => stdout?.write(bytes),
    stderr: async (bytes) => (streams.get("stderr") ?? stdout)?.write(bytes),
    gone: connection.gone,
  });
  await streams.get("error")?.write(JSON.stringify(exitStatus(status)));
  for (const stream of streams.values()) stream.end();
}

function isAsked(query: URLSearchParams, name: string): boolean {
  return ["true", "1"].includes(query.get(name) ?? "");
}

// The error channel of protocol v4 and later carries one metav1.Status.
function exitStatus(status: ExitStatus): unknown {
  if ("problem" in status)
    return { metadata: {}, status: "Failure", reason: "InternalError", message: status.problem, code: 500 };
  if (status.code === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    reason: "NonZeroExitCode",
    message: `command terminated with non-zero exit code: exit status ${status.code}`,
    details: { causes: [{ reason: "ExitCode", message: String(status.code) }] },
  };
}
