// Port-forward: SPDY streams in pairs, on an upgraded connection or tunnelled through a WebSocket.

import { badRequest } from "../api-error.ts";
import { type ClusterRequest, fieldOf, type Reply } from "../http-connection.ts";
import type { ByteStream } from "./byte-stream.ts";
import type { PortHandler } from "./pod-runtime.ts";
import { acceptSpdy, acceptWebSocket } from "./remote-command.ts";
import { type SpdyStream, serveSpdy } from "./spdy.ts";
import { tunnel } from "./websocket.ts";

const PROTOCOL = "portforward.k8s.io";

/** Upgrades and serves every forwarded connection with the handler of its port. */
export async function servePortForward(
  request: ClusterRequest,
  reply: Reply,
  handlerOf: (port: number) => PortHandler,
): Promise<void> {
  const stream = await upgrade(request, reply);
  const pairs = new Map<string, { data?: SpdyStream; error?: SpdyStream }>();
  await serveSpdy(stream, (opened) => {
    const id = opened.headers.get("requestid") ?? "";
    const pair = pairs.get(id) ?? {};
    pairs.set(id, pair);
    if (opened.headers.get("streamtype") === "data") pair.data = opened;
    else pair.error = opened;
    if (pair.data === undefined || pair.error === undefined) return;
    void forward(pair.data, pair.error, handlerOf(Number(pair.data.headers.get("port"))));
  });
}

async function upgrade(request: ClusterRequest, reply: Reply): Promise<ByteStream> {
  const wanted = fieldOf(request, "upgrade")?.toLowerCase();
  if (wanted === "spdy/3.1") return acceptSpdy(request, reply, [PROTOCOL]);
  if (wanted !== "websocket") throw badRequest("Upgrade request required");
  const { socket } = await acceptWebSocket(request, reply, [`SPDY/3.1+${PROTOCOL}`]);
  return tunnel(socket);
}

async function forward(data: SpdyStream, error: SpdyStream, handler: PortHandler): Promise<void> {
  try {
    await handler(data);
  } catch (problem) {
    await error.write(`error forwarding port: ${String(problem)}`);
  }
  data.end();
  error.end();
}
