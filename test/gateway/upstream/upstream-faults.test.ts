// Faults behind a gateway: upstreams that stall, break off, or say too much or too little. Each
// wait has a bound or a reason for none, leaves its reason in the log, and the next connection does
// not notice.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import net from "node:net";
import { startDaemon } from "../../support/daemon.ts";
import {
  beImpatient,
  daemonFor,
  expectNextServed,
  intercepted,
  logWhen,
  startFaulty,
  whenAsked,
} from "../../support/wire/faults.ts";
import { connectTunnel } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

describe("an upstream on the way to its TLS connection", () => {
  beImpatient("connectMs");
  let origin: RawOrigin;
  beforeAll(async () => {
    origin = await startRawOrigin();
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const CASES: [string, (socket: net.Socket) => void, RegExp][] = [
    ["never says a word", () => {}, /did not answer in time/],
    [
      "answers the hello with half a record",
      (socket) => socket.once("data", () => socket.write("\x16\x03\x03\x00\x7a\x02")),
      /did not answer in time/,
    ],
    ["closes at once", (socket) => socket.end(), /closed the connection during the TLS handshake|ECONNRESET/],
    [
      "resets",
      (socket) => socket.once("data", () => socket.resetAndDestroy()),
      /closed the connection during the TLS handshake|ECONNRESET/,
    ],
    [
      "speaks another protocol",
      (socket) => socket.end("220 smtp.example ESMTP\r\n"),
      /TLS handshake|not trusted|certificate/,
    ],
  ];
  for (const [name, serve, reason] of CASES)
    test(`that ${name} is a 502 with the reason`, async () => {
      const server = net.createServer((socket) => {
        socket.on("error", () => {});
        serve(socket);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as net.AddressInfo;
      try {
        await using daemon = await daemonFor([port, origin.port], [origin]);
        using client = await intercepted(daemon, port);
        client.send(`GET /a HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
        const answer = await client.until("}");
        expect(answer).toStartWith("HTTP/1.1 502 Bad Gateway\r\n");
        expect(answer).toMatch(reason);
        expect(await logWhen(daemon, /upstream failed/)).toMatch(reason);
        await daemon.rowsWhen((rows) => rows.some((row) => row.fields.status === 502));
        await expectNextServed(daemon, origin);
      } finally {
        server.close();
      }
    });

  test("that is not there is a 502 with the reason", async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await using daemon = await daemonFor([port, origin.port], [origin]);
    using client = await intercepted(daemon, port);
    client.send(`GET /a HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
    expect(await client.until("}")).toMatch(/^HTTP\/1\.1 502 [\s\S]*refused the connection/);
    await logWhen(daemon, /upstream failed: .*refused the connection/);
    await expectNextServed(daemon, origin);
  });
});

describe("an upstream before its answer", () => {
  beImpatient("headMs");
  const CASES: [string, (socket: net.Socket) => void, RegExp][] = [
    [
      "stalls in the middle of its head",
      (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-"),
      /took too long/,
    ],
    ["ends in the middle of its head", (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-"), /was cut off/],
    ["ends without a word", (socket) => socket.end(), /without an answer/],
    ["resets without a word", (socket) => socket.destroy(), /without an answer/],
    [
      "sends interim answers without end",
      (socket) => socket.write("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100)),
      /too many interim answers/,
    ],
    [
      "sends a head without end",
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nA: ${"x".repeat(100_000)}`),
      /too large/,
    ],
  ];
  for (const [name, answer, reason] of CASES)
    test(`that ${name} is a 502 with the reason`, async () => {
      await using it = await startFaulty(whenAsked(answer));
      using client = await intercepted(it.daemon, it.origin.port);
      client.send(`GET /a HTTP/1.1\r\n${it.host}\r\n`);
      expect(await client.until("}")).toMatch(/HTTP\/1\.1 502 Bad Gateway\r\n/);
      expect(await logWhen(it.daemon, /upstream failed/)).toMatch(reason);
      await it.daemon.rowsWhen((rows) => rows.some((row) => row.fields.status === 502));
      await expectNextServed(it.daemon, it.origin);
    });

  test("may take its time: what ends the wait is the client's leaving, which reaches it and the audit log", async () => {
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<net.Socket>();
    await using it = await startFaulty(whenAsked(isAsked));
    const client = await intercepted(it.daemon, it.origin.port);
    client.send(`GET /slow HTTP/1.1\r\n${it.host}\r\n`);
    const socket = await asked;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    client[Symbol.dispose]();
    await closed;
    const rows = await it.daemon.rowsWhen((all) => all.some((each) => each.fields.path === "/slow"));
    const row = rows.find((each) => each.fields.path === "/slow");
    expect(row).toMatchObject({ op: "mitm", fields: { reason: expect.stringContaining("went away") } });
    expect(row?.fields.status).toBeUndefined();
    await expectNextServed(it.daemon, it.origin);
  });
});

describe("an upstream in the middle of its answer", () => {
  const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
  const CHUNK = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
  const CASES: [string, (socket: net.Socket) => void][] = [
    ["ends", (socket) => socket.end(HEAD)],
    ["resets", (socket) => socket.write(HEAD, () => socket.resetAndDestroy())],
    ["ends between chunks", (socket) => socket.end(CHUNK)],
    // Later than its beginning, which would be no answer at all.
    [
      "breaks chunk syntax",
      (socket) => socket.write(CHUNK, () => setTimeout(() => socket.write("zz\r\n"), 200)),
    ],
  ];
  for (const [name, answer] of CASES)
    test(`that ${name} makes a cut answer, never one that looks whole`, async () => {
      await using it = await startFaulty(whenAsked(answer));
      using client = await intercepted(it.daemon, it.origin.port);
      client.send(`GET /a HTTP/1.1\r\n${it.host}\r\n`);
      const received = await client.closed();
      expect(received).not.toContain("\r\n0\r\n\r\n");
      expect(received.split("half").length).toBeLessThanOrEqual(2);
      await logWhen(it.daemon, /request broken off: .*cut off/);
      await expectNextServed(it.daemon, it.origin);
    });

  test("that stalls is waited for until the client leaves, which reaches it", async () => {
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<net.Socket>();
    await using it = await startFaulty(
      whenAsked((socket) => {
        socket.write(HEAD);
        isAsked(socket);
      }),
    );
    const client = await intercepted(it.daemon, it.origin.port);
    client.send(`GET /a HTTP/1.1\r\n${it.host}\r\n`);
    await client.until("half");
    const socket = await asked;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    client[Symbol.dispose]();
    await closed;
    await expectNextServed(it.daemon, it.origin);
  });

  test("that half-closes after a whole answer is not asked again", async () => {
    await using it = await startFaulty(
      whenAsked((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
    );
    using client = await intercepted(it.daemon, it.origin.port);
    client.send(`GET /a HTTP/1.1\r\n${it.host}\r\n`);
    await client.until("\r\n\r\nok");
    client.send(`GET /b HTTP/1.1\r\n${it.host}\r\n`);
    await client.until("\r\n\r\nok", 2);
    expect(it.origin.received.map((bytes) => bytes.slice(0, 6))).toEqual(["GET /a", "GET /b"]);
  });
});

describe("an upstream that answers before the request is complete", () => {
  const upload = (host: string) => `PUT /big HTTP/1.1\r\n${host}Content-Length: 9000000\r\n\r\n`;

  test("with a refusal is heard, and both connections end", async () => {
    await using it = await startFaulty((socket, received) => {
      if (received.includes("\r\n\r\n") && !received.endsWith("*"))
        socket.write("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    using client = await intercepted(it.daemon, it.origin.port);
    client.send(upload(it.host) + "x".repeat(50_000));
    expect(await client.closed()).toStartWith("HTTP/1.1 413 ");
    await it.daemon.rowsWhen((rows) => rows.some((row) => row.fields.status === 413));
    await expectNextServed(it.daemon, it.origin);
  });

  test("and then resets is still heard", async () => {
    await using it = await startFaulty((socket, received) => {
      if (!received.includes("\r\n\r\n")) return;
      socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", () =>
        setTimeout(() => socket.destroy(), 20),
      );
    });
    using client = await intercepted(it.daemon, it.origin.port);
    client.send(upload(it.host) + "x".repeat(50_000));
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 (403|502) /);
    await expectNextServed(it.daemon, it.origin);
  });

  test("with a success lets the rest of the body through", async () => {
    const { promise: whole, resolve: isWhole } = Promise.withResolvers<void>();
    await using it = await startFaulty((socket, received) => {
      if (received.endsWith("\r\n\r\n"))
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      if (!received.endsWith("end")) return;
      socket.write("2\r\nok\r\n0\r\n\r\n");
      isWhole();
    });
    using client = await intercepted(it.daemon, it.origin.port);
    client.send(`PUT /early HTTP/1.1\r\n${it.host}Content-Length: 9\r\n\r\n`);
    await client.until("200 OK");
    client.send("is at end");
    await whole;
    await client.until("0\r\n\r\n");
    await expectNextServed(it.daemon, it.origin);
  });
});

describe("an upstream that says more than it should", () => {
  const MORE: [string, string][] = [
    ["behind a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"],
    ["behind the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    ["behind an answer without a body", "HTTP/1.1 204 No Content\r\n\r\n"],
  ];
  const SMUGGLED = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled";
  for (const [name, answer] of MORE)
    for (const [when, delayMs] of [
      ["at once", 0],
      ["later", 30],
    ] as const)
      test(`${name}, ${when}: nobody gets it, and nothing is asked on that connection again`, async () => {
        await using it = await startFaulty(
          whenAsked((socket) => {
            if (delayMs === 0) socket.write(answer + SMUGGLED);
            else socket.write(answer, () => setTimeout(() => socket.write(SMUGGLED), delayMs));
          }),
        );
        using client = await intercepted(it.daemon, it.origin.port);
        client.send(`GET /a HTTP/1.1\r\n${it.host}\r\n`);
        await client.until(answer.slice(0, 12));
        await client.until(answer.slice(-4));
        await Bun.sleep(delayMs * 2);
        client.send(`GET /next HTTP/1.1\r\n${it.host}\r\n`);
        expect(await client.until("\r\n\r\nok", name === "behind a length" ? 2 : 1)).not.toContain(
          "smuggled",
        );
        expect(it.origin.received.length).toBe(2);
      });
});

describe("a tunnel to an upstream that is not there", () => {
  async function tunnelTo(target: string, settings: string) {
    const daemon = await startDaemon({ policy: 'generic:\n  inspect: ["inspected.invalid"]\n', settings });
    const { client, answer } = await connectTunnel(daemon.port, target);
    return { daemon, client, answer };
  }

  async function closedPort(): Promise<number> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  test("is a 502 with the reason, and a row that says that it failed", async () => {
    const port = await closedPort();
    const { daemon, client, answer } = await tunnelTo(`localhost:${port}`, "");
    await using _ = daemon;
    using __ = client;
    expect(answer).toStartWith("HTTP/1.1 502 ");
    const [row] = await daemon.rowsWhen((rows) => rows.length > 0);
    expect(row).toMatchObject({
      op: "passthrough",
      fields: { host: "localhost", port, outcome: "failed", status: 502 },
    });
    expect(row?.fields.reason).toContain("refused the connection");
    expect(row?.fields.decision).toBeUndefined();
  });

  test("leaves no row where passing through leaves none", async () => {
    const { daemon, client, answer } = await tunnelTo(
      `localhost:${await closedPort()}`,
      "audit_passthrough: off\n",
    );
    await using _ = daemon;
    using __ = client;
    expect(answer).toStartWith("HTTP/1.1 502 ");
    await logWhen(daemon, /upstream failed/);
    expect(await daemon.rows()).toEqual([]);
  });

  for (const [host, op] of [
    ["unknown.invalid", "passthrough"],
    ["inspected.invalid", "block"],
  ] as const)
    test(`whose name nobody knows leaves a row too: ${host}`, async () => {
      const { daemon, client, answer } = await tunnelTo(`${host}:443`, "");
      await using _ = daemon;
      using __ = client;
      expect(answer).toStartWith("HTTP/1.1 502 ");
      const [row] = await daemon.rowsWhen((rows) => rows.length > 0);
      expect(row).toMatchObject({ op, fields: { host, port: 443, outcome: "failed", status: 502 } });
    });
});
