// A vendor's API as clients see it: TLS with a CA of its own under the real names, HTTP/1.1 and
// HTTP/2, every request kept as it came. What is answered is a vendor's file's business; what
// nobody answers is a 404 that says so (clients try a 5xx again and again). Nothing here is shared
// with the gateway's own codecs.

import http2 from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { createAuthority } from "../cluster/authority.ts";
import { fieldOf, serveConnection } from "../cluster/http-connection.ts";
import { SocketStream } from "../cluster/stream/byte-stream.ts";

/** One request as it arrived. */
export interface StandInRequest {
  readonly version: "1.1" | "2";
  readonly method: string;
  /** Lower case, without port. */
  readonly host: string;
  /** The request target exactly as sent. */
  readonly target: string;
  /** The target up to its query, as sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** In order and case of arrival, without pseudo fields. */
  readonly headers: readonly (readonly [string, string])[];
  /** The body with HTTP's own framing removed and nothing else. */
  readonly body: Uint8Array;
}

/** A vendor's answer. */
export interface StandInReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A vendor's answers; undefined for what it does not know. */
export type Vendor = (
  request: StandInRequest,
) => StandInReply | undefined | Promise<StandInReply | undefined>;

/** A running stand-in. */
export interface StandIn extends AsyncDisposable {
  readonly port: number;
  readonly caPem: string;
  /** The names that its certificate is valid for. */
  readonly names: readonly string[];
  /** Everything that arrived, in order. */
  readonly requests: readonly StandInRequest[];
}

/** A JSON answer. */
export function json(value: unknown, status = 200): StandInReply {
  return {
    status,
    headers: { "Content-Type": "application/json; charset=utf-8" },
    body: JSON.stringify(value),
  };
}

/** First value of a request's field, any case. */
export function field(request: StandInRequest, name: string): string | undefined {
  return fieldOf(request, name);
}

/** The body as text. */
export function bodyText(request: StandInRequest): string {
  return Buffer.from(request.body).toString("utf8");
}

/** Starts a stand-in for these names (a leading `*.` counts as in certificates) that offers these HTTP versions. */
export async function startStandIn(
  names: readonly string[],
  vendor: Vendor,
  versions: readonly ("h2" | "http/1.1")[] = ["h2", "http/1.1"],
): Promise<StandIn> {
  const authority = createAuthority("stand-in");
  const { certPem: cert, keyPem: key } = authority.serverCertificate(names);
  const requests: StandInRequest[] = [];
  const sockets = new Set<Socket>();
  const answer = async (request: StandInRequest): Promise<StandInReply> => {
    requests.push(request);
    const { method, host, target } = request;
    const message = `the stand-in has no answer to ${method} https://${host}${target}`;
    return (await vendor(request)) ?? json({ message, error: { code: 404, message } }, 404);
  };
  const h2 = http2.createSecureServer({ cert, key });
  h2.on("stream", (stream, fields) => void serveStream(stream as http2.ServerHttp2Stream, fields, answer));
  h2.on("sessionError", () => {
    // The peer went away; its own test sees why.
  });
  const server = tls.createServer({ cert, key, ALPNProtocols: [...versions] }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    if (socket.alpnProtocol === "h2") h2.emit("secureConnection", socket);
    else void serveHttp1(socket, answer);
  });
  server.on("tlsClientError", () => {
    // A client that does not trust this CA; its own test sees why.
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    caPem: authority.caPem,
    names,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Answer = (request: StandInRequest) => Promise<StandInReply>;

function serveHttp1(socket: TLSSocket, answer: Answer): Promise<void> {
  return serveConnection(new SocketStream(socket), socket.remotePort ?? 0, async (request, reply) => {
    const { method, target, headers, body } = request;
    const authority = fieldOf(request, "host") ?? "";
    const {
      status,
      body: sent = "",
      headers: fields,
    } = await answer({
      ...placeOf(authority, target),
      version: "1.1",
      method,
      headers,
      body,
    });
    await reply.send(status, sent, fields);
  });
}

async function serveStream(
  stream: http2.ServerHttp2Stream,
  fields: http2.IncomingHttpHeaders,
  answer: Answer,
): Promise<void> {
  stream.on("error", () => {
    // Reset by the client; its own test sees why.
  });
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  const headers = Object.entries(fields)
    .filter(([name]) => !name.startsWith(":"))
    .map(([name, value]) => [name, String(value)] as const);
  const {
    status,
    headers: more = {},
    body = "",
  } = await answer({
    ...placeOf(String(fields[":authority"]), String(fields[":path"])),
    version: "2",
    method: String(fields[":method"]),
    headers,
    body: new Uint8Array(Buffer.concat(pieces)),
  });
  if (stream.destroyed) return;
  const lower = Object.fromEntries(Object.entries(more).map(([name, value]) => [name.toLowerCase(), value]));
  stream.respond({ ":status": status, ...lower });
  stream.end(body);
}

function placeOf(
  authority: string,
  target: string,
): Pick<StandInRequest, "host" | "target" | "path" | "query"> {
  const [path = "", query = ""] = target.split(/\?(.*)/s);
  const host = authority.replace(/:\d+$/, "").toLowerCase();
  return { host, target, path, query: new URLSearchParams(query) };
}
