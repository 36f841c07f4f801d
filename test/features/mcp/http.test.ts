// Remote servers behind `iddio mcp add`, in both eras of the transport, with the official SDK's
// server and client and with a server of the test's own. The address is for its own user, for no
// web page, and for no other Host.

import { expect, setDefaultTimeout, test } from "bun:test";
import { createServer } from "node:http";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";

setDefaultTimeout(120_000);

const POLICY = `mcp:
  default: escalate
  groups:
    free:
      commands: ["remote/echo"]
  rules:
    allow:
      groups: [free]
`;

/** The SDK's server; says what reached it. */
async function sdkServer() {
  const calls: string[] = [];
  const seen: Record<string, unknown>[] = [];
  const http = createServer(async (request, response) => {
    seen.push(request.headers);
    const server = new McpServer({ name: "sdk", version: "1" });
    for (const name of ["echo", "change_it"])
      server.registerTool(name, { description: name, annotations: { destructiveHint: false } }, () => {
        calls.push(name);
        return { content: [{ type: "text", text: `did ${name}` }] };
      });
    const transport = new StreamableHTTPServerTransport({});
    response.on("close", () => void transport.close());
    await server.connect(transport as never);
    await transport.handleRequest(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    calls,
    seen,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A server of the stateless era that answers as it is told; what reached it is kept. */
function statelessServer() {
  const bodies: Record<string, unknown>[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const body = (await request.json()) as { id?: number; method: string };
      bodies.push(body);
      const tools = [
        {
          name: "echo",
          description: "e",
          inputSchema: { type: "object" },
          annotations: { destructiveHint: false },
        },
        {
          name: "change_it",
          description: "c",
          inputSchema: { type: "object" },
          annotations: { destructiveHint: false },
        },
      ];
      const result =
        body.method === "tools/list"
          ? { resultType: "complete", tools }
          : { resultType: "complete", content: [{ type: "text", text: "done" }] };
      const text = JSON.stringify({ jsonrpc: "2.0", id: body.id, result });
      if (body.method !== "tools/call")
        return new Response(text, { headers: { "content-type": "application/json" } });
      // Lines that end in a carriage return only.
      return new Response(`: hi\rdata: ${text}\r\r`, { headers: { "content-type": "text/event-stream" } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/mcp`,
    bodies,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

const VERSION = "2026-07-28";
const META = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

async function added(gateway: GatewayProcess, url: string, ...more: string[]): Promise<string> {
  const { code, stdout, stderr } = await gateway.run(["mcp", "add", "remote", url, ...more]);
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

function post(url: string, body: object | string, headers: Readonly<Record<string, string>> = {}) {
  return fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

function stateless(
  url: string,
  method: string,
  params: Record<string, unknown> = {},
  headers: Readonly<Record<string, string>> = {},
) {
  const name = typeof params.name === "string" ? { "mcp-name": params.name } : {};
  return post(
    url,
    { jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } },
    { "mcp-protocol-version": VERSION, "mcp-method": method, ...name, ...headers },
  );
}

test("the SDK's client reaches the SDK's server: what is allowed passes, what is held waits on an open stream", async () => {
  await using server = await sdkServer();
  await using gateway = await startGatewayProcess({ policy: POLICY, settings: "approval_timeout: 10m" });
  const url = await added(gateway, server.url, "--header", "Authorization: Bearer of-iddio");
  const client = new Client({ name: "t", version: "1" });
  const given = { requestInit: { headers: { authorization: "Bearer of-the-client" } } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), given) as never);
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["echo", "change_it"]);
  expect(await client.callTool({ name: "echo", arguments: {} })).toMatchObject({
    content: [{ text: "did echo" }],
  });
  const call = client.callTool({ name: "change_it", arguments: {} });
  await gateway.held();
  expect(server.calls).toEqual(["echo"]);
  await gateway.approve();
  expect(await call).toMatchObject({ content: [{ text: "did change_it" }] });
  expect(server.seen.every(({ authorization }) => authorization === "Bearer of-iddio")).toBe(true);
  const denied = client.callTool({ name: "change_it", arguments: {} });
  await gateway.deny("no");
  expect(await denied).toMatchObject({ isError: true });
  expect(server.calls).toEqual(["echo", "change_it"]);
  await client.close();
});

test("in the stateless era a call that waits gives a state, and the same call with it goes on, once", async () => {
  using server = statelessServer();
  await using gateway = await startGatewayProcess({
    policy: POLICY,
    settings: "approval_timeout: 10m",
    env: { IDDIO_MCP_PATIENCE: "100,500" },
  });
  const url = await added(gateway, server.url);
  const list = (await (await stateless(url, "tools/list")).json()) as { result: { tools: object[] } };
  expect(list.result.tools.length).toBe(2);
  const echo = await stateless(url, "tools/call", { name: "echo", arguments: {} });
  expect(await echo.text()).toContain('"text":"done"');
  const waits = (await (
    await stateless(url, "tools/call", { name: "change_it", arguments: { a: 1 } })
  ).json()) as {
    result: { resultType: string; requestState: string };
  };
  expect(waits.result.resultType).toBe("input_required");
  await gateway.approve();
  const { requestState } = waits.result;
  const other = await stateless(url, "tools/call", { name: "change_it", arguments: { a: 2 }, requestState });
  expect(await other.text()).toContain("request state is of another call");
  const done = await stateless(url, "tools/call", { name: "change_it", arguments: { a: 1 }, requestState });
  expect(await done.text()).toContain('"text":"done"');
  const again = await stateless(url, "tools/call", { name: "change_it", arguments: { a: 1 }, requestState });
  expect(await again.text()).toContain("was used");
  const calls = server.bodies.filter(({ method }) => method === "tools/call");
  expect(calls.length).toBe(2);
  expect(JSON.stringify(calls)).not.toContain("requestState");
});

test("headers that disagree with the body are refused before anything is judged", async () => {
  using server = statelessServer();
  await using gateway = await startGatewayProcess({ policy: POLICY });
  const url = await added(gateway, server.url);
  await stateless(url, "tools/list");
  const before = server.bodies.length;
  const cases: readonly Readonly<Record<string, string>>[] = [
    { "mcp-method": "tools/list" },
    { "mcp-name": "echo" },
    { "mcp-protocol-version": "2025-11-25" },
  ];
  for (const headers of cases) {
    const answer = await stateless(url, "tools/call", { name: "change_it", arguments: {} }, headers);
    expect([answer.status, ((await answer.json()) as { error: { code: number } }).error.code]).toEqual([
      400, -32020,
    ]);
  }
  const twice = await post(
    url,
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"change_it"}}',
  );
  expect(twice.status).toBe(400);
  expect(server.bodies.length).toBe(before);
});

test("the address is for nobody who does not know it, for no web page, and under no other Host", async () => {
  using server = statelessServer();
  await using gateway = await startGatewayProcess({ policy: POLICY });
  const url = await added(gateway, server.url);
  const wrong = new URL(url);
  wrong.pathname = wrong.pathname.replace(/[0-9a-f]{8}/, "00000000");
  const message = { jsonrpc: "2.0", id: 1, method: "ping" };
  expect((await post(wrong.href, message)).status).toBe(404);
  expect((await post(url, message, { origin: "http://evil.example" })).status).toBe(403);
  expect((await post(url, message, { host: "evil.example" })).status).toBe(421);
  expect(server.bodies.length).toBe(0);
});

test("an address that is not verified, and fields that are not a credential, cannot be added", async () => {
  await using gateway = await startGatewayProcess({ policy: POLICY });
  for (const args of [
    ["http://mcp.example/mcp"],
    ["https://u:p@mcp.example/mcp"],
    ["nonsense"],
    ["https://mcp.example/mcp", "--header", "Host: other"],
    ["https://mcp.example/mcp", "--header", "Mcp-Session-Id: a"],
  ])
    expect((await gateway.run(["mcp", "add", "remote", ...args])).code, args.join(" ")).toBe(2);
});
