import { describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { connect } from "node:tls";
import { parseClientHello } from "../../src/wire/tls/client-hello.ts";
import {
  alpn,
  ascii,
  extension,
  helloMessage,
  records,
  serverName,
  vector,
} from "../support/wire/client-hello.ts";

const NOTHING = { kind: "ok", serverName: undefined, alpn: [], hasEncryptedClientHello: false };

describe("a ClientHello says", () => {
  const cases: [what: string, message: number[], value: object][] = [
    ["nothing without extensions", helloMessage(undefined), NOTHING],
    ["nothing with an empty extension block", helloMessage([]), NOTHING],
    ["its server name", helloMessage(serverName("a.example")), { ...NOTHING, serverName: "a.example" }],
    [
      "its server name in lower case, without the trailing dot",
      helloMessage(serverName("A.Example.")),
      { ...NOTHING, serverName: "a.example" },
    ],
    [
      "an address as it stands there",
      helloMessage(serverName("127.0.0.1")),
      { ...NOTHING, serverName: "127.0.0.1" },
    ],
    [
      "its protocols in order",
      helloMessage(alpn("h2", "http/1.1")),
      { ...NOTHING, alpn: ["h2", "http/1.1"] },
    ],
    [
      "protocols that are not ASCII, one character an octet",
      helloMessage(alpn("\x0a\xfa")),
      { ...NOTHING, alpn: ["\x0a\xfa"] },
    ],
    [
      "that it is encrypted",
      helloMessage([...serverName("cover.example"), ...extension(0xfe0d, [0])]),
      { ...NOTHING, serverName: "cover.example", hasEncryptedClientHello: true },
    ],
    [
      "that it is encrypted the older way",
      helloMessage(extension(0xffce, [])),
      { ...NOTHING, hasEncryptedClientHello: true },
    ],
  ];
  for (const [what, message, value] of cases) {
    test(what, () => expect(parseClientHello(records(message))).toEqual(value as never));
    test(`${what}, in records of one octet`, () =>
      expect(parseClientHello(records(message, 1))).toEqual(value as never));
  }

  test("the same whatever follows it in later records", () => {
    const bytes = Uint8Array.from([...records(helloMessage(serverName("a.example"))), 20, 3, 3, 0, 1, 1]);
    expect(parseClientHello(bytes)).toMatchObject({ kind: "ok", serverName: "a.example" });
  });

  test("the same when it is large and spread over records", () => {
    const message = helloMessage([
      ...extension(21, new Array<number>(40_000).fill(0)),
      ...serverName("a.example"),
    ]);
    expect(parseClientHello(records(message))).toMatchObject({ kind: "ok", serverName: "a.example" });
  });
});

test("a ClientHello needs more until its last octet, in whatever records", () => {
  const message = helloMessage([...serverName("a.example"), ...alpn("h2")]);
  for (const fragment of [16_384, 50, 3, 1]) {
    const bytes = records(message, fragment);
    for (let length = 0; length < bytes.length; length++)
      expect(parseClientHello(bytes.subarray(0, length))).toEqual({ kind: "need-more" });
    expect(parseClientHello(bytes).kind).toBe("ok");
  }
});

describe("it is no TLS when it starts with", () => {
  const cases: [what: string, bytes: number[]][] = [
    ["a request", ascii("GET / HTTP/1.1")],
    ["an SSH banner", ascii("SSH-2.0-x")],
    ["an SSL 2 hello", [0x80, 0x2e, 1, 3, 1]],
    ["a record of another protocol", [22, 1, 1]],
    ["an alert record", [21, 3, 1]],
  ];
  for (const [what, bytes] of cases)
    test(what, () => expect(parseClientHello(Uint8Array.from(bytes))).toEqual({ kind: "not-tls" }));
});

describe("a ClientHello is refused when", () => {
  const twoNames = extension(0, vector(2, [0, ...vector(2, ascii("a")), 0, ...vector(2, ascii("b"))]));
  const valid = helloMessage(serverName("a.example"));
  const cases: [why: string, bytes: Uint8Array, reason: string][] = [
    [
      "the first message is another",
      records(helloMessage([], 2)),
      "first handshake message is not a client hello",
    ],
    ["a record is empty", Uint8Array.from([22, 3, 1, 0, 0]), "malformed record length"],
    ["a record is too long", Uint8Array.from([22, 3, 1, 0x40, 1]), "malformed record length"],
    [
      "an alert interrupts it",
      Uint8Array.from([...records(valid).slice(0, 3), 0, 4, ...valid.slice(0, 4), 21, 3, 1, 0, 2, 1, 0]),
      "another record type inside the client hello",
    ],
    [
      "a later record has another version",
      Uint8Array.from([22, 3, 1, 0, 4, ...valid.slice(0, 4), 22, 2]),
      "malformed record version",
    ],
    ["it claims to be huge", records([1, 0x10, 0, 0]), "client hello too large"],
    [
      "something follows it in its record",
      records([...valid, 1, 0, 0, 0]),
      "bytes after the client hello in its record",
    ],
    [
      "a name is given twice",
      records(helloMessage([...serverName("a"), ...serverName("b")])),
      "duplicate client hello extension",
    ],
    ["the name list holds two", records(helloMessage(twoNames)), "malformed server name extension"],
    [
      "the name list is empty",
      records(helloMessage(extension(0, vector(2, [])))),
      "malformed server name extension",
    ],
    [
      "the name extension is empty",
      records(helloMessage(extension(0, []))),
      "malformed server name extension",
    ],
    ["the name is empty", records(helloMessage(serverName(""))), "malformed server name extension"],
    ["the name is a dot", records(helloMessage(serverName("."))), "malformed server name extension"],
    [
      "the name has an empty label",
      records(helloMessage(serverName("a..b"))),
      "malformed server name extension",
    ],
    [
      "the name holds a NUL",
      records(helloMessage(serverName("a\0.example"))),
      "malformed server name extension",
    ],
    [
      "the name is not ASCII",
      records(helloMessage(serverName("\xe4.example"))),
      "malformed server name extension",
    ],
    [
      "the name has another type",
      records(helloMessage(extension(0, vector(2, [1, ...vector(2, ascii("a"))])))),
      "malformed server name extension",
    ],
    [
      "the protocol list is empty",
      records(helloMessage(extension(16, vector(2, [])))),
      "malformed alpn extension",
    ],
    ["a protocol is empty", records(helloMessage(alpn(""))), "malformed alpn extension"],
    ["an extension overruns", records(helloMessage([0, 0, 0, 9, 0])), "malformed client hello extensions"],
    [
      "octets follow the extensions",
      records(withBody([...helloMessage([]).slice(4), 0])),
      "malformed client hello extensions",
    ],
    ["it ends early", records(withBody([3, 3, 1, 2, 3])), "malformed client hello"],
    [
      "there are no suites",
      records(withBody([3, 3, ...new Array<number>(32).fill(0), 0, 0, 0, 1, 0])),
      "malformed client hello",
    ],
    [
      "the session id is too long",
      records(
        withBody([
          3,
          3,
          ...new Array<number>(32).fill(0),
          33,
          ...new Array<number>(33).fill(0),
          0,
          2,
          0,
          1,
          1,
          0,
        ]),
      ),
      "malformed client hello",
    ],
  ];
  for (const [why, bytes, reason] of cases)
    test(why, () => expect(parseClientHello(bytes)).toEqual({ kind: "bad", reason }));
});

function withBody(body: readonly number[]): number[] {
  return [1, ...vector(3, body)];
}

test("an endless handshake of tiny records is refused at the bound", () => {
  const start = [22, 3, 1, 0, 1, 1, 22, 3, 1, 0, 1, 0, 22, 3, 1, 0, 1, 0xff, 22, 3, 1, 0, 1, 0];
  const bytes = new Uint8Array(79_998);
  for (let at = 0; at < bytes.length; at += 6) bytes.set([22, 3, 1, 0, 1, 0], at);
  bytes.set(start);
  expect(parseClientHello(bytes)).toEqual({ kind: "bad", reason: "client hello too large" });
  expect(parseClientHello(bytes.subarray(0, 65_530))).toEqual({ kind: "need-more" });
});

test("the hello of a real TLS stack is read", async () => {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const server = createServer((socket) => {
    const pieces: Buffer[] = [];
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      const bytes = new Uint8Array(Buffer.concat(pieces));
      if (parseClientHello(bytes).kind !== "need-more") {
        resolve(bytes);
        socket.destroy();
      }
    });
    socket.on("error", reject);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const client = connect({
    host: "127.0.0.1",
    port: address.port,
    servername: "Api.Example.com",
    ALPNProtocols: ["h2", "http/1.1"],
  });
  client.on("error", () => {});
  const hello = parseClientHello(await promise);
  client.destroy();
  server.close();
  expect(hello).toEqual({
    kind: "ok",
    serverName: "api.example.com",
    alpn: ["h2", "http/1.1"],
    hasEncryptedClientHello: false,
  });
});
