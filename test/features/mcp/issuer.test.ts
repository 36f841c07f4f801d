// Who a remote server is includes who issued its certificate: the same address with a certificate
// of another issuer is another server. No call reaches it before a person has accepted it, though
// its chain is one that is trusted.

import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { makeRoot, makeServer } from "../../support/certificates/certificate-maker.ts";
import { startGatewayProcess } from "../../support/gateway.ts";

setDefaultTimeout(120_000);

const HOST = Uint8Array.from([127, 0, 0, 1]);

/** A server with a certificate of one authority, or of another one. */
async function tlsServer() {
  const roots = [makeRoot("First Authority"), makeRoot("Second Authority")];
  const contexts = roots.map((root) => {
    const { pem, keyPem } = makeServer(root, [HOST]);
    return { cert: pem, key: keyPem };
  });
  const calls: string[] = [];
  const answer: RequestListener = async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    const { id, method } = JSON.parse(text);
    calls.push(method);
    const hints = { destructiveHint: false };
    const tools = [{ name: "echo", description: "e", inputSchema: { type: "object" }, annotations: hints }];
    const result = method === "tools/list" ? { tools } : { content: [{ type: "text", text: "done" }] };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  };
  const start = async (which: number, at: number) => {
    const server = createServer(contexts[which] ?? {}, answer);
    await new Promise<void>((resolve) => server.listen(at, "127.0.0.1", resolve));
    return server;
  };
  const stop = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  let server = await start(0, 0);
  const { port } = server.address() as { port: number };
  return {
    port,
    calls,
    caPem: roots.map(({ pem }) => pem).join(""),
    /** Goes on with the certificate of the other authority. */
    async change(to: number) {
      await stop();
      server = await start(to, port);
    },
    [Symbol.asyncDispose]: stop,
  };
}

for (const way of ["a local address", "an inspected host"] as const)
  test(`${way}: another issuer is another server, until it is accepted`, async () => {
    await using server = await tlsServer();
    await using gateway = await startGatewayProcess({
      policy: `mcp:
  inspect: ["127.0.0.1:${server.port}"]
  default: allow
`,
    });
    const file = join(gateway.home, "roots.pem");
    await writeFile(file, server.caPem);
    const where = `127.0.0.1:${server.port}`;
    const trusted = await gateway.run(["upstream", "add", "--ca", file, where]);
    expect([trusted.code, trusted.stderr]).toEqual([0, expect.any(String)]);
    const added = await gateway.run(["mcp", "add", "remote", `https://${where}/mcp`]);
    const ask = async (method: string, params: object = {}) => {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
      const init = { method: "POST", body, headers: { "content-type": "application/json" } };
      const response =
        way === "a local address"
          ? await fetch(added.stdout.trim(), init)
          : await fetch(`https://${where}/mcp`, {
              ...init,
              proxy: `http://${gateway.listen}`,
              tls: { ca: gateway.caPem },
            });
      return response.text();
    };
    expect(await ask("tools/list")).toContain("echo");
    expect(await ask("tools/call", { name: "echo" })).toContain('"text":"done"');
    const { servers } = await gateway.control.call("mcp_list", {});
    const seen = servers.find(({ identities }) => identities.length > 0);
    expect(seen?.identities).toMatchObject([{ kind: "http", issuer: "First Authority" }]);
    const before = server.calls.length;
    await server.change(1);
    // The first one finds out by the certificate, the next ones by what was found.
    for (let turn = 0; turn < 3; turn++)
      expect(await ask("tools/call", { name: "echo" })).not.toContain('"text":"done"');
    expect(await ask("tools/call", { name: "echo" })).toContain("not the one that was accepted");
    expect(server.calls.length).toBe(before);
    const name = seen?.name ?? "";
    const review = await gateway.run(["mcp", "review", name]);
    expect(review.stdout).toContain("Second Authority");
    expect((await gateway.run(["mcp", "review", name, "--accept"])).code).toBe(0);
    expect(await ask("tools/call", { name: "echo" })).toContain('"text":"done"');
    // Both were accepted.
    await server.change(0);
    for (let turn = 0; turn < 2; turn++) await ask("tools/list");
    expect(await ask("tools/call", { name: "echo" })).toContain('"text":"done"');
  });
