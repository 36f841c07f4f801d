// Attempts of an agent to get a write past the policy. Every case goes through a real daemon to an
// upstream that records bytes; the law is that the upstream sees none of them.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Entry } from "../../../src/model/entry.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { connectRaw, connectTls, connectTunnel } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

let origin: RawOrigin;
let daemon: Daemon;

beforeAll(async () => {
  origin = await startRawOrigin();
  daemon = await startDaemon({
    trust: [origin],
    policy: `
kubectl:
  inspect: ["localhost:${origin.port}"]
  default: deny
  groups:
    read: { tiers: [observe] }
    write: { tiers: [modify, sensitive, break-glass] }
  rules:
    allow: { groups: [read] }
    deny: { groups: [write] }
`,
  });
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await origin[Symbol.asyncDispose]();
});

const isBlock = (row: Entry) => row.op === "block";

const HOST = () => `Host: localhost:${origin.port}`;
const POD = "/api/v1/namespaces/payments/pods";

/** Sends bytes inside an intercepted tunnel and returns the answer, once the connection has ended or a whole reply came. */
async function attack(bytes: string): Promise<string> {
  using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
  client.send(bytes);
  return await client.until("\r\n\r\n");
}

const MALFORMED: [string, () => string][] = [
  [
    "both lengths",
    () =>
      `POST ${POD} HTTP/1.1\r\n${HOST()}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  [
    "two lengths",
    () => `POST ${POD} HTTP/1.1\r\n${HOST()}\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
  ],
  [
    "a coding that is not chunked",
    () => `POST ${POD} HTTP/1.1\r\n${HOST()}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  ],
  ["bare line feeds", () => `GET ${POD} HTTP/1.1\n${HOST()}\n\n`],
  ["a folded field", () => `GET ${POD} HTTP/1.1\r\n${HOST()}\r\nX-A: a\r\n b\r\n\r\n`],
  ["a space before the colon", () => `GET ${POD} HTTP/1.1\r\n${HOST()}\r\nContent-Length : 4\r\n\r\n`],
  ["two Host fields", () => `GET ${POD} HTTP/1.1\r\n${HOST()}\r\n${HOST()}\r\n\r\n`],
  ["no Host field", () => `GET ${POD} HTTP/1.1\r\n\r\n`],
  ["a NUL in a value", () => `GET ${POD} HTTP/1.1\r\n${HOST()}\r\nX-A: a\0b\r\n\r\n`],
  ["a space in the target", () => `GET ${POD} /x HTTP/1.1\r\n${HOST()}\r\n\r\n`],
  [
    "an upgrade to a protocol that nobody knows",
    () => `GET ${POD} HTTP/1.1\r\n${HOST()}\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n`,
  ],
  ["the HTTP/2 preface", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["a nested CONNECT", () => `CONNECT localhost:${origin.port} HTTP/1.1\r\n${HOST()}\r\n\r\n`],
  [
    "a Connection field that hides another",
    () =>
      `GET ${POD} HTTP/1.1\r\n${HOST()}\r\nConnection: X-HTTP-Method-Override\r\nX-HTTP-Method-Override: DELETE\r\n\r\n`,
  ],
  ["another Host", () => `GET ${POD} HTTP/1.1\r\nHost: evil.example\r\n\r\n`],
  ["another port in Host", () => `GET ${POD} HTTP/1.1\r\nHost: localhost:1\r\n\r\n`],
  ["an absolute target for another host", () => `GET https://evil.example/ HTTP/1.1\r\n${HOST()}\r\n\r\n`],
  ["bytes that are not HTTP", () => "\x00\x01\x02\x03\r\n\r\n"],
];

describe("a request that breaks a rule of the wire is refused, recorded and not forwarded:", () => {
  for (const [name, bytes] of MALFORMED)
    test(name, async () => {
      const before = origin.text;
      const blocks = (await daemon.rows()).filter(isBlock).length;
      expect(await attack(bytes())).toMatch(/^HTTP\/1\.1 (4|5)\d\d /);
      expect(origin.text).toBe(before);
      await daemon.rowsWhen((rows) => rows.filter(isBlock).length === blocks + 1);
    });

  test("a bad chunk size", async () => {
    const before = origin.text;
    const answer = await attack(
      `POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews HTTP/1.1\r\n${HOST()}\r\nTransfer-Encoding: chunked\r\n\r\n0x4\r\nabcd\r\n0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    // The head of an allowed request may have gone out; the body and anything behind it must not.
    expect(origin.text.slice(before.length)).not.toContain("abcd");
  });
});

const WRITES: [string, string, string][] = [
  ["encoded dot segments", "GET", `${POD}/x/%2e%2e/%2e%2e/secrets/db`],
  ["dot segments", "GET", `${POD}/x/../../secrets/db`],
  ["an encoded slash", "GET", "/api/v1/namespaces/payments/pods%2Fx%2Fexec"],
  ["a doubled slash", "DELETE", `/${POD}/x`],
  ["a watch of secrets by prefix", "GET", "/api/v1/watch/secrets"],
  ["a method in odd case", "Delete", `${POD}/x`],
  ["a method in lower case", "delete", `${POD}/x`],
  ["an unknown method", "FROB", POD],
  ["a secret", "GET", "/api/v1/namespaces/payments/secrets/db"],
];

describe("a request that policy refuses never reaches the upstream:", () => {
  for (const [name, method, target] of WRITES)
    test(name, async () => {
      const before = origin.text;
      expect(await attack(`${method} ${target} HTTP/1.1\r\n${HOST()}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 403 /);
      expect(origin.text).toBe(before);
    });

  test("X-HTTP-Method-Override", async () => {
    const before = origin.text;
    expect(
      await attack(`GET ${POD}/x HTTP/1.1\r\n${HOST()}\r\nX-HTTP-Method-Override: DELETE\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 403 /);
    expect(origin.text).toBe(before);
  });

  test("a DELETE with dryRun=All in the query and a body that says otherwise", async () => {
    const before = origin.text;
    const body = `{"kind":"DeleteOptions","apiVersion":"v1"}`;
    const request = `DELETE ${POD}/x?dryRun=All HTTP/1.1\r\n${HOST()}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect(await attack(request)).toMatch(/^HTTP\/1\.1 403 /);
    expect(origin.text).toBe(before);
  });

  test("a write pipelined behind an allowed read", async () => {
    const before = origin.text.length;
    using client = await connectTls(daemon.port, `localhost:${origin.port}`, { ca: daemon.caPem });
    client.send(`GET ${POD} HTTP/1.1\r\n${HOST()}\r\n\r\nDELETE ${POD}/x HTTP/1.1\r\n${HOST()}\r\n\r\n`);
    const answers = await client.until("HTTP/1.1 ", 2);
    expect(answers).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*HTTP\/1\.1 403 /);
    expect(origin.text.slice(before)).not.toContain("DELETE");
  });
});

describe("another spelling of the destination is the same destination:", () => {
  const SPELLINGS: [string, () => string, string][] = [
    ["upper case", () => `LOCALHOST:${origin.port}`, "localhost"],
    ["a trailing dot", () => `localhost.:${origin.port}`, "localhost"],
    ["its address, once the name was seen", () => `127.0.0.1:${origin.port}`, "other.example"],
    ["its address with the inspected SNI", () => `127.0.0.1:${origin.port}`, "localhost"],
  ];
  for (const [name, target, serverName] of SPELLINGS)
    test(name, async () => {
      await attack(`GET ${POD} HTTP/1.1\r\n${HOST()}\r\n\r\n`);
      const before = origin.text;
      // Trusting only iddio's CA: the handshake succeeds exactly when the connection is intercepted.
      using client = await connectTls(daemon.port, target(), { ca: daemon.caPem, serverName });
      client.send(`DELETE ${POD}/x HTTP/1.1\r\nHost: ${target().toLowerCase()}\r\n\r\n`);
      expect(await client.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 403 /);
      expect(origin.text).toBe(before);
    });

  const REFUSED = ["2130706433", "0x7f.0.0.1", "017700000001", "127.1", "user@localhost", "[::1"];
  for (const host of REFUSED)
    test(`${host} is not a destination`, async () => {
      const { client, answer } = await connectTunnel(daemon.port, `${host}:${origin.port}`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      client[Symbol.dispose]();
    });
});

test("plain HTTP inside a tunnel to an inspected host is judged too", async () => {
  const before = origin.text;
  const { client } = await connectTunnel(daemon.port, `localhost:${origin.port}`);
  client.send(`DELETE ${POD}/x HTTP/1.1\r\n${HOST()}\r\n\r\n`);
  expect(await client.until("\r\n\r\n", 2)).toMatch(/HTTP\/1\.1 403 /);
  expect(origin.text).toBe(before);
  client[Symbol.dispose]();
});

test("an absolute-form request to an inspected host is judged too", async () => {
  using client = await connectRaw(daemon.port);
  client.send(`DELETE http://localhost:${origin.port}${POD}/x HTTP/1.1\r\n${HOST()}\r\n\r\n`);
  expect(await client.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 403 /);
});

test("a CONNECT to the gateway itself is refused as a loop", async () => {
  for (const host of ["127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"]) {
    const { client, answer } = await connectTunnel(daemon.port, `${host}:${daemon.port}`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    client[Symbol.dispose]();
  }
});

test("a request is judged by the host that the upstream will read, not by the one that was connected to", async () => {
  await using shared = await startRawOrigin(undefined, {
    names: ["storage.googleapis.com", "iam.googleapis.com", "127.0.0.1"],
  });
  await using gateway = await startDaemon({
    trust: [{ ...shared, hosts: ["127.0.0.1"] }],
    policy: `
gcloud:
  inspect: ["127.0.0.1:${shared.port}", "*.googleapis.com"]
  default: deny
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`,
  });
  const names = ["storage.googleapis.com", "iam.googleapis.com"];
  for (const name of names) {
    using client = await connectTls(gateway.port, `127.0.0.1:${shared.port}`, {
      ca: gateway.caPem,
      serverName: name,
    });
    client.send(`GET /storage/v1/b HTTP/1.1\r\nHost: ${name}:${shared.port}\r\n\r\n`);
    await client.until("\r\n\r\n");
  }
  const rows = (await gateway.rowsWhen((all) => all.filter(({ op }) => op !== "control").length >= 2)).filter(
    ({ op }) => op !== "control",
  );
  expect(rows.map(({ fields }) => fields.host)).toEqual(names);
});
