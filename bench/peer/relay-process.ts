// The yardstick of interception: TLS ended, TLS begun, bytes copied, nothing read. No CONNECT and
// no parsing, so nothing that runs on Bun can be faster.

import type { Socket } from "bun";
import { answerCalls } from "../worker.ts";

interface Side {
  other: Socket<Side> | undefined;
  waiting: Uint8Array[];
}

function send(from: Side, bytes: Uint8Array): void {
  const to = from.other;
  if (to === undefined) {
    from.waiting.push(bytes);
    return;
  }
  const sent = to.write(bytes);
  // The load has one small request under way on a connection: what does not fit at once is a fault of the bench.
  if (sent !== bytes.length) throw new Error("the relay met back-pressure");
}

/** Relays to the origin's port; the origin's name is localhost. */
function start(order: { port: number; caPem: string; certPem: string; keyPem: string }): number {
  const server = Bun.listen<Side>({
    hostname: "127.0.0.1",
    port: 0,
    data: { other: undefined, waiting: [] },
    tls: { cert: order.certPem, key: order.keyPem },
    socket: {
      open(client) {
        const side: Side = { other: undefined, waiting: [] };
        client.data = side;
        client.setNoDelay(true);
        Bun.connect<Side>({
          hostname: "127.0.0.1",
          port: order.port,
          data: { other: client, waiting: [] },
          tls: { ca: order.caPem, serverName: "localhost", rejectUnauthorized: true },
          socket: {
            handshake(upstream, isDone, error) {
              if (!isDone || error !== null) return void client.end();
              upstream.setNoDelay(true);
              side.other = upstream;
              for (const bytes of side.waiting.splice(0)) send(side, bytes);
            },
            data(upstream, bytes) {
              send(upstream.data, bytes);
            },
            close() {
              client.end();
            },
            error() {},
          },
        }).catch(() => client.end());
      },
      data: (client, bytes) => send(client.data, bytes),
      close(client) {
        client.data.other?.end();
      },
      error() {},
    },
  });
  return server.port;
}

answerCalls({ start });
