// A corporate proxy that fails, and one that is itself behind TLS: what is wrong with it is named,
// nothing of it is left open, and TLS inside its TLS ends as TLS does.

import { describe, expect, test } from "bun:test";
import net from "node:net";
import tls from "node:tls";
import { createAuthority } from "../../support/cluster/authority.ts";
import { startDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { allowing, beImpatient, intercepted, logWhen } from "../../support/wire/faults.ts";
import { type RawOrigin, type Responder, startRawOrigin } from "../../support/wire/raw-origin.ts";
import { startRelay } from "../../support/wire/relay.ts";

beImpatient();

const FAULTS: [string, Responder, RegExp][] = [
  ["never answers", () => {}, /the corporate proxy gave no proper answer: nothing came in time/],
  [
    "stalls in its answer",
    (socket) => void socket.write("HTTP/1.1 200 Conn"),
    /the corporate proxy gave no proper answer: the head took too long/,
  ],
  ["hangs up", (socket) => void socket.end(), /the corporate proxy closed the connection when asked for/],
  [
    "resets",
    (socket) => void socket.resetAndDestroy(),
    /the corporate proxy closed the connection when asked/,
  ],
  [
    "speaks another protocol",
    (socket) => void socket.write("220 smtp.example ESMTP\r\n\r\n"),
    /the corporate proxy gave no proper answer/,
  ],
  [
    "refuses",
    (socket) => void socket.write("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"),
    /the corporate proxy answered 407/,
  ],
  [
    "agrees and hangs up",
    (socket) => void socket.end("HTTP/1.1 200 OK\r\n\r\n"),
    /closed the connection during the TLS handshake/,
  ],
  [
    "agrees and says nothing more",
    (socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 200 OK\r\n\r\n");
    },
    /did not answer in time/,
  ],
];

describe("a corporate proxy", () => {
  for (const [name, respond, reason] of FAULTS)
    test(`that ${name} is a 502 with the reason, and let go of`, async () => {
      const sockets = new Set<net.Socket>();
      const hear: Responder = (socket, received, piece) => {
        sockets.add(socket);
        respond(socket, received, piece);
      };
      await using proxy = await startRawOrigin(hear, { plain: true });
      const settings = `upstream_proxy: http://127.0.0.1:${proxy.port}\n`;
      await using daemon = await startDaemon({ policy: allowing([1]), settings });
      using client = await intercepted(daemon, 1);
      client.send("GET /a HTTP/1.1\r\nHost: localhost:1\r\n\r\n");
      const answer = await client.until("}");
      expect(answer).toStartWith("HTTP/1.1 502 ");
      expect(answer).toMatch(reason);
      await logWhen(daemon, reason);
      await eventually(
        async () => [...sockets].filter((socket) => !socket.closed).length,
        (open) => open === 0,
      );
    });
});

/** A CONNECT proxy behind TLS. */
async function startTlsProxy(): Promise<AsyncDisposable & { readonly port: number; readonly caPem: string }> {
  const authority = createAuthority("proxy");
  const { certPem, keyPem } = authority.serverCertificate(["localhost"]);
  const sockets = new Set<net.Socket>();
  const server = tls.createServer({ cert: certPem, key: keyPem }, (client) => {
    sockets.add(client);
    client.on("error", () => {});
    client.once("data", (head: Buffer) => {
      const port = Number(/:(\d+) HTTP/.exec(head.toString("latin1"))?.[1]);
      const upstream = net.connect(port, "127.0.0.1", () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
      sockets.add(upstream);
      upstream.on("error", () => client.destroy());
      upstream.on("data", (bytes: Buffer) => client.write(bytes));
      upstream.on("end", () => client.end());
      client.on("data", (bytes: Buffer) => upstream.write(bytes));
      client.on("close", () => upstream.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    caPem: authority.caPem,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("through a corporate proxy behind TLS", () => {
  const CASES: [string, (relayed: net.Socket, socket: net.Socket) => void, boolean][] = [
    ["with TLS's goodbye is whole", (_, socket) => void socket.end(), true],
    ["without one is not", (relayed) => void relayed.end(), false],
  ];
  for (const [name, end, isWhole] of CASES)
    test(`an answer that ends with its connection ${name}`, async () => {
      await using origin: RawOrigin = await startRawOrigin((socket, received) => {
        if (!received.endsWith("\r\n\r\n")) return;
        socket.write("HTTP/1.1 200 OK\r\n\r\nhello");
        setTimeout(() => end(relay.connections[0]?.client as net.Socket, socket), 20);
      });
      await using relay = await startRelay(origin.port);
      await using proxy = await startTlsProxy();
      await using daemon = await startDaemon({
        policy: allowing([relay.port]),
        settings: `upstream_proxy: https://localhost:${proxy.port}\n`,
        trust: [proxy, { ...origin, port: relay.port }],
      });
      using client = await intercepted(daemon, relay.port);
      client.send(`GET /a HTTP/1.1\r\nHost: localhost:${relay.port}\r\n\r\n`);
      expect(await client.closed()).toEndWith("\r\n\r\nhello");
      if (!isWhole) await logWhen(daemon, /request broken off: .*without TLS's goodbye/);
      await daemon.rowsWhen((rows) => rows.some(({ op, fields }) => op === "mitm" && fields.status === 200));
      const log = await logWhen(daemon, /classified/);
      expect(log.includes("broken off")).toBe(!isWhole);
    });
});
