// A corporate proxy between the gateway and the internet: what goes through it, what does
// not, and where its credentials may be seen.

import { describe, expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { join } from "node:path";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { connectTls, connectTunnel } from "../../support/wire/proxy-client.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Heads of the CONNECT requests that came. */
  readonly heads: string[];
}

/** A CONNECT proxy that resolves every name to this machine; `status` other than 200 refuses. */
async function startProxy(status = 200): Promise<Proxy> {
  const heads: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((client) => {
    sockets.add(client);
    client.on("error", () => {});
    client.once("data", (bytes: Buffer) => {
      const head = bytes.toString("latin1");
      heads.push(head);
      if (status !== 200) return client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      const upstream = net.connect(Number(/:(\d+) HTTP/.exec(head)?.[1]), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(upstream).pipe(client);
      });
      upstream.on("error", () => client.destroy());
      return undefined;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heads,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const policy = (origin: RawOrigin) =>
  `generic:\n  inspect: ["*.corp.test:${origin.port}", "localhost:${origin.port}"]\n  groups: { r: { tiers: [observe] } }\n  rules: { allow: { groups: [r] } }\n`;

const start = (origin: RawOrigin, settings: string) =>
  startDaemon({
    policy: policy(origin),
    settings,
    trust: [{ ...origin, hosts: ["api.corp.test", "localhost"] }],
  });

async function get(daemon: Daemon, target: string): Promise<string> {
  using client = await connectTls(daemon.port, target, {
    ca: daemon.caPem,
    serverName: target.split(":")[0] ?? "",
  });
  client.send(`GET / HTTP/1.1\r\nHost: ${target}\r\n\r\n`);
  return await client.until("\r\n\r\n");
}

describe("with upstream_proxy", () => {
  test("inspected requests go through it, to names that only it can resolve, with its credentials", async () => {
    await using origin = await startRawOrigin(undefined, { names: ["api.corp.test"] });
    await using proxy = await startProxy();
    await using daemon = await start(
      origin,
      `upstream_proxy: http://me:s3cret%40x@127.0.0.1:${proxy.port}\n`,
    );
    const target = `api.corp.test:${origin.port}`;
    expect(await get(daemon, target)).toMatch(/^HTTP\/1\.1 200 /);
    expect(proxy.heads[0]).toStartWith(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n`);
    expect(proxy.heads[0]).toContain(`Proxy-Authorization: Basic ${btoa("me:s3cret@x")}\r\n`);
    const { settings } = await daemon.control.call("settings_get", {});
    await daemon.gateway.stop();
    const said =
      JSON.stringify([settings, await daemon.rows()]) +
      (await readFile(join(daemon.home, "iddio.log"), "utf8"));
    expect(said).not.toContain("s3cret");
  });

  test("splices go through it too", async () => {
    await using origin = await startRawOrigin((socket) => socket.end("hello"), { plain: true });
    await using proxy = await startProxy();
    await using daemon = await start(origin, `upstream_proxy: http://127.0.0.1:${proxy.port}\n`);
    const { client } = await connectTunnel(daemon.port, `other.test:${origin.port}`);
    client.send("x");
    await client.until("hello");
    expect(proxy.heads).toHaveLength(1);
    client[Symbol.dispose]();
  });

  test("upstream_no_proxy is reached straight", async () => {
    await using origin = await startRawOrigin();
    await using proxy = await startProxy();
    await using daemon = await start(
      origin,
      `upstream_proxy: http://127.0.0.1:${proxy.port}\nupstream_no_proxy: localhost,.example\n`,
    );
    expect(await get(daemon, `localhost:${origin.port}`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(proxy.heads).toEqual([]);
  });

  test("a proxy that refuses is named in the answer", async () => {
    await using origin = await startRawOrigin();
    await using proxy = await startProxy(407);
    await using daemon = await start(origin, `upstream_proxy: http://127.0.0.1:${proxy.port}\n`);
    expect(await get(daemon, `localhost:${origin.port}`)).toMatch(/^HTTP\/1\.1 502 /);
  });
});
