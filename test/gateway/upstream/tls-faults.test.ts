// TLS that breaks, on either side of a gateway: handshakes that are cut short or garbled, hellos in
// crumbs, ends without a goodbye. Each is bounded, gives back its descriptor, and what was cut off
// does not look whole.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import http2 from "node:http2";
import type net from "node:net";
import tls from "node:tls";
import type { Daemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import {
  beImpatient,
  clientHello,
  daemonFor,
  expectNextServed,
  intercepted,
  logWhen,
  shortWaits,
  type Wait,
} from "../../support/wire/faults.ts";
import { connectTunnel } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";
import { type OnPiece, type RelayedConnection, startRelay } from "../../support/wire/relay.ts";

const isHello = (piece: Buffer) => piece[0] === 22;

/** Lets CONNECT and hello pass, and does this with what comes after them. */
function afterHello(act: (connection: RelayedConnection, piece: Buffer) => void): OnPiece {
  let hasHello = false;
  return (piece, connection) => {
    if (hasHello) act(connection, piece);
    else connection.target.write(piece);
    if (isHello(piece)) hasHello = true;
  };
}

/** Does this with the hello. */
function onHello(act: (connection: RelayedConnection, piece: Buffer) => void): OnPiece {
  return (piece, connection) => {
    if (isHello(piece)) act(connection, piece);
    else connection.target.write(piece);
  };
}

describe("a client's handshake", () => {
  let origin: RawOrigin;
  let daemon: Daemon;
  beforeAll(async () => {
    origin = await startRawOrigin();
    daemon = await daemonFor([origin.port], [origin]);
    await expectNextServed(daemon, origin);
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  /** The last is the wait that ends it. */
  const BROKEN: [string, OnPiece, RegExp, Wait?][] = [
    [
      "half a hello and an end",
      onHello(({ target }, hello) => void target.end(hello.subarray(0, 50))),
      /did not finish its TLS hello/,
    ],
    [
      "half a hello and nothing more",
      onHello(({ target }, hello) => void target.write(hello.subarray(0, 50))),
      /did not finish its TLS hello/,
      "helloMs",
    ],
    ["an end after the hello", afterHello(({ target }) => void target.end()), /closed the connection/],
    [
      "a reset after the hello",
      afterHello(({ target }) => void target.resetAndDestroy()),
      /closed the connection/,
    ],
    ["nothing after the hello", afterHello(() => {}), /did not finish the TLS handshake/, "handshakeMs"],
    [
      "another protocol after the hello",
      afterHello(({ target }) => void target.write("220 smtp.example ESMTP\r\n")),
      /broke off the TLS handshake/,
    ],
    [
      "an alert in the clear after the hello",
      afterHello(({ target }) => void target.write(Uint8Array.of(21, 3, 3, 0, 2, 2, 48))),
      /broke off the TLS handshake/,
    ],
    [
      "a Finished with a bit flipped",
      afterHello(({ target }, piece) => {
        piece.writeUInt8(piece.readUInt8(piece.length - 1) ^ 1, piece.length - 1);
        target.write(piece);
      }),
      /broke off the TLS handshake/,
    ],
    [
      "a hello that comes twice",
      onHello(({ target }, hello) => void target.write(Buffer.concat([hello, hello]))),
      /broke off the TLS handshake/,
    ],
  ];
  for (const [name, fromClient, reason, wait] of BROKEN)
    test(`with ${name} ends in an ended connection and a line in the log`, async () => {
      using short = shortWaits(...(wait === undefined ? [] : [wait]));
      await using relay = await startRelay(daemon.port, { fromClient });
      const asked = intercepted({ ...daemon, port: relay.port }, origin.port).then(
        (client) => client.closed(),
        () => "",
      );
      const target = await eventually(
        async () => relay.connections[0]?.target,
        (socket) => socket !== undefined,
      );
      await new Promise((resolve) => (target?.closed ? resolve(0) : target?.once("close", resolve)));
      short[Symbol.dispose]();
      expect(await asked).toBe("");
      expect(await logWhen(daemon, reason)).toMatch(/tls handshake failed: host=localhost /);
      await expectNextServed(daemon, origin);
    });

  test("that fails a thousand times leaves no descriptor open", async () => {
    const before = readdirSync("/dev/fd").length;
    const hello = await clientHello();
    const fail = async () => {
      const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
      client.send(hello);
      await client.until("\x16\x03\x03");
      client.socket.resetAndDestroy();
    };
    for (let i = 0; i < 20; i += 1) await Promise.all(Array.from({ length: 50 }, fail));
    await eventually(
      async () => readdirSync("/dev/fd").length,
      (open) => open <= before + 5,
    );
  });

  /** Sends everything one octet a turn. */
  const inCrumbs = (): OnPiece => {
    const queue: number[] = [];
    let isSending = false;
    return async (piece, { target }) => {
      queue.push(...piece);
      if (isSending) return;
      isSending = true;
      for (let octet = queue.shift(); octet !== undefined; octet = queue.shift()) {
        target.write(Uint8Array.of(octet));
        await new Promise((resolve) => setImmediate(resolve));
      }
      isSending = false;
    };
  };

  /** Cuts the hello's message into records of so many octets. */
  const inRecords = (size: number): OnPiece => {
    let hello = Buffer.alloc(0);
    let isSent = false;
    return (piece, { target }) => {
      if (isSent || (hello.length === 0 && !isHello(piece))) return void target.write(piece);
      hello = Buffer.concat([hello, piece]);
      const length = hello.length < 5 ? Number.POSITIVE_INFINITY : hello.readUInt16BE(3);
      if (hello.length < 5 + length) return;
      isSent = true;
      const message = hello.subarray(5, 5 + length);
      for (let at = 0; at < length; at += size) {
        const part = message.subarray(at, at + size);
        target.write(Buffer.concat([Uint8Array.of(22, 3, 1, part.length >> 8, part.length & 255), part]));
      }
      target.write(hello.subarray(5 + length));
    };
  };

  /** The octets behind the handshake come in one piece with its end. */
  const withRequest = (): OnPiece => {
    const held: Buffer[] = [];
    return afterHello(({ target }, piece) => {
      if (held.push(piece) === 1) setTimeout(() => target.write(Buffer.concat(held)), 20);
    });
  };

  const MANY = Array.from({ length: 400 }, (_, i) => `${"x".repeat(30)}${i}`);
  const ODD: [string, () => OnPiece, string[]][] = [
    ["octet by octet", inCrumbs, []],
    ["with its hello in records of one octet", () => inRecords(1), []],
    ["with a hello of 14 KB in records of 1,000", () => inRecords(1_000), MANY],
    ["in one piece with the request", withRequest, []],
  ];
  for (const [name, fromClient, more] of ODD)
    test(`that comes ${name} is served`, async () => {
      await using relay = await startRelay(daemon.port, { fromClient: fromClient() });
      const { client } = await connectTunnel(relay.port, `localhost:${origin.port}`);
      using _ = client;
      const socket = secure(client.socket, daemon.caPem, ["http/1.1", ...more]);
      socket.write(`GET /odd HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
      let answer = "";
      socket.on("data", (bytes: Buffer) => {
        answer += bytes;
      });
      await eventually(
        async () => answer,
        (text) => text.endsWith("\r\n\r\nok"),
      );
    });
});

describe("an answer that ends with its connection", () => {
  /** How the upstream's side of the connection ends; its TLS says goodbye when it ends by itself. */
  const ENDS: [string, (relayed: net.Socket, socket: net.Socket) => void][] = [
    ["after TLS's goodbye", (_, socket) => socket.end()],
    ["without a goodbye", (relayed) => relayed.end()],
    ["with a reset", (relayed) => relayed.resetAndDestroy()],
  ];

  async function answeredBy(
    head: string,
    end: (relayed: net.Socket, socket: net.Socket) => void,
    version: tls.SecureVersion,
  ) {
    const origin = await startRawOrigin(
      (socket, received) => {
        if (!received.endsWith("\r\n\r\n")) return;
        socket.write(`${head}\r\nhello`);
        setTimeout(() => end(relay.connections[0]?.client as net.Socket, socket), 20);
      },
      { tls: { maxVersion: version } },
    );
    const relay = await startRelay(origin.port);
    const daemon = await daemonFor([relay.port], [{ ...origin, port: relay.port }]);
    // The octets that the client receives, as they are on the wire.
    let sent = Buffer.alloc(0);
    const front = await startRelay(daemon.port, {
      fromTarget: (piece, { client }) => {
        sent = Buffer.concat([sent, piece]);
        client.write(piece);
      },
    });
    return {
      daemon,
      port: relay.port,
      frontPort: front.port,
      /** TLS 1.3 has its alerts in records of 19 octets. */
      get saidGoodbye() {
        return sent.at(-24) === 23 && sent.readUInt16BE(sent.length - 21) === 19;
      },
      async [Symbol.asyncDispose]() {
        for (const each of [front, daemon, relay, origin]) await each[Symbol.asyncDispose]();
      },
    };
  }

  for (const version of ["TLSv1.2", "TLSv1.3"] as const)
    for (const [name, end] of ENDS) {
      const isWhole = name.includes("after");
      test(`${name} (${version}) ${isWhole ? "is whole" : "does not look whole over HTTP/1.1"}`, async () => {
        await using it = await answeredBy("HTTP/1.1 200 OK\r\n", end, version);
        using client = await intercepted({ ...it.daemon, port: it.frontPort }, it.port);
        client.send(`GET /a HTTP/1.1\r\nHost: localhost:${it.port}\r\n\r\n`);
        expect(await client.closed()).toEndWith("\r\n\r\nhello");
        expect(it.saidGoodbye).toBe(isWhole);
        if (!isWhole) await logWhen(it.daemon, /request broken off: .*answer was cut off/);
      });
    }

  for (const [name, end] of ENDS) {
    const isWhole = name.includes("after");
    test(`${name} ${isWhole ? "is whole" : "is a reset stream"} over HTTP/2`, async () => {
      await using it = await answeredBy("HTTP/1.1 200 OK\r\n", end, "TLSv1.3");
      const { client } = await connectTunnel(it.daemon.port, `localhost:${it.port}`);
      using _ = client;
      const socket = secure(client.socket, it.daemon.caPem, ["h2"]);
      const session = http2.connect(`https://localhost:${it.port}`, { createConnection: () => socket });
      const stream = session.request({ ":path": "/a" });
      let text = "";
      stream.on("data", (bytes: Buffer) => {
        text += bytes;
      });
      const ended = new Promise<string>((resolve) => {
        stream.on("end", () => resolve("end"));
        stream.on("error", () => resolve("error"));
      });
      expect(await ended).toBe(isWhole ? "end" : "error");
      expect(text).toBe("hello");
      session.destroy();
    });
  }

  test("needs no goodbye when it has a length", async () => {
    await using it = await answeredBy(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
      (relayed) => relayed.end(),
      "TLSv1.3",
    );
    using client = await intercepted({ ...it.daemon, port: it.frontPort }, it.port);
    const request = `GET /a HTTP/1.1\r\nHost: localhost:${it.port}\r\n\r\n`;
    client.send(request);
    await client.until("\r\n\r\nhello");
    client.send(request);
    await client.until("\r\n\r\nhello", 2);
  });
});

describe("a tunnel that is not inspected", () => {
  beImpatient("connectMs");
  const PARTS: [string, (hello: string) => string][] = [
    ["half a hello", (hello) => hello.slice(0, 50)],
    ["a hello and what is no TLS", (hello) => `${hello}garbage`],
    ["no TLS", () => "garbage"],
  ];
  for (const [name, said] of PARTS)
    test(`passes ${name} and an end on as they are, and the answer back`, async () => {
      await using origin = await startRawOrigin(() => {}, { plain: true });
      const daemon = await daemonFor([1], []);
      await using _ = daemon;
      const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
      using __ = client;
      const text = said(await clientHello());
      client.send(text);
      client.socket.end();
      await client.closed();
      // iddio may open a connection of its own, to learn whose address it is.
      expect(origin.received).toContain(text);
    });
});

function secure(socket: net.Socket, ca: string, protocols: string[]): tls.TLSSocket {
  socket.removeAllListeners("data");
  const secured = tls.connect({ socket, ca: [ca], servername: "localhost", ALPNProtocols: protocols });
  secured.on("error", () => {});
  return secured;
}
