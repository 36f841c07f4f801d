// The upstream of the soak, a process that is killed and started again on the same ports: HTTP/1.1
// and HTTP/2 over TLS, and a TCP server that gives back what it gets.

import { answerCalls } from "../../../bench/worker.ts";
import { OutQueue } from "../client/out-queue.ts";
import { type LedgerPlace, openLedger } from "../ledger.ts";
import { OriginHttp1 } from "./http1.ts";
import { OriginHttp2 } from "./http2.ts";

/** Where the upstream listens. */
export interface OriginPorts {
  readonly http1: number;
  readonly http2: number;
  readonly echo: number;
}

/** The orders of an origin; ports of 0 are chosen by the system. */
export interface OriginOrder {
  readonly ledger: LedgerPlace;
  readonly certPem: string;
  readonly keyPem: string;
  readonly ports: OriginPorts;
}

const LOOPBACK = "127.0.0.1";

function listen(order: OriginOrder): OriginPorts {
  const ledger = openLedger(order.ledger);
  const secure = (protocol: string) => ({
    cert: order.certPem,
    key: order.keyPem,
    ALPNProtocols: Buffer.from([protocol.length, ...Buffer.from(protocol)]),
  });
  const http1 = Bun.listen<OriginHttp1>({
    hostname: LOOPBACK,
    port: order.ports.http1,
    tls: secure("http/1.1"),
    socket: {
      open(socket) {
        socket.setNoDelay(true);
        socket.data = new OriginHttp1(ledger);
      },
      data: (socket, bytes) => socket.data.data(socket, bytes),
      drain: (socket) => socket.data.drain(socket),
      close: (socket) => socket.data.close(),
      error() {},
    },
  });
  const http2 = Bun.listen<OriginHttp2>({
    hostname: LOOPBACK,
    port: order.ports.http2,
    tls: secure("h2"),
    socket: {
      open(socket) {
        socket.setNoDelay(true);
        socket.data = new OriginHttp2(ledger);
      },
      data: (socket, bytes) => socket.data.data(socket, bytes),
      drain: (socket) => socket.data.drain(socket),
      close: (socket) => socket.data.close(),
      error() {},
    },
  });
  const echo = Bun.listen<OutQueue>({
    hostname: LOOPBACK,
    port: order.ports.echo,
    socket: {
      open(socket) {
        socket.data = new OutQueue();
      },
      data: (socket, bytes) => socket.data.write(socket, Buffer.from(bytes)),
      drain: (socket) => socket.data.flush(socket),
      error() {},
    },
  });
  return { http1: http1.port, http2: http2.port, echo: echo.port };
}

answerCalls({ listen });
