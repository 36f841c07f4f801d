// SIGTERM to the gateway process: what is held is withdrawn with its reason, what is nearly done is
// finished, what goes on is cut and does not look whole, every row is on the disk, and the next one
// serves within a second.

import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { ControlClient } from "../../src/api/client.ts";
import type { Entry } from "../../src/model/entry.ts";
import { builtBinary } from "../support/built-binary.ts";
import { eventually } from "../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../support/gateway.ts";
import { connectTls, connectTunnel, type RawClient } from "../support/wire/proxy-client.ts";
import { type RawOrigin, type Responder, startRawOrigin } from "../support/wire/raw-origin.ts";

const HEAD = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** `/soon` is answered after a moment, `/endless` goes on for ever, everything else at once. */
const respond: Responder = (socket, received) => {
  if (!received.endsWith("\r\n\r\n")) return;
  const path = received.split(" HTTP/1.1\r\n").at(-2)?.split(" ").at(-1);
  if (path === "/endless") {
    socket.write(`${HEAD}5\r\nbegun\r\n`);
    return;
  }
  const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  if (path === "/soon") setTimeout(() => socket.write(answer), 150);
  else socket.write(answer);
};

async function start() {
  const origin = await startRawOrigin(respond);
  const gateway = await startGatewayProcess({
    policy: `
generic:
  inspect: ["localhost:${origin.port}"]
  default: escalate
  groups: { read: { tiers: [observe] } }
  rules: { allow: { groups: [read] } }
`,
  });
  const { port, caPem } = origin;
  await gateway.control.call("upstreams_add", { host: "localhost", port, ca_pem: caPem, source: "test" });
  return {
    origin,
    gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await origin[Symbol.asyncDispose]();
    },
  };
}

function connect(gateway: GatewayProcess, origin: RawOrigin): Promise<RawClient> {
  return connectTls(gateway.port, `localhost:${origin.port}`, { ca: gateway.caPem });
}

function request(origin: RawOrigin, method: string, path: string): string {
  return `${method} ${path} HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`;
}

/** The rows as they are on the disk, every one of which must be whole. */
async function rowsOf(gateway: GatewayProcess): Promise<Entry[]> {
  const text = await readFile(join(gateway.home, "audit.jsonl"), "utf8");
  expect(text).toEndWith("\n");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);
}

describe("SIGTERM", () => {
  test("withdraws what is held, with the reason for the client and the log", async () => {
    await using it = await start();
    const { gateway, origin } = it;
    using client = await connect(gateway, origin);
    client.send(request(origin, "POST", "/held"));
    await gateway.held();
    const stopped = gateway.kill("SIGTERM");
    const answer = await client.closed();
    await stopped;
    expect(answer).toStartWith("HTTP/1.1 403 ");
    expect(answer).toContain('"outcome":"withdrawn"');
    expect(answer).toContain("the gateway is stopping");
    const row = (await rowsOf(gateway)).find(({ fields }) => fields.path === "/held");
    expect(row).toMatchObject({ op: "block", fields: { outcome: "withdrawn", status: 403 } });
    expect(row?.fields.reason).toContain("the gateway is stopping");
    expect(origin.text).not.toContain("/held");
  }, 120_000);

  test("lets what is nearly done finish, cuts what goes on, and takes nothing new", async () => {
    await using it = await start();
    const { gateway, origin } = it;
    using soon = await connect(gateway, origin);
    using endless = await connect(gateway, origin);
    using idle = await connect(gateway, origin);
    using tunnel = (await connectTunnel(gateway.port, `localhost:${await echoPort()}`)).client;
    tunnel.send("through");
    await tunnel.until("through");
    endless.send(request(origin, "GET", "/endless"));
    await endless.until("begun");
    soon.send(request(origin, "GET", "/soon"));
    await eventually(
      async () => origin.text,
      (text) => text.includes("/soon"),
    );
    const stopped = gateway.kill("SIGTERM");
    await eventually(
      () =>
        connectTunnel(gateway.port, "localhost:1").then(
          () => "taken",
          () => "refused",
        ),
      (how) => how === "refused",
    );
    expect(await soon.until("\r\n\r\nok")).toStartWith("HTTP/1.1 200 ");
    expect(await endless.closed()).not.toContain("0\r\n\r\n");
    await idle.closed();
    await tunnel.closed();
    await stopped;
    const paths = (await rowsOf(gateway)).map(({ fields }) => fields.path);
    expect(paths).toContain("/soon");
    expect(paths).toContain("/endless");
  }, 120_000);

  test("loses no row of what was answered before", async () => {
    await using it = await start();
    const { gateway, origin } = it;
    const clients = await Promise.all(Array.from({ length: 10 }, () => connect(gateway, origin)));
    await Promise.all(
      clients.map(async (client, index) => {
        for (let i = 1; i <= 20; i += 1) {
          client.send(request(origin, "GET", `/${index}-${i}`));
          await client.until("\r\n\r\nok", i);
        }
      }),
    );
    await gateway.kill("SIGTERM");
    for (const client of clients) client[Symbol.dispose]();
    const rows = (await rowsOf(gateway)).filter(({ op }) => op === "mitm");
    expect(new Set(rows.map(({ fields }) => fields.path)).size).toBe(200);
  }, 120_000);

  /** Milliseconds from the signal until the next gateway answers. */
  async function restart(): Promise<number> {
    await using it = await start();
    const { gateway, origin } = it;
    using endless = await connect(gateway, origin);
    endless.send(request(origin, "GET", "/endless"));
    await endless.until("begun");
    using idle = await connect(gateway, origin);
    idle.send(request(origin, "GET", "/"));
    await idle.until("\r\n\r\nok");
    using held = await connect(gateway, origin);
    held.send(request(origin, "POST", "/held"));
    await gateway.held();

    const began = performance.now();
    await gateway.kill("SIGTERM");
    const env = { PATH: "/usr/bin:/bin", HOME: gateway.home, IDDIO_HOME: gateway.home };
    const next = Bun.spawn([builtBinary(), "gateway"], { env, stdout: "ignore", stderr: "ignore" });
    const control = new ControlClient(join(gateway.home, "iddio.sock"));
    await eventually(
      () => control.call("status", {}).catch(() => undefined),
      (status) => status?.pid === next.pid,
    );
    const tookMs = performance.now() - began;
    next.kill("SIGTERM");
    expect(await next.exited).toBe(0);
    return tookMs;
  }

  test("and another start wait for nobody who is connected", async () => {
    const times: number[] = [];
    // The machine may be busy with something else.
    while (times.length < 3 && !times.some((ms) => ms < 5_000)) times.push(await restart());
    expect(Math.min(...times)).toBeLessThan(5_000);
  }, 120_000);
});

const echoes: net.Server[] = [];

async function echoPort(): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  echoes.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return (server.address() as net.AddressInfo).port;
}
