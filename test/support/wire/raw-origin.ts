// An upstream that records every byte that reaches it and answers as it is told. It parses
// nothing by itself: what the gateway let through is exactly what `received` holds.

import net from "node:net";
import tls from "node:tls";
import { createAuthority } from "../cluster/authority.ts";

/** Handles the bytes of one connection; called for each piece. */
export type Responder = (socket: net.Socket, received: string, piece: Buffer) => void;

/** A recording upstream. */
export interface RawOrigin extends AsyncDisposable {
  readonly port: number;
  readonly caPem: string;
  /** Bytes of every connection so far, in latin1, in order of opening. */
  readonly received: readonly string[];
  /** Everything received, joined. */
  readonly text: string;
}

/** Answers every complete head with a small 200, keeping the connection. */
export const answerOk: Responder = (socket, received) => {
  if (received.endsWith("\r\n\r\n") || /\r\n\r\n[\s\S]+$/.test(received))
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
};

/** Starts a TLS (or, with `plain`, TCP) origin on a port of its own. */
export async function startRawOrigin(
  respond: Responder = answerOk,
  options: {
    readonly plain?: boolean;
    readonly names?: readonly string[];
    readonly tls?: tls.TlsOptions;
  } = {},
): Promise<RawOrigin> {
  const received: string[] = [];
  const sockets = new Set<net.Socket>();
  const serve = (socket: net.Socket) => {
    const index = received.push("") - 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (piece: Buffer) => {
      received[index] += piece.toString("latin1");
      respond(socket, received[index] ?? "", piece);
    });
  };
  const authority = createAuthority("origin");
  const { certPem, keyPem } = authority.serverCertificate(options.names ?? ["localhost", "127.0.0.1"]);
  const server = options.plain
    ? net.createServer(serve)
    : tls.createServer({ ...options.tls, cert: certPem, key: keyPem }, serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    caPem: authority.caPem,
    received,
    get text() {
      return received.join("");
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
