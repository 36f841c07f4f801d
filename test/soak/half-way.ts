// Connections that are dropped at a stage of their choice, from before the CONNECT to the middle of
// a body.

import type { Socket } from "bun";
import { openClient } from "./client/socket.ts";

/** Every stage, in the order of a connection's life. */
export const STAGES = [
  "before CONNECT",
  "mid-CONNECT",
  "after 200",
  "mid-hello",
  "mid-handshake",
  "after handshake",
  "mid-head",
  "mid-body",
] as const;

/** One of them. */
export type Stage = (typeof STAGES)[number];

/** Where the connections go. */
export interface HalfWay {
  readonly proxyPort: number;
  readonly authority: string;
  readonly caPem: string;
  /** A whole TLS hello. */
  readonly hello: Buffer;
}

/** Opens a connection, gets to the stage and drops it; in order, or with `isRude` at once. */
export async function dropAt(stage: Stage, to: HalfWay, isRude: boolean): Promise<void> {
  if (stage === "after handshake" || stage === "mid-head" || stage === "mid-body") {
    const client = await openClient(to);
    const head = `PUT /api/v1/namespaces/sandbox/configmaps/half HTTP/1.1\r\nHost: ${to.authority}\r\nContent-Length: 900\r\n`;
    if (stage === "mid-head") client.send(Buffer.from(head, "latin1"));
    else if (stage === "mid-body") client.send(Buffer.from(`${head}\r\n${"x".repeat(400)}`, "latin1"));
    if (isRude) client.drop();
    else client.end();
    return;
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const part = (socket: Socket<undefined>) => {
    // First, because the socket tells of its end at once.
    resolve();
    if (isRude) socket.terminate();
    else socket.end();
  };
  let isEstablished = false;
  await Bun.connect({
    hostname: "127.0.0.1",
    port: to.proxyPort,
    data: undefined,
    socket: {
      open(socket) {
        const connect = `CONNECT ${to.authority} HTTP/1.1\r\nHost: ${to.authority}\r\n\r\n`;
        if (stage === "mid-CONNECT") socket.write(connect.slice(0, 30));
        else if (stage !== "before CONNECT") socket.write(connect);
        if (stage === "mid-CONNECT" || stage === "before CONNECT") part(socket);
      },
      data(socket) {
        // The answer to CONNECT, and then the first of the server's flight.
        if (isEstablished || stage === "after 200") return part(socket);
        isEstablished = true;
        if (stage === "mid-handshake") socket.write(to.hello);
        else {
          socket.write(to.hello.subarray(0, to.hello.length / 2));
          part(socket);
        }
      },
      close: () => reject(new Error(`closed by the gateway (${stage})`)),
      error: (_socket, error) => reject(error),
    },
  });
  await promise;
}

/** The first bytes that a TLS client of this runtime sends. */
export async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, bytes) {
        resolve(Buffer.from(bytes));
        socket.terminate();
      },
    },
  });
  const client = Bun.connect({
    hostname: "127.0.0.1",
    port: server.port,
    tls: { serverName: "localhost" },
    socket: { data() {}, error() {}, close() {} },
  });
  const hello = await promise;
  await client.catch(() => {});
  server.stop(true);
  return hello;
}
