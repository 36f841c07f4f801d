// A small HTTP/1.1 server side on a ByteStream, independent of the gateway's own codec so that a
// mistake there cannot hide here. It keeps every request's bytes as they came: what reached the
// cluster is what tests look at.

import { type ByteStream, joinBytes, type SocketStream } from "./stream/byte-stream.ts";

/** One request as it arrived. */
export interface ClusterRequest {
  readonly method: string;
  /** The request target exactly as sent. */
  readonly target: string;
  readonly version: string;
  /** In order and case of arrival. */
  readonly headers: readonly (readonly [string, string])[];
  /** The head's bytes, blank line included. */
  readonly head: Uint8Array;
  /** The body with its framing removed; empty for upgrades. */
  readonly body: Uint8Array;
  /** The port that the peer connected from: tells connections apart. */
  readonly remotePort: number;
}

/** First value of a field, any case. */
export function fieldOf(request: { headers: ClusterRequest["headers"] }, name: string): string | undefined {
  return request.headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

/** All values of a field, commas split. */
export function listOf(request: { headers: ClusterRequest["headers"] }, name: string): string[] {
  return request.headers
    .filter(([key]) => key.toLowerCase() === name.toLowerCase())
    .flatMap(([, value]) => value.split(","))
    .map((value) => value.trim());
}

/** How a handler answers; exactly one of the first three is called, once. */
export interface Reply {
  /** A complete response. */
  send(status: number, body: Uint8Array | string, headers?: Readonly<Record<string, string>>): Promise<void>;
  /** A chunked response; each write is flushed at once. Call `end` when done. */
  stream(status: number, headers?: Readonly<Record<string, string>>): Promise<ChunkedBody>;
  /** Answers 101 and hands over the connection; HTTP ends here. */
  upgrade(headers: Readonly<Record<string, string>>): Promise<ByteStream>;
  /** Aborted when the client has gone. */
  readonly gone: AbortSignal;
}

/** The body of a streamed response. */
export interface ChunkedBody {
  write(bytes: Uint8Array | string): Promise<void>;
  end(): Promise<void>;
}

/** Answers one request. */
export type Handler = (request: ClusterRequest, reply: Reply) => Promise<void>;

const REASONS: Readonly<Record<number, string>> = {
  101: "Switching Protocols",
  200: "OK",
  201: "Created",
  202: "Accepted",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  409: "Conflict",
  410: "Gone",
  415: "Unsupported Media Type",
  422: "Unprocessable Entity",
  500: "Internal Server Error",
};

/** Serves requests on one connection until either side ends it. */
export async function serveConnection(
  stream: SocketStream,
  remotePort: number,
  handler: Handler,
): Promise<void> {
  for (;;) {
    const head = await readHead(stream);
    if (head === undefined) return stream.end();
    const parsed = parseHead(head);
    if (parsed === undefined) {
      await stream.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return stream.end();
    }
    if (fieldOf(parsed, "expect")?.toLowerCase() === "100-continue")
      await stream.write("HTTP/1.1 100 Continue\r\n\r\n");
    const body = await readBody(stream, parsed.headers);
    if (body === undefined) return stream.destroy();
    const reply = new ConnectionReply(stream, parsed.method);
    await handler({ ...parsed, head, body, remotePort }, reply);
    if (reply.upgraded) return;
    if (fieldOf(parsed, "connection")?.toLowerCase() === "close") return stream.end();
  }
}

async function readHead(stream: SocketStream): Promise<Uint8Array | undefined> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const end = bytes.indexOf("\r\n\r\n");
    if (end >= 0) {
      stream.unread(new Uint8Array(bytes.subarray(end + 4)));
      return new Uint8Array(bytes.subarray(0, end + 4));
    }
    const more = await stream.read();
    if (more === undefined) return undefined;
    bytes = Buffer.concat([bytes, more]);
  }
}

function parseHead(
  head: Uint8Array,
): Pick<ClusterRequest, "method" | "target" | "version" | "headers"> | undefined {
  const [requestLine = "", ...lines] = Buffer.from(head).toString("latin1").split("\r\n").slice(0, -2);
  const [method, target, version] = requestLine.split(" ");
  if (method === undefined || target === undefined || version === undefined) return undefined;
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  return { method, target, version, headers };
}

async function readBody(
  stream: SocketStream,
  headers: ClusterRequest["headers"],
): Promise<Uint8Array | undefined> {
  if (listOf({ headers }, "transfer-encoding").includes("chunked")) return readChunked(stream);
  return readExactly(stream, Number(fieldOf({ headers }, "content-length") ?? 0));
}

async function readExactly(stream: SocketStream, length: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let missing = length;
  while (missing > 0) {
    const bytes = await stream.read();
    if (bytes === undefined) return undefined;
    chunks.push(bytes.subarray(0, missing));
    stream.unread(bytes.subarray(missing));
    missing -= Math.min(missing, bytes.length);
  }
  return joinBytes(chunks);
}

async function readLine(stream: SocketStream): Promise<string | undefined> {
  const line: number[] = [];
  for (;;) {
    const bytes = await stream.read();
    if (bytes === undefined) return undefined;
    const end = bytes.indexOf(0x0a);
    if (end < 0) {
      line.push(...bytes);
      continue;
    }
    line.push(...bytes.subarray(0, end));
    stream.unread(bytes.subarray(end + 1));
    return Buffer.from(line).toString("latin1").trimEnd();
  }
}

async function readChunked(stream: SocketStream): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const size = await readLine(stream);
    if (size === undefined) return undefined;
    const length = Number.parseInt(size, 16);
    if (length > 0) {
      const data = await readExactly(stream, length);
      if (data === undefined) return undefined;
      chunks.push(data);
      await readLine(stream);
      continue;
    }
    for (;;) {
      const trailer = await readLine(stream);
      if (trailer === undefined) return undefined;
      if (trailer === "") return joinBytes(chunks);
    }
  }
}

class ConnectionReply implements Reply {
  upgraded = false;
  readonly #stream: SocketStream;
  readonly #method: string;

  constructor(stream: SocketStream, method: string) {
    this.#stream = stream;
    this.#method = method;
  }

  get gone(): AbortSignal {
    return this.#stream.gone;
  }

  async send(
    status: number,
    body: Uint8Array | string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    const head = headText(status, { ...headers, "Content-Length": String(bytes.length) });
    await this.#stream.write(
      this.#method === "HEAD" ? head : joinBytes([Buffer.from(head), bytes as Uint8Array]),
    );
  }

  async stream(status: number, headers: Readonly<Record<string, string>> = {}): Promise<ChunkedBody> {
    const stream = this.#stream;
    await stream.write(headText(status, { ...headers, "Transfer-Encoding": "chunked" }));
    return {
      async write(data) {
        const bytes = Buffer.from(data);
        if (bytes.length === 0) return;
        await stream.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]));
      },
      end: () => stream.write("0\r\n\r\n"),
    };
  }

  async upgrade(headers: Readonly<Record<string, string>>): Promise<ByteStream> {
    this.upgraded = true;
    await this.#stream.write(headText(101, headers));
    return this.#stream;
  }
}

const CRLF = Buffer.from("\r\n");

function headText(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries({ ...(status === 101 ? {} : { Date: new Date().toUTCString() }), ...headers });
  return `HTTP/1.1 ${status} ${REASONS[status] ?? "Status"}\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join("")}\r\n`;
}
