// Pinned hosts, and splices in general: what is not opened, what a pin never covers, and
// that no splice outlives its reason.

import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { type Daemon, startDaemon } from "../support/daemon.ts";
import { connectTls, connectTunnel } from "../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../support/wire/raw-origin.ts";

const POLICY = (...entries: string[]) => `
generic:
  inspect: ${JSON.stringify(entries)}
  default: deny
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`;

/** A daemon that inspects localhost and inspected.example at the origin's port. */
async function start(settings = ""): Promise<{ origin: RawOrigin; daemon: Daemon } & AsyncDisposable> {
  const origin = await startRawOrigin();
  const { port } = origin;
  const policy = POLICY(`localhost:${port}`, `inspected.example:${port}`);
  const daemon = await startDaemon({ trust: [origin], policy, settings });
  return {
    origin,
    daemon,
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

function connect(
  { daemon, origin }: { daemon: Daemon; origin: RawOrigin },
  serverName?: string,
  host = "localhost",
) {
  return connectTls(daemon.port, `${host}:${origin.port}`, {
    ca: `${daemon.caPem}\n${origin.caPem}`,
    ...(serverName === undefined ? {} : { serverName }),
  });
}

type Connected = Awaited<ReturnType<typeof connect>>;
const isIntercepted = (client: Connected) => client.socket.getPeerCertificate().issuer.CN !== "origin";

async function rowsOf(daemon: Daemon, op: string, count = 1) {
  const rows = await daemon.rowsWhen((all) => all.filter((row) => row.op === op).length >= count);
  return rows.filter((row) => row.op === op);
}

describe("a pinned host", () => {
  test("is spliced, with one pin_splice row and a splice event", async () => {
    await using both = await start();
    const { daemon, origin } = both;
    await daemon.control.call("pins_add", { host: "localhost", note: "pins its certificate" });
    using client = await connect(both, "localhost");
    expect(isIntercepted(client)).toBe(false);
    client.send(`DELETE /x HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
    await client.until("200 OK");
    const [row] = await rowsOf(daemon, "pin_splice");
    expect(row?.fields).toMatchObject({
      host: "localhost",
      port: origin.port,
      reason: "pinned: pins its certificate",
    });
    expect(row?.fields.path).toBeUndefined();
  });

  const table: [
    what: string,
    pinned: { host: string; port?: number },
    sni: string | undefined,
    open: boolean,
  ][] = [
    ["with its own SNI is spliced", { host: "localhost" }, "localhost", false],
    ["without an SNI is spliced", { host: "localhost" }, undefined, false],
    [
      "with the SNI of a host that is not inspected is spliced",
      { host: "localhost" },
      "other.example",
      false,
    ],
    [
      "with the SNI of another inspected host is intercepted",
      { host: "localhost" },
      "inspected.example",
      true,
    ],
    ["at another port is intercepted", { host: "localhost", port: 1 }, "localhost", true],
  ];
  for (const [what, pinned, serverName, open] of table)
    test(what, async () => {
      await using both = await start();
      await both.daemon.control.call("pins_add", pinned);
      using client = await connect(both, serverName);
      expect(isIntercepted(client)).toBe(open);
    });

  test("dialled under another name is intercepted: a pin is for the CONNECT name", async () => {
    await using both = await start();
    await both.daemon.control.call("pins_add", { host: "inspected.example" });
    using client = await connect(both, "inspected.example", "127.0.0.1");
    expect(isIntercepted(client)).toBe(true);
  });

  test("whose server speaks first is heard", async () => {
    const server = net.createServer((socket) => socket.write("220 ready\r\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as net.AddressInfo;
    await using daemon = await startDaemon({ policy: POLICY(`localhost:${port}`) });
    await daemon.control.call("pins_add", { host: "localhost" });
    const { client } = await connectTunnel(daemon.port, `localhost:${port}`);
    await client.until("220 ready");
    client.socket.destroy();
    server.close();
  });

  test("leaves no audit row in observe mode, and a passthrough row in passthrough", async () => {
    await using both = await start();
    const { daemon } = both;
    await daemon.control.call("pins_add", { host: "localhost" });
    await daemon.control.call("mode_set", { proxy_mode: "observe" });
    using first = await connect(both, "localhost");
    expect(isIntercepted(first)).toBe(false);
    await daemon.control.call("mode_set", { proxy_mode: "passthrough" });
    using second = await connect(both, "localhost");
    expect(isIntercepted(second)).toBe(false);
    const rows = await daemon.rowsWhen((all) => all.some((row) => row.op === "passthrough"));
    expect(rows.filter((row) => row.op !== "control").map((row) => row.op)).toEqual(["passthrough"]);
  });

  test("is pinned again after a restart of the daemon", async () => {
    await using both = await start();
    await both.daemon.control.call("pins_add", { host: "localhost", port: 443, note: "n" });
    await both.daemon.gateway.stop();
    const { startGateway } = await import("../../src/gateway/start.ts");
    const again = await startGateway({ env: { IDDIO_HOME: both.daemon.home }, version: "vtest" });
    const { pins } = await both.daemon.control.call("pins_list", {});
    expect(pins).toMatchObject([{ host: "localhost", port: 443, note: "n", source: "manual" }]);
    await again.stop();
  });
});

test("pin and unpin leave a control row with who did it, and an event", async () => {
  await using both = await start();
  const { daemon } = both;
  await daemon.control.call("pins_add", { host: "Localhost." });
  const again = await daemon.control.call("pins_add", { host: "localhost" });
  expect(again.changed).toBe(false);
  await daemon.control.call("pins_remove", { host: "localhost" });
  const rows = (await rowsOf(daemon, "control", 4)).filter((row) =>
    String(row.fields.command).includes("pin"),
  );
  expect(rows.map((row) => [row.fields.command, row.fields.host, row.fields.caller_uid])).toEqual([
    ["pin", "localhost", process.getuid?.()],
    ["unpin", "localhost", process.getuid?.()],
  ]);
  const tags: string[] = [];
  for await (const row of daemon.control.stream("events", { follow: false }))
    if ("tag" in row) tags.push(row.tag);
  expect(tags.filter((tag) => tag.includes("pinned"))).toEqual(["host_pinned", "host_unpinned"]);
});

for (const host of ["*.example.com", "", "a b", "http://x", "a/b", "0x7f.1"])
  test(`'${host}' cannot be pinned`, async () => {
    await using both = await start();
    const refused = both.daemon.control.call("pins_add", { host });
    await expect(refused).rejects.toThrow(/is not a host|one exact host/);
  });

describe("an open splice is closed", () => {
  /** Resolves when the proxy has ended the connection. */
  const ended = (client: Connected) => client.closed();

  test("when its host is unpinned, and the next connection is intercepted", async () => {
    await using both = await start();
    await both.daemon.control.call("pins_add", { host: "localhost" });
    using client = await connect(both, "localhost");
    await rowsOf(both.daemon, "pin_splice");
    await both.daemon.control.call("pins_remove", { host: "localhost" });
    await ended(client);
    using next = await connect(both, "localhost");
    expect(isIntercepted(next)).toBe(true);
  });

  test("when the policy begins to inspect its host", async () => {
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ trust: [origin], policy: POLICY("nothing.example") });
    using client = await connect({ daemon, origin }, "localhost");
    using other = await connect({ daemon, origin }, "other.example");
    await rowsOf(daemon, "passthrough", 2);
    await writeFile(join(daemon.home, "policy.yaml"), POLICY("other.example"));
    await ended(other);
    expect(client.isClosed).toBe(false);
    client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await client.until("200 OK");
  });

  test("when the mode begins to enforce", async () => {
    await using both = await start("default_mode: passthrough\n");
    using client = await connect(both, "localhost");
    await rowsOf(both.daemon, "passthrough");
    await both.daemon.control.call("mode_set", { proxy_mode: "off" });
    expect(client.isClosed).toBe(false);
    await both.daemon.control.call("mode_set", { proxy_mode: "enforce" });
    await ended(client);
  });
});
