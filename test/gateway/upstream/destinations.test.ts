// One destination, however it is spelled: a host that is inspected by name is inspected by address,
// and that does not rest on what the daemon happened to see. Every attempt trusts iddio's CA alone:
// its handshake succeeds exactly when the connection is intercepted.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import net from "node:net";
import { join } from "node:path";
import { AddressMemory } from "../../../src/gateway/upstream/dial/address-memory.ts";
import { Resolver } from "../../../src/gateway/upstream/dial/resolver.ts";
import { openDatabase } from "../../../src/state/database.ts";
import { AddressStore } from "../../../src/state/tables/known-addresses.ts";
import { createAuthority } from "../../support/cluster/authority.ts";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { temporaryDirectory } from "../../support/temporary-directory.ts";
import { connectRaw, connectTls } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

const denying = (entries: readonly string[]) => `
generic:
  inspect: ${JSON.stringify(entries)}
  default: deny
`;

/**
 * Sends a DELETE through a tunnel to `target` and returns the status line; rejects when iddio does not open
 * the tunnel.
 */
async function tryDelete(daemon: Daemon, target: string, serverName?: string): Promise<string> {
  using client = await connectTls(daemon.port, target, {
    ca: daemon.caPem,
    ...(serverName === undefined ? {} : { serverName }),
  });
  client.send(`DELETE /x HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  return (await client.until("\r\n")).split("\r\n")[0] ?? "";
}

/** Passes connections on to a port of this machine and counts them. */
async function startRelay(port: number) {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    const onward = net.connect(port, "127.0.0.1");
    sockets.push(socket, onward);
    for (const each of [socket, onward]) each.on("error", () => {});
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as net.AddressInfo).port,
    get connections() {
      return sockets.length / 2;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const DENIED = "HTTP/1.1 403 Forbidden";

describe("a host inspected by name, whose certificate does not tell,", () => {
  let origin: RawOrigin;
  let daemon: Daemon;
  beforeAll(async () => {
    origin = await startRawOrigin(undefined, { names: ["unrelated.example"] });
    daemon = await startDaemon({ policy: denying([`localhost:${origin.port}`]) });
    await daemon.control.call("status", {});
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  const SPELLINGS = [
    "127.0.0.1",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "LocalHost.",
  ];
  for (const host of [...SPELLINGS, "127.0.0.1"])
    test(`is denied as ${host}`, async () => {
      expect(await tryDelete(daemon, `${host}:${origin.port}`)).toBe(DENIED);
      expect(origin.text).toBe("");
    });

  for (const host of SPELLINGS)
    test(`is denied as http://${host}/`, async () => {
      using client = await connectRaw(daemon.port);
      client.send(`DELETE http://${host}:${origin.port}/x HTTP/1.1\r\nHost: ${host}:${origin.port}\r\n\r\n`);
      expect(await client.until("\r\n")).toStartWith(DENIED);
      expect(origin.text).toBe("");
    });
});

describe("a literal address that nothing matches is looked at:", () => {
  test("the names of its certificate decide, once for an hour", async () => {
    await using origin = await startRawOrigin(undefined, { names: ["api.looked.example", "127.0.0.1"] });
    await using other = await startRawOrigin(undefined, { names: ["not-inspected.example", "127.0.0.1"] });
    await using daemon = await startDaemon({ policy: denying(["*.looked.example"]) });
    await using counted = await startRelay(origin.port);
    expect(await tryDelete(daemon, `127.0.0.1:${counted.port}`)).toBe(DENIED);
    expect(await tryDelete(daemon, `127.0.0.1:${counted.port}`)).toBe(DENIED);
    expect(origin.text).toBe("");
    // One for each tunnel, and one of iddio's own.
    expect(counted.connections).toBe(3);
    // The handshake with iddio's own certificate fails: the client got the server's.
    await expect(tryDelete(daemon, `127.0.0.1:${other.port}`)).rejects.toThrow();
    using client = await connectTls(daemon.port, `127.0.0.1:${other.port}`, { ca: other.caPem });
    client.send(`GET /x HTTP/1.1\r\nHost: 127.0.0.1:${other.port}\r\n\r\n`);
    expect(await client.until("\r\n\r\nok")).toStartWith("HTTP/1.1 200 OK");
  }, 120_000);

  test("a server that breaks off iddio's own handshake has shown its certificate by then", async () => {
    const authority = createAuthority("origin");
    const { certPem } = authority.serverCertificate(["api.looked.example"]);
    const der = [...new X509Certificate(certPem).raw];
    const three = (length: number) => [length >> 16, (length >> 8) & 255, length & 255];
    const message = (type: number, body: readonly number[]) => [type, ...three(body.length), ...body];
    const list = [...three(der.length), ...der];
    const flight = [
      ...message(2, [3, 3, ...new Array<number>(32).fill(7), 0, 0xc0, 0x2f, 0]),
      ...message(11, [...three(list.length), ...list]),
    ];
    const record = [22, 3, 3, flight.length >> 8, flight.length & 255, ...flight];
    const alert = [21, 3, 3, 0, 2, 2, 40];
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      // In two pieces, and the second record cut off by an alert.
      socket.once("data", () => {
        socket.write(Uint8Array.from(record.slice(0, 100)));
        setImmediate(() => socket.end(Uint8Array.from([...record.slice(100), ...alert])));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      await using daemon = await startDaemon({ policy: denying(["*.looked.example"]) });
      const { port } = server.address() as net.AddressInfo;
      expect(await tryDelete(daemon, `127.0.0.1:${port}`)).toBe(DENIED);
    } finally {
      server.close();
    }
  }, 120_000);

  test("a wildcard in a certificate is every exact entry below it", async () => {
    await using origin = await startRawOrigin(undefined, { names: ["*.below.example"] });
    await using daemon = await startDaemon({ policy: denying(["api.below.example"]) });
    expect(await tryDelete(daemon, `127.0.0.1:${origin.port}`)).toBe(DENIED);
  }, 120_000);

  test("another name for the address of an inspected one does not hide it", async () => {
    await using origin = await startRawOrigin(undefined, { names: ["localhost"] });
    await using daemon = await startDaemon({ policy: denying([`localhost:${origin.port}`]) });
    expect(await tryDelete(daemon, `127.0.0.1:${origin.port}`, "hidden.example")).toBe(DENIED);
  }, 120_000);
});

describe("the memory of addresses", () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`);

  test("is not flooded: neither an exact name nor another route is pushed out", async () => {
    const memory = new AddressMemory(new Resolver());
    void memory.watch(["exact.invalid"]);
    memory.note("exact.invalid", ["192.0.2.1"], "exact.invalid");
    memory.note("a.quiet.example", ["192.0.2.2"], "*.quiet.example");
    many(10_000).forEach((address, at) => {
      memory.note(`n${at}.loud.example`, [address], "*.loud.example");
    });
    expect(memory.namesOf("192.0.2.1")).toEqual(["exact.invalid"]);
    expect(memory.namesOf("192.0.2.2")).toEqual(["a.quiet.example"]);
    memory.close();
  });

  test("keeps every name of an address", () => {
    const memory = new AddressMemory(new Resolver());
    memory.note("a.one.example", ["192.0.2.1"], "*.one.example");
    memory.note("a.two.example", ["192.0.2.1"], "*.two.example");
    expect([...memory.namesOf("192.0.2.1")].sort()).toEqual(["a.one.example", "a.two.example"]);
    memory.close();
  });

  test("outlasts the daemon", async () => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, "state.db");
    const first = openDatabase(path);
    const memory = new AddressMemory(new Resolver(), new AddressStore(first));
    memory.note("a.kept.example", ["192.0.2.1"], "*.kept.example");
    memory.close();
    first.close();
    const second = openDatabase(path);
    const again = new AddressMemory(new Resolver(), new AddressStore(second));
    expect(again.namesOf("192.0.2.1")).toEqual(["a.kept.example"]);
    again.close();
    second.close();
  });

  test("knows an exact name's addresses before anybody asked", async () => {
    const memory = new AddressMemory(new Resolver());
    await memory.watch(["localhost"]);
    expect(memory.namesOf("127.0.0.1")).toEqual(["localhost"]);
    memory.close();
  });
});

test("a host that an upstream was added for is judged by the block that lists it, as before", async () => {
  await using origin = await startRawOrigin();
  const place = `localhost:${origin.port}`;
  const block = (name: string, entry: string) => `${name}:\n  inspect: ["${entry}"]\n  default: deny\n`;
  await using daemon = await startDaemon({
    policy: ["kubectl", "aws", "generic"]
      .map((name) => block(name, name === "aws" ? place : name === "generic" ? "*" : "*.example.test"))
      .join(""),
  });
  const judged = async (count: number) => {
    await tryDelete(daemon, place);
    const rows = await daemon.rowsWhen((all) => all.filter(({ op }) => op === "block").length >= count);
    return rows.filter(({ op }) => op === "block").map(({ fields }) => fields.protocol);
  };
  expect(await judged(1)).toEqual(["aws"]);
  const { port, caPem } = origin;
  await daemon.control.call("upstreams_add", { host: "localhost", port, ca_pem: caPem, source: "manual" });
  expect(await judged(2)).toEqual(["aws", "aws"]);
}, 100_000);
