// Clusters below a path of their server and behind a proxy of their own, as kubeconfigs name them:
// judged without the path, forwarded with it, and reached through that proxy alone.

import { describe, expect, test } from "bun:test";
import net, { type AddressInfo } from "node:net";
import { type Daemon, startDaemon } from "../../support/daemon.ts";
import { intercepted } from "../../support/wire/faults.ts";
import { type RawOrigin, startRawOrigin } from "../../support/wire/raw-origin.ts";

const policy = (origin: RawOrigin, host = "localhost") => `
kubectl:
  inspect: ["${host}:${origin.port}"]
  default: deny
  groups: { reads: { tiers: [observe] } }
  rules: { allow: { groups: [reads] } }
`;

const PREFIX = "/kubernetes/cluster/one";

async function answerTo(daemon: Daemon, origin: RawOrigin, line: string): Promise<string> {
  using client = await intercepted(daemon, origin.port);
  client.send(`${line} HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
  return await client.until("\r\n\r\n");
}

describe("a cluster below a path", () => {
  test("is judged as what it is below it, and gets the path that the client sent", async () => {
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ policy: policy(origin) });
    const add = (path_prefixes: string[]) =>
      daemon.control.call("upstreams_add", {
        host: "localhost",
        port: origin.port,
        ca_pem: origin.caPem,
        path_prefixes,
        source: "kubeconfig",
      });
    await add(["/v1/teleport/Zm9v/YmFy"]);
    // A second context of the same server is registered beside the first.
    await add([PREFIX]);
    const pods = "/api/v1/namespaces/a/pods";
    const rows: readonly (readonly [line: string, status: number])[] = [
      [`GET /v1/teleport/Zm9v/YmFy${pods}`, 200],
      [`GET ${PREFIX}${pods}?limit=1`, 200],
      [`GET ${pods}`, 200],
      [`DELETE ${PREFIX}${pods}/p`, 403],
      [`GET ${PREFIX}/api/v1/namespaces/a/secrets/s`, 403],
      [`GET ${PREFIX}x${pods}`, 403],
      [`GET ${PREFIX}/..${pods}`, 403],
      [`GET /other${pods}`, 403],
    ];
    for (const [line, status] of rows)
      expect([line, (await answerTo(daemon, origin, line)).slice(9, 12)]).toEqual([line, String(status)]);
    expect(origin.text).toContain(`GET ${PREFIX}${pods}?limit=1 HTTP/1.1`);
    expect(origin.text).not.toContain("DELETE");
    // Anyone who asks in advance is told the same.
    const host = `localhost:${origin.port}`;
    const url = `https://${host}${PREFIX}${pods}`;
    const told = await daemon.control.call("classify", { method: "GET", url });
    expect([told.tier, told.command]).toEqual(["observe", "pods list"]);
    const decided = await daemon.control.call("decide", {
      method: "DELETE",
      host,
      path: `${PREFIX}${pods}/p`,
    });
    expect(decided.classification?.command).toBe("pods delete");
    const { upstreams } = await daemon.control.call("upstreams_list", {});
    expect(upstreams[0]?.path_prefixes).toEqual(["/v1/teleport/Zm9v/YmFy", PREFIX]);
  }, 120_000);

  test("cannot be one inside an API, nor a path with two readings", async () => {
    await using origin = await startRawOrigin();
    await using daemon = await startDaemon({ policy: policy(origin) });
    const input = { host: "localhost", port: origin.port, ca_pem: "", source: "kubeconfig" };
    for (const prefix of ["/api/v1/namespaces/a", "/apis", "/a/", "a", "/a%2fb", "/a/../b", ""])
      expect(
        await daemon.control.call("upstreams_add", { ...input, path_prefixes: [prefix] }).catch(String),
      ).toMatch(/path prefix cannot be kept/);
  }, 120_000);
});

/** A proxy that leads every name to this machine: SOCKS5 with a password, or CONNECT. */
async function startProxy(kind: "socks5" | "http") {
  const asked: string[] = [];
  const server = net.createServer();
  server.on("connection", (client) => {
    client.on("error", () => {});
    let step = 0;
    const connect = (name: string, port: number, granted: Uint8Array | string) => {
      asked.push(`${name}:${port}`);
      const upstream = net.connect(port, "127.0.0.1", () => {
        client.removeAllListeners("data");
        client.write(granted);
        client.pipe(upstream).pipe(client);
      });
      upstream.on("error", () => client.destroy());
    };
    client.on("data", (bytes: Buffer) => {
      if (kind === "http") {
        const [, name = "", port = ""] = /^CONNECT ([^:]+):(\d+) /.exec(bytes.toString("latin1")) ?? [];
        return connect(name, Number(port), "HTTP/1.1 200 OK\r\n\r\n");
      }
      step += 1;
      if (step === 1) return client.write(Uint8Array.of(5, 2));
      if (step === 2)
        return client.write(Uint8Array.of(1, bytes.toString("latin1").endsWith("\x01u\x01p") ? 0 : 1));
      const length = bytes[4] ?? 0;
      const granted = Uint8Array.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0);
      return connect(bytes.toString("latin1", 5, 5 + length), bytes.readUInt16BE(5 + length), granted);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    asked,
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]() {
      server.close();
    },
  };
}

describe("a cluster with a proxy of its own", () => {
  for (const kind of ["socks5", "http"] as const)
    test(`is reached through it (${kind}), by name`, async () => {
      await using origin = await startRawOrigin(undefined, { names: ["api.cluster.invalid"] });
      using proxy = await startProxy(kind);
      await using daemon = await startDaemon({ policy: policy(origin, "api.cluster.invalid") });
      const host = "api.cluster.invalid";
      const { upstream } = await daemon.control.call("upstreams_add", {
        host,
        port: origin.port,
        ca_pem: origin.caPem,
        proxy_url: `${kind}://u:p@127.0.0.1:${proxy.port}`,
        source: "kubeconfig",
      });
      expect(upstream.proxy).toBe(`${kind}://127.0.0.1:${proxy.port}`);
      const { connectTls } = await import("../../support/wire/proxy-client.ts");
      using client = await connectTls(daemon.port, `${host}:${origin.port}`, { ca: daemon.caPem });
      client.send(`GET /api/v1/pods HTTP/1.1\r\nHost: ${host}:${origin.port}\r\n\r\n`);
      expect(await client.until("\r\n\r\nok")).toStartWith("HTTP/1.1 200 ");
      expect(new Set(proxy.asked)).toEqual(new Set([`${host}:${origin.port}`]));
      expect(origin.text).toContain("GET /api/v1/pods");
    }, 120_000);

  test("whose password is not taken is told so, and one that is iddio itself is not registered", async () => {
    await using origin = await startRawOrigin();
    using proxy = await startProxy("socks5");
    await using daemon = await startDaemon({ policy: policy(origin) });
    const input = { host: "localhost", port: origin.port, ca_pem: origin.caPem, source: "kubeconfig" };
    await daemon.control.call("upstreams_add", {
      ...input,
      proxy_url: `socks5://u:wrong@127.0.0.1:${proxy.port}`,
    });
    using client = await intercepted(daemon, origin.port);
    client.send(`GET /api/v1/pods HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
    const refusal = await client.until("}");
    expect(refusal).toContain("the SOCKS5 proxy does not take its name and password");
    expect(refusal).not.toContain("wrong");
    for (const itself of [`http://127.0.0.1:${daemon.port}`, `socks5://localhost:${daemon.port}`])
      expect(
        await daemon.control.call("upstreams_add", { ...input, proxy_url: itself }).catch(String),
      ).toContain("the proxy is iddio itself");
    expect(
      await daemon.control.call("upstreams_add", { ...input, proxy_url: "ftp://h" }).catch(String),
    ).toContain("its scheme is ftp");
  }, 120_000);
});
