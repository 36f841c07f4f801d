// HTTP/2 through a real daemon: node's own client and server on the outside, every mixture
// of versions between them.

import { describe, expect, test } from "bun:test";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { Http2Session } from "../../../src/gateway/message/http2-session.ts";
import { dialTcp } from "../../../src/gateway/upstream/dial/dial.ts";
import { createAuthority } from "../../support/cluster/authority.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { connectTls, connectTunnel } from "../../support/wire/proxy-client.ts";
import { startRawOrigin } from "../../support/wire/raw-origin.ts";

interface H2Origin extends AsyncDisposable {
  readonly port: number;
  readonly caPem: string;
  /** Method and path of every request that arrived. */
  readonly requests: string[];
  /** Connections that are open. */
  readonly open: number;
  /** Connections so far. */
  readonly opened: number;
}

type Handler = (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void;

/** Answers with the request's method and body. */
const echo: Handler = (stream, headers) => {
  stream.respond({ ":status": 200, "content-type": "text/plain" });
  stream.write(`${headers[":method"]} ${headers[":path"]} `);
  stream.pipe(stream);
};

async function startHttp2Origin(handler: Handler = echo): Promise<H2Origin> {
  const authority = createAuthority("origin");
  const { certPem, keyPem } = authority.serverCertificate(["localhost", "127.0.0.1"]);
  const requests: string[] = [];
  const server = http2.createSecureServer({ cert: certPem, key: keyPem, allowHTTP1: false });
  const sessions = new Set<http2.ServerHttp2Session>();
  let opened = 0;
  server.on("session", (session) => {
    opened += 1;
    sessions.add(session);
    session.on("error", () => {});
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    requests.push(`${headers[":method"]} ${headers[":path"]}`);
    stream.on("error", () => {});
    handler(stream as http2.ServerHttp2Stream, headers);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    caPem: authority.caPem,
    requests,
    get open() {
      return sessions.size;
    },
    get opened() {
      return opened;
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const policy = (port: number) => `
kubectl:
  inspect: ["localhost:${port}"]
  default: escalate
  groups:
    read: { tiers: [observe] }
    worst: { tiers: [break-glass] }
  rules: { allow: { groups: [read] }, deny: { groups: [worst] } }
`;

const PODS = "/api/v1/namespaces/a/pods";

/** An HTTP/2 client session through the gateway. */
async function connect(daemon: Daemon, port: number): Promise<http2.ClientHttp2Session> {
  const { client } = await connectTunnel(daemon.port, `localhost:${port}`);
  client.socket.removeAllListeners("data");
  const socket = tls.connect({
    socket: client.socket,
    ca: [daemon.caPem],
    servername: "localhost",
    ALPNProtocols: ["h2", "http/1.1"],
  });
  await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
  expect(socket.alpnProtocol).toBe("h2");
  const session = http2.connect(`https://localhost:${port}`, { createConnection: () => socket });
  session.on("error", () => {});
  return session;
}

interface Answer {
  readonly status: number;
  readonly headers: http2.IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: http2.IncomingHttpHeaders;
}

function ask(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined });
    let text = "";
    let head: http2.IncomingHttpHeaders = {};
    let trailers: http2.IncomingHttpHeaders = {};
    stream.on("response", (received) => {
      head = received;
    });
    stream.on("trailers", (received) => {
      trailers = received;
    });
    stream.on("data", (piece: Buffer) => {
      text += piece.toString();
    });
    stream.on("end", () => resolve({ status: Number(head[":status"]), headers: head, body: text, trailers }));
    stream.on("error", reject);
    if (body !== undefined) stream.end(body);
  });
}

describe("an HTTP/2 client", () => {
  test("reads from an HTTP/2 upstream, many requests on one connection each way", async () => {
    await using origin = await startHttp2Origin();
    await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
    const session = await connect(daemon, origin.port);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => ask(session, { ":path": `${PODS}/${i}` })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(answers[7]?.body).toBe(`GET ${PODS}/7 `);
    const rows = await daemon.rowsWhen((all) => all.filter(({ op }) => op === "mitm").length === 50);
    expect(rows.findLast(({ op }) => op === "mitm")?.fields).toMatchObject({
      decision: "allow",
      status: 200,
      tier: "observe",
    });
    session.destroy();
  });

  test("has one request held while the others on the connection go on", async () => {
    await using origin = await startHttp2Origin();
    await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
    const session = await connect(daemon, origin.port);
    const held = ask(session, { ":method": "POST", ":path": PODS, "content-type": "application/json" }, "{}");
    const [approval] = await daemon.pending();
    expect((await ask(session, { ":path": PODS })).status).toBe(200);
    expect(origin.requests).toEqual([`GET ${PODS}`]);
    await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
    expect((await held).body).toBe(`POST ${PODS} {}`);
    session.destroy();
  });

  test("is refused in the client's language, and nothing arrives", async () => {
    await using origin = await startHttp2Origin();
    await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
    const session = await connect(daemon, origin.port);
    const answer = await ask(session, { ":method": "POST", ":path": `${PODS}/x/exec?command=sh` }, "");
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ kind: "Status", code: 403 });
    expect(origin.requests).toEqual([]);
    session.destroy();
  });

  test("that resets a held stream withdraws it", async () => {
    await using origin = await startHttp2Origin();
    await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
    const session = await connect(daemon, origin.port);
    const stream = session.request({ ":method": "DELETE", ":path": `${PODS}/x` });
    stream.on("error", () => {});
    await daemon.pending();
    stream.close(http2.constants.NGHTTP2_CANCEL);
    const rows = await daemon.rowsWhen((all) => all.some(({ op }) => op === "block"));
    expect(rows.find(({ op }) => op === "block")?.fields.outcome).toBe("withdrawn");
    expect(origin.requests).toEqual([]);
    session.destroy();
  });

  test("is translated for an upstream that speaks HTTP/1.1 when it insists on HTTP/2", async () => {
    await using origin = await startRawOrigin((socket, received) => {
      if (received.includes("\r\n\r\n"))
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
    });
    await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
    const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
    client.socket.removeAllListeners("data");
    const socket = tls.connect({
      socket: client.socket,
      ca: [daemon.caPem],
      servername: "localhost",
      ALPNProtocols: ["h2"],
    });
    await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    const session = http2.connect(`https://localhost:${origin.port}`, { createConnection: () => socket });
    session.on("error", () => {});
    expect((await ask(session, { ":path": PODS })).body).toBe("ok");
    expect(origin.text).toStartWith(`GET ${PODS} HTTP/1.1\r\nHost: localhost:${origin.port}\r\n`);
    session.destroy();
  });

  const MISDIRECTED: [string, http2.OutgoingHttpHeaders, number][] = [
    ["another :authority", { ":path": PODS, ":authority": "evil.example" }, 421],
    ["a Host unlike :authority", { ":path": PODS, host: "evil.example" }, 400],
  ];
  for (const [name, headers, status] of MISDIRECTED)
    test(`with ${name} is refused`, async () => {
      await using origin = await startHttp2Origin();
      await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
      const session = await connect(daemon, origin.port);
      expect((await ask(session, { ":authority": `localhost:${origin.port}`, ...headers })).status).toBe(
        status,
      );
      expect(origin.requests).toEqual([]);
      session.destroy();
    });
});

describe("bodies over HTTP/2", () => {
  test("bring a checksum behind them to the upstream, and nothing that was not shown", async () => {
    const seen: http2.IncomingHttpHeaders[] = [];
    await using origin = await startHttp2Origin((stream) => {
      stream.on("trailers", (fields) => seen.push(fields));
      stream.on("end", () => stream.respond({ ":status": 200 }, { endStream: true }));
      stream.resume();
    });
    await using daemon = await startDaemon({
      trust: [origin],
      policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  groups: { w: { tiers: [modify] } }\n  rules: { allow: { groups: [w] } }\n`,
    });
    const session = await connect(daemon, origin.port);
    const stream = session.request(
      { ":method": "POST", ":path": "/a", te: "trailers", trailer: "content-digest" },
      { waitForTrailers: true } as http2.ClientSessionRequestOptions,
    );
    stream.on("wantTrailers", () =>
      stream.sendTrailers({ "content-digest": "sha-256=:x:", "x-vault-token": "admin" }),
    );
    const status = new Promise((resolve, reject) =>
      stream.on("response", (headers) => resolve(headers[":status"])).on("error", reject),
    );
    stream.end("body");
    expect(await status).toBe(200);
    expect(seen.map((fields) => Object.entries(fields))).toEqual([[["content-digest", "sha-256=:x:"]]]);
    session.destroy();
  }, 120_000);

  test("stream both ways at once, and trailers arrive", async () => {
    await using origin = await startHttp2Origin((stream) => {
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("data", (piece: Buffer) => stream.write(`pong ${piece}`));
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "grpc-message": "done" }));
      stream.on("end", () => stream.end());
    });
    await using daemon = await startDaemon({
      trust: [origin],
      policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  groups: { w: { tiers: [modify] } }\n  rules: { allow: { groups: [w] } }\n`,
    });
    const session = await connect(daemon, origin.port);
    const stream = session.request({
      ":method": "POST",
      ":path": "/s/Chat",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const pieces: string[] = [];
    let wake = () => {};
    stream.on("data", (piece: Buffer) => {
      pieces.push(piece.toString());
      wake();
    });
    const trailers = new Promise<http2.IncomingHttpHeaders>((resolve) => stream.once("trailers", resolve));
    for (let i = 0; i < 3; i += 1) {
      const answered = new Promise<void>((resolve) => {
        wake = resolve;
      });
      stream.write(`ping ${i}`);
      await answered;
    }
    expect(pieces).toEqual(["pong ping 0", "pong ping 1", "pong ping 2"]);
    stream.end();
    expect(await trailers).toMatchObject({ "grpc-status": "0", "grpc-message": "done" });
    session.destroy();
  });

  test("of many megabytes arrive whole in both directions", async () => {
    await using origin = await startHttp2Origin();
    await using daemon = await startDaemon({
      trust: [origin],
      policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  groups: { w: { tiers: [modify] } }\n  rules: { allow: { groups: [w] } }\n`,
    });
    const session = await connect(daemon, origin.port);
    const body = "0123456789abcdef".repeat(512 * 1024);
    const answer = await ask(session, { ":method": "PUT", ":path": "/big" }, body);
    expect(answer.body.length).toBe(body.length + "PUT /big ".length);
    expect(answer.body.endsWith(body)).toBe(true);
    session.destroy();
  }, 120_000);
});

test("an HTTP/1.1 client is translated for an upstream that speaks nothing but HTTP/2", async () => {
  await using origin = await startHttp2Origin();
  await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
  using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  const host = `Host: localhost:${origin.port}`;
  client.send(`GET ${PODS} HTTP/1.1\r\n${host}\r\nX-A: b\r\n\r\n`);
  expect(await client.until("0\r\n\r\n")).toMatch(
    /^HTTP\/1\.1 200 [\s\S]*GET \/api\/v1\/namespaces\/a\/pods /,
  );
  client.send(`GET ${PODS}/2 HTTP/1.1\r\n${host}\r\n\r\n`);
  await client.until("0\r\n\r\n", 2);
  expect(origin.requests).toEqual([`GET ${PODS}`, `GET ${PODS}/2`]);
  expect(origin.opened).toBe(1);
});

test("a client's graceful GOAWAY does not end the requests that it still waits for", async () => {
  await using origin = await startHttp2Origin();
  await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
  const session = await connect(daemon, origin.port);
  const held = ask(session, { ":method": "POST", ":path": PODS, "content-type": "application/json" }, "{}");
  const [approval] = await daemon.pending();
  session.close();
  await daemon.control.call("approvals_allow", { id: approval?.id ?? "" });
  expect((await held).status).toBe(200);
});

test("answers that nobody reads to their end leave the upstream's connection as usable as it was", async () => {
  const closed: (() => void)[] = [];
  await using origin = await startHttp2Origin((stream, headers) => {
    if (!String(headers[":path"]).endsWith("/large")) return echo(stream, headers);
    stream.on("close", () => closed.shift()?.());
    stream.respond({ ":status": 200 });
    stream.end(Buffer.alloc(1_000_000));
  });
  await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
  const session = await connect(daemon, origin.port);
  // More in all than the connection's window.
  for (let turn = 0; turn < 20; turn++) {
    const isWhole = new Promise<void>((resolve) => closed.push(resolve));
    const large = session.request({ ":path": `${PODS}/large` });
    large.on("error", () => {});
    await isWhole;
    // The upstream's answers come in order: by now the gateway has all of the large one.
    expect((await ask(session, { ":path": `${PODS}/small` })).status).toBe(200);
    large.close(http2.constants.NGHTTP2_CANCEL);
  }
  expect((await ask(session, { ":path": `${PODS}/large` })).body).toHaveLength(1_000_000);
  session.destroy();
}, 120_000);

test("a connection whose requests have all ended is closed as soon as it is not wanted any more", async () => {
  await using origin = await startHttp2Origin();
  await using daemon = await startDaemon({ trust: [origin], policy: policy(origin.port) });
  const session = await connect(daemon, origin.port);
  for (let i = 0; i < 3; i++) await ask(session, { ":path": `${PODS}/${i}` });
  expect(origin.open).toBe(1);
  // Another trust: what was connected by the one before is given up.
  const { port, caPem } = origin;
  await daemon.control.call("upstreams_add", { host: "localhost", port, ca_pem: caPem, source: "test" });
  await eventually(
    async () => origin.open,
    (open) => open === 0,
  );
  session.destroy();
});

test("a request without a body is forgotten by its connection once it is answered", async () => {
  const server = http2.createServer((_, response) => void response.end("done"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const session = new Http2Session(
    await dialTcp(["127.0.0.1"], (server.address() as AddressInfo).port, { pay: async () => () => {} }),
  );
  const get = [":method GET", ":scheme http", ":authority a", ":path /"];
  const fields = get.map((field) => field.split(" ") as [string, string]);
  const stream = session.open(fields, true);
  expect(session.idleMs).toBe(0);
  await stream.nextHead();
  while (await stream.next());
  // Nobody resets it, and nothing is left to wait for.
  await eventually(
    async () => session.idleMs,
    (idleMs) => idleMs > 0,
  );
  session.retire();
  await session.closed;
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

test("a burst of more writes than one upstream connection takes is carried out whole", async () => {
  await using origin = await startHttp2Origin();
  await using daemon = await startDaemon({
    trust: [origin],
    policy: `generic:\n  inspect: ["localhost:${origin.port}"]\n  groups: { w: { tiers: [modify] } }\n  rules: { allow: { groups: [w] } }\n`,
  });
  const sessions = await Promise.all([connect(daemon, origin.port), connect(daemon, origin.port)]);
  const answers = await Promise.all(
    sessions.flatMap((session) =>
      Array.from({ length: 90 }, (_, i) => ask(session, { ":method": "POST", ":path": `/w/${i}` }, "x")),
    ),
  );
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(origin.requests).toHaveLength(180);
  for (const session of sessions) session.destroy();
}, 120_000);
