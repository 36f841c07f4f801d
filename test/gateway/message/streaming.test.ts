// Live connections must not suffer from a gateway: it must not buffer, cut, reorder, or keep one
// half of a conversation from the other.

import { describe, expect, test } from "bun:test";
import { startDaemon } from "../../support/daemon.ts";
import { connectTls, connectTunnel } from "../../support/wire/proxy-client.ts";
import { type Responder, startRawOrigin } from "../../support/wire/raw-origin.ts";

const policy = (port: number) => `
kubectl:
  inspect: ["localhost:${port}"]
  groups: { all: { tiers: [observe, modify, sensitive, break-glass] } }
  rules: { allow: { groups: [all] } }
`;

async function intercepted(respond: Responder, settings = "") {
  const origin = await startRawOrigin(respond);
  const daemon = await startDaemon({ trust: [origin], policy: policy(origin.port), settings });
  const client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  return {
    origin,
    daemon,
    client,
    host: `Host: localhost:${origin.port}`,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await daemon[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

describe("an intercepted response", () => {
  test("comes piece by piece as the upstream sends it", async () => {
    let release = () => {};
    await using it = await intercepted((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
      release = () => socket.write("6\r\nsecond\r\n0\r\n\r\n");
    });
    it.client.send(`GET /api/v1/watch/pods HTTP/1.1\r\n${it.host}\r\n\r\n`);
    await it.client.until("first");
    expect(it.client.received).not.toContain("second");
    release();
    expect(await it.client.until("0\r\n\r\n")).toContain("6\r\nsecond\r\n");
  });

  test("that ends with the connection is ended, not cut", async () => {
    await using it = await intercepted((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nuntil the end"));
    it.client.send(`GET /api/v1/old HTTP/1.1\r\n${it.host}\r\n\r\n`);
    expect(await it.client.closed()).toEndWith("until the end");
  });

  test("that is shorter than it said is never made to look whole", async () => {
    await using it = await intercepted((socket) =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"),
    );
    it.client.send(`GET /api/v1/short HTTP/1.1\r\n${it.host}\r\n\r\n`);
    expect(await it.client.closed()).toEndWith("short");
  });

  test("that is longer than it said loses the surplus and the upstream connection", async () => {
    await using it = await intercepted((socket) =>
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
      ),
    );
    it.client.send(`GET /api/v1/a HTTP/1.1\r\n${it.host}\r\n\r\n`);
    await it.client.until("ok");
    it.client.send(`GET /api/v1/b HTTP/1.1\r\n${it.host}\r\n\r\n`);
    await it.client.until("HTTP/1.1 200", 2);
    expect(it.client.received).not.toContain("forged");
    expect(it.origin.received).toHaveLength(2);
  });

  const MALFORMED: [string, string][] = [
    ["both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a bare line feed", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
    [
      "an unasked switch of protocols",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ],
    ["no HTTP at all", "220 smtp.example ESMTP\r\n\r\n"],
  ];
  for (const [name, bytes] of MALFORMED)
    test(`with ${name} is a 502`, async () => {
      await using it = await intercepted((socket) => socket.write(bytes));
      it.client.send(`GET /api/v1/a HTTP/1.1\r\n${it.host}\r\n\r\n`);
      expect(await it.client.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 502 /);
    });
});

describe("an intercepted request", () => {
  test("with Expect: 100-continue gets 100 only from the upstream, and its body arrives whole", async () => {
    await using it = await intercepted((socket, received) => {
      if (received.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (received.endsWith("the body")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    it.client.send(
      `PUT /api/v1/namespaces/a/pods/k HTTP/1.1\r\n${it.host}\r\nExpect: 100-continue\r\nContent-Length: 8\r\n\r\n`,
    );
    await it.client.until("100 Continue\r\n\r\n");
    it.client.send("the body");
    await it.client.until("200 OK");
    expect(it.origin.text).toEndWith("the body");
  });

  test("streams its body while the answer already streams back", async () => {
    await using it = await intercepted((socket, received, piece) => {
      if (received.split("\r\n\r\n").length === 2 && received.endsWith("\r\n\r\n"))
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      else if (piece.toString().includes("ping")) socket.write("4\r\npong\r\n");
      if (received.endsWith("0\r\n\r\n")) socket.write("0\r\n\r\n");
    });
    it.client.send(
      `POST /api/v1/namespaces/a/configmaps HTTP/1.1\r\n${it.host}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    await it.client.until("200 OK");
    it.client.send("4\r\nping\r\n");
    await it.client.until("pong");
    it.client.send("4\r\nping\r\n");
    await it.client.until("pong", 2);
    it.client.send("0\r\n\r\n");
    await it.client.until("\r\n0\r\n\r\n");
  });

  test("keeps its target, header order, case and duplicates byte for byte", async () => {
    await using it = await intercepted((socket) =>
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    );
    const lines = `GET /api/v1/namespaces/a/pods/%62?q=%7e&Q=~&=&x HTTP/1.1\r\n${it.host}\r\nx-B: 1\r\nX-a: 2\r\nx-b: 3\r\nCookie: \xe4`;
    it.client.send(`${lines}\r\nConnection: keep-alive\r\nProxy-Connection: keep-alive\r\n\r\n`);
    await it.client.until("200 OK");
    expect(it.origin.text).toBe(`${lines}\r\n\r\n`);
  });
});

describe("an upgrade", () => {
  test("is spliced after a matching 101, both ways, to the end", async () => {
    await using it = await intercepted((socket, received, piece) => {
      if (received.endsWith("\r\n\r\n"))
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhello",
        );
      else socket.write(`echo ${piece}`);
      // A session that is recorded must speak its protocol: these octets would end it.
    }, "record_sessions: off\n");
    it.client.send(
      `POST /api/v1/namespaces/a/pods/b/exec?command=sh HTTP/1.1\r\n${it.host}\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nContent-Length: 0\r\n\r\n`,
    );
    await it.client.until("hello");
    it.client.send("\x00\x01raw");
    expect(await it.client.until("echo \x00\x01raw")).toContain("Upgrade: SPDY/3.1");
  });

  test("that the upstream declines is an ordinary answer", async () => {
    await using it = await intercepted((socket) =>
      socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"),
    );
    it.client.send(
      `GET /api/v1/namespaces/a/pods/b/exec?command=sh HTTP/1.1\r\n${it.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
    );
    expect(await it.client.until("no")).toMatch(/^HTTP\/1\.1 403 /);
  });
});

test("a client that leaves takes its upstream request with it", async () => {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  await using it = await intercepted((socket) => {
    socket.once("close", () => resolve());
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
  });
  it.client.send(`GET /api/v1/watch/pods HTTP/1.1\r\n${it.host}\r\n\r\n`);
  await it.client.until("first");
  it.client[Symbol.dispose]();
  await gone;
});

test("an idle upstream connection is used again, also by another client", async () => {
  await using it = await intercepted((socket) =>
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
  );
  for (let i = 0; i < 3; i += 1) {
    using client = await connectTls(it.daemon.port, `localhost:${it.origin.port}`, { ca: it.daemon.caPem });
    client.send(`GET /api/v1/${i} HTTP/1.1\r\n${it.host}\r\n\r\n`);
    await client.until("ok");
  }
  expect(it.origin.received).toHaveLength(1);
});

test("a splice carries both directions after either side has ended", async () => {
  await using origin = await startRawOrigin(
    (socket, received) => {
      if (!received.endsWith("done?")) return;
      socket.end("the answer, after your end");
    },
    { plain: true },
  );
  await using daemon = await startDaemon({ policy: policy(1) });
  const { client } = await connectTunnel(daemon.port, `127.0.0.1:${origin.port}`);
  client.socket.end("done?");
  expect(await client.closed()).toEndWith("the answer, after your end");
  client[Symbol.dispose]();
  const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "passthrough"));
  expect(rows.find((row) => row.op === "passthrough")?.fields).toMatchObject({
    host: "127.0.0.1",
    port: origin.port,
    reason: "no inspect entry matches",
  });
});

test("a server that speaks first is heard through a splice", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: (socket) => void socket.write("220 hello\r\n"), data() {} },
  });
  resolve(server.port);
  await using daemon = await startDaemon({ policy: policy(1) });
  const { client } = await connectTunnel(daemon.port, `127.0.0.1:${await promise}`);
  await client.until("220 hello");
  client[Symbol.dispose]();
  server.stop(true);
});
