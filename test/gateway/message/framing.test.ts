// Messages of real clients and origins that must pass: answers without a body from HTTP/2, lengths
// that say nothing, blanks in chunk syntax, upgrades that are only offered, and logins that belong
// to one connection.

import { describe, expect, test } from "bun:test";
import http2 from "node:http2";
import type net from "node:net";
import { createAuthority } from "../../support/cluster/authority.ts";
import { startDaemon } from "../../support/daemon.ts";
import { allowing, daemonFor, intercepted, startFaulty, whenAsked } from "../../support/wire/faults.ts";
import { connectRaw } from "../../support/wire/proxy-client.ts";
import { startRawOrigin } from "../../support/wire/raw-origin.ts";

describe("an HTTP/2-only origin before an HTTP/1.1 client", () => {
  test("may end its answer on the head, and gets a POST without a body", async () => {
    const authority = createAuthority("origin");
    const { certPem, keyPem } = authority.serverCertificate(["localhost"]);
    const server = http2.createSecureServer({ cert: certPem, key: keyPem });
    server.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
      stream.respond({ ":status": headers[":path"] === "/none" ? 204 : 200 }, { endStream: true });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    try {
      await using daemon = await startDaemon({
        policy: allowing([port]),
        trust: [{ port, caPem: authority.caPem }],
      });
      using client = await intercepted(daemon, port);
      client.send(`POST /a HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
      expect(await client.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 200 [\s\S]*content-length: 0\r\n/i);
      client.send(`GET /none HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`);
      const answers = await client.until("\r\n\r\n", 2);
      expect(answers.split("HTTP/1.1 204")[1]).not.toMatch(/content-length/i);
    } finally {
      server.close();
    }
  }, 120_000);
});

test("a POST without a body comes to an HTTP/1.1 origin from HTTP/2 with its length", async () => {
  await using origin = await startRawOrigin();
  await using daemon = await daemonFor([origin.port], [origin]);
  const { connectTunnel } = await import("../../support/wire/proxy-client.ts");
  const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
  client.socket.removeAllListeners("data");
  const tls = await import("node:tls");
  const socket = tls.connect({
    socket: client.socket,
    ca: [daemon.caPem],
    servername: "localhost",
    ALPNProtocols: ["h2"],
  });
  const session = http2.connect(`https://localhost:${origin.port}`, { createConnection: () => socket });
  try {
    const stream = session.request({ ":method": "POST", ":path": "/a" }, { endStream: true });
    const status = await new Promise((resolve, reject) =>
      stream.on("response", (headers) => resolve(headers[":status"])).on("error", reject),
    );
    expect(status).toBe(200);
    expect(origin.text).toMatch(/\r\nContent-Length: 0\r\n/i);
  } finally {
    session.destroy();
    client[Symbol.dispose]();
  }
}, 120_000);

describe("after the first octet went upstream", () => {
  const ask = async (method: string, answer: (socket: net.Socket) => void) => {
    await using it = await startFaulty(whenAsked(answer));
    using client = await intercepted(it.daemon, it.origin.port);
    client.send(`${method} /a HTTP/1.1\r\n${it.host}Content-Length: 0\r\n\r\n`);
    return await client.until("}");
  };

  test("a write that fails has an unknown outcome, and is not to be sent again", async () => {
    const answer = await ask("POST", (socket) => socket.destroy());
    expect(answer).toMatch(/^HTTP\/1\.1 502 /);
    expect(answer).toMatch(/outcome is unknown/);
    expect(answer).toMatch(/"retry":false/);
    expect(answer).not.toMatch(/could not forward|may be retried/);
  });

  test("a read may be", async () => {
    const answer = await ask("GET", (socket) => socket.write("HTTP/1.1 200 OK\r\nA B: c\r\n\r\n"));
    expect(answer).toMatch(/"retry":true/);
    expect(answer).not.toMatch(/could not forward/);
  });

  test("a body that is malformed where it begins is a 502 with the reason", async () => {
    const answer = await ask("GET", (socket) =>
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 502 [\s\S]*malformed chunk size/);
  });
});

test("a plain host that nobody inspects has an unknown outcome, too", async () => {
  await using origin = await startRawOrigin(
    whenAsked((socket) => socket.destroy()),
    { plain: true },
  );
  await using daemon = await startDaemon({ policy: allowing([1]) });
  const host = `localhost:${origin.port}`;
  using client = await connectRaw(daemon.port);
  client.send(`POST http://${host}/a HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
  expect(await client.until("}")).toMatch(/^HTTP\/1\.1 502 [\s\S]*outcome is unknown/);
  await origin[Symbol.asyncDispose]();
  using late = await connectRaw(daemon.port);
  late.send(`POST http://${host}/a HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
  expect(await late.until("}")).not.toMatch(/outcome is unknown/);
}, 120_000);

describe("an answer that ends at its head", () => {
  const CASES: [string, string, string][] = [
    ["204 with chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"],
    [
      "304 with both",
      "GET",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    [
      "an answer to HEAD with both",
      "HEAD",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
  ];
  for (const [name, method, bytes] of CASES)
    test(`${name} passes without them, and its connection is not used again`, async () => {
      await using it = await startFaulty(whenAsked((socket) => socket.write(bytes)));
      using client = await intercepted(it.daemon, it.origin.port);
      client.send(`${method} /a HTTP/1.1\r\n${it.host}\r\n`);
      const answer = await client.until("\r\n\r\n");
      expect(answer.split("\r\n")[0]).toBe(bytes.split("\r\n")[0] ?? "");
      expect(answer).not.toMatch(/content-length|transfer-encoding/i);
      // Octets that may still come behind it are nobody else's answer.
      using next = await intercepted(it.daemon, it.origin.port);
      next.send(`GET /next HTTP/1.1\r\n${it.host}\r\n`);
      expect(await next.until("\r\n\r\nok")).toStartWith("HTTP/1.1 200 OK");
    });
});

describe("what is only offered or padded", () => {
  const CASES: [string, string, RegExp, RegExp][] = [
    [
      "an upgrade to h2c",
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
      /^/,
      /upgrade|http2-settings/i,
    ],
    ["an upgrade to TLS", "Connection: Upgrade\r\nUpgrade: TLS/1.2, TLS/1.0\r\n", /^/, /upgrade/i],
    ["a length with zeros", "Content-Length: 000\r\n", /Content-Length: 0\r\n/, /: 000/],
    [
      "TE with a list",
      "Connection: TE\r\nTE: gzip, trailers;q=0.5, trailers\r\n",
      /\r\nTE: trailers\r\n/,
      /gzip/,
    ],
  ];
  for (const [name, fields, wanted, unwanted] of CASES)
    test(`${name} passes`, async () => {
      await using origin = await startRawOrigin();
      await using daemon = await daemonFor([origin.port], [origin]);
      using client = await intercepted(daemon, origin.port);
      client.send(`GET /a HTTP/1.1\r\nHost: localhost:${origin.port}\r\n${fields}\r\n`);
      expect(await client.until("\r\n\r\nok")).toStartWith("HTTP/1.1 200 OK");
      expect(origin.text).toMatch(wanted);
      expect(origin.text).not.toMatch(unwanted);
    });
});

test("a connection that NTLM or Negotiate logged in is its client's alone", async () => {
  // As Windows servers do: who logged in on the connection is who asks on it from then on.
  const users = new WeakMap<net.Socket, string>();
  await using origin = await startRawOrigin((socket, _received, piece) => {
    const login = /authorization: (?:NTLM|Negotiate) (\S+)/i.exec(piece.toString("latin1"))?.[1];
    if (login !== undefined) users.set(socket, login);
    const body = users.get(socket) ?? "nobody";
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  });
  await using daemon = await daemonFor([origin.port], [origin]);
  const get = (fields = "") => `GET /a HTTP/1.1\r\nHost: localhost:${origin.port}\r\n${fields}\r\n`;
  for (const scheme of ["NTLM", "Negotiate"]) {
    using first = await intercepted(daemon, origin.port);
    first.send(get(`Authorization: ${scheme} ALICE\r\n`));
    await first.until("ALICE");
    using second = await intercepted(daemon, origin.port);
    second.send(get());
    expect(await second.until("nobody")).not.toContain("ALICE");
    // The client itself stays logged in, also for what must not be sent twice.
    first.send(get().replace("GET", "POST"));
    await first.until("ALICE", 2);
  }
}, 120_000);

test("a WebSocket of a generic host is the command websocket, and passes by a rule that names it alone", async () => {
  await using origin = await startRawOrigin((socket, received) => {
    if (received.endsWith("\r\n\r\n"))
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  });
  for (const [commands, status] of [
    ["[websocket]", "101"],
    ["[GET]", "403"],
  ]) {
    await using daemon = await startDaemon({
      trust: [origin],
      policy: `
generic:
  inspect: ["localhost:${origin.port}"]
  default: deny
  groups: { some: { commands: ${commands} } }
  rules: { allow: { groups: [some] } }
`,
    });
    using client = await intercepted(daemon, origin.port);
    client.send(
      `GET /a HTTP/1.1\r\nHost: localhost:${origin.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    expect(await client.until("\r\n\r\n")).toStartWith(`HTTP/1.1 ${status} `);
  }
}, 120_000);
