// A client over HTTP while its call waits, at a local address and at an inspected host alike: it
// hears that it waits, it can take the call back, and its server sees nothing of what iddio and the
// client say to each other.

import { afterAll, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Transport1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";

setDefaultTimeout(120_000);

type Body = { id?: number; method: string; params?: Record<string, unknown> };
const bodies: Body[] = [];
/** Members of the answer to a call, besides that it was done. */
let says: object = {};
/** The status of its answer to a call. */
let status = 200;
let server: ReturnType<typeof Bun.serve>;
let gateway: GatewayProcess;
let local: string;

const TOOLS = ["echo", "change_it"].map((name) => ({
  name,
  description: name,
  inputSchema: { type: "object", properties: { where: { type: "string", "x-mcp-header": "Where" } } },
  annotations: { destructiveHint: false },
}));

function resultOf({ method }: Body): object {
  if (method === "initialize")
    return {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "s", version: "1" },
    };
  if (method === "server/discover")
    return {
      resultType: "complete",
      supportedVersions: [VERSION],
      capabilities: { tools: {} },
      serverInfo: { name: "s", version: "1" },
      ttlMs: 0,
      cacheScope: "private",
    };
  if (method === "tools/list")
    return { resultType: "complete", tools: TOOLS, ttlMs: 0, cacheScope: "private" };
  return { resultType: "complete", content: [{ type: "text", text: "done" }], ...says };
}

const VERSION = "2026-07-28";
const META = {
  "io.modelcontextprotocol/protocolVersion": VERSION,
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": { elicitation: { url: {}, form: {} } },
};

beforeAll(async () => {
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      if (request.method !== "POST") return new Response("no\n", { status: 405 });
      const coding = request.headers.get("content-encoding");
      const raw = new Uint8Array(await request.arrayBuffer());
      const body = JSON.parse(
        new TextDecoder().decode(coding === "gzip" ? Bun.gunzipSync(raw) : raw),
      ) as Body;
      bodies.push(body);
      if (body.id === undefined) return new Response(null, { status: 202 });
      if (body.method === "tools/call" && status !== 200) return new Response("gone\n", { status });
      const text = JSON.stringify({ jsonrpc: "2.0", id: body.id, result: resultOf(body) });
      return new Response(text, { headers: { "content-type": "application/json" } });
    },
  });
  gateway = await startGatewayProcess({
    policy: `mcp:
  inspect: ["127.0.0.1:${server.port}"]
  default: escalate
  groups:
    free: {commands: ["*/echo", "*/elicitation:create"]}
    never: {commands: ["*/sampling:createMessage"]}
  rules:
    allow: {groups: [free]}
    deny: {groups: [never]}
`,
    settings: "approval_timeout: 10m",
    env: { IDDIO_MCP_PATIENCE: "20,200" },
  });
  const { stdout } = await gateway.run(["mcp", "add", "remote", `http://127.0.0.1:${server.port}/mcp`]);
  local = stdout.trim();
  for (const way of WAYS) await way.post("tools/list", {});
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await server.stop(true);
});
beforeEach(() => {
  bodies.length = 0;
  says = {};
  status = 200;
});

interface Way {
  readonly name: string;
  readonly url: () => string;
  readonly fetch: typeof fetch;
  post(method: string, params: object, more?: Sent): Promise<Response>;
}

interface Sent {
  readonly id?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isCoded?: boolean;
  readonly signal?: AbortSignal;
}

function wayOf(name: string, url: () => string, proxy: () => string | undefined): Way {
  const send = ((to: string | URL | Request, init?: RequestInit) =>
    fetch(
      to as string,
      { ...init, ...(proxy() === undefined ? {} : { proxy: proxy() }) } as never,
    )) as typeof fetch;
  return {
    name,
    url,
    fetch: send,
    post(method, params, { id = 1, headers = {}, isCoded = false, signal } = {}) {
      const message = {
        jsonrpc: "2.0",
        ...(method.startsWith("notifications/") ? {} : { id }),
        method,
        params,
      };
      const text = JSON.stringify(message);
      return send(url(), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...(isCoded ? { "content-encoding": "gzip" } : {}),
          ...headers,
        },
        body: isCoded ? Bun.gzipSync(text) : text,
        ...(signal === undefined ? {} : { signal }),
      });
    },
  };
}

const WAYS = [
  wayOf(
    "a local address",
    () => local,
    () => undefined,
  ),
  wayOf(
    "an inspected host",
    () => `http://127.0.0.1:${server.port}/mcp`,
    () => `http://${gateway.listen}`,
  ),
];

const stateless = (way: Way, params: Record<string, unknown>, more: Sent = {}) =>
  way.post(
    "tools/call",
    { ...params, _meta: META },
    {
      ...more,
      headers: {
        "mcp-protocol-version": VERSION,
        "mcp-method": "tools/call",
        "mcp-name": String(params.name),
        ...more.headers,
      },
    },
  );
const resultIn = async (response: Response) =>
  ((await response.json()) as { result: Record<string, unknown> }).result;
const pendings = async () => (await gateway.control.call("approvals_list", {})).approvals;
const none = () => eventually(pendings, (all) => all.length === 0);
const calls = () => bodies.filter(({ method }) => method === "tools/call");
let turn = 0;
/** Arguments that no other test has. */
const own = () => ({ turn: ++turn });

for (const way of WAYS)
  describe(way.name, () => {
    test("a client that asked for progress hears that it waits, until it is done", async () => {
      const client = new Client1({ name: "t", version: "1" });
      await client.connect(new Transport1(new URL(way.url()), { fetch: way.fetch as never }) as never);
      let heard = 0;
      const call = client.callTool({ name: "change_it", arguments: own() }, undefined, {
        onprogress: () => heard++,
        timeout: 110_000,
      });
      await eventually(
        async () => heard,
        (count) => count >= 20,
      );
      expect(calls()).toEqual([]);
      await gateway.approve();
      expect(await call).toMatchObject({ content: [{ text: "done" }] });
      const denied = client.callTool({ name: "change_it", arguments: own() }, undefined, {
        onprogress: () => heard++,
      });
      await gateway.deny("no");
      expect(await denied).toMatchObject({ isError: true });
      expect(calls().length).toBe(1);
      await client.close();
    });

    test("a call that its client cancels is not asked about any more, and its server never hears of it", async () => {
      const args = own();
      const call = way.post(
        "tools/call",
        { name: "change_it", arguments: args, _meta: { progressToken: 1 } },
        { id: 41 },
      );
      await gateway.held();
      const cancelled = await way.post("notifications/cancelled", {
        requestId: 41,
        reason: "escape was pressed",
      });
      expect(cancelled.status).toBe(202);
      await none();
      expect(await (await call).text()).toContain("withdrawn");
      expect(bodies).toEqual([]);
      // Of another id it is the server's business.
      await way.post("notifications/cancelled", { requestId: 42 });
      expect(bodies.map(({ method }) => method)).toEqual(["notifications/cancelled"]);
    });

    test("a call that its client gives up by its clock waits on, and the same call takes it over", async () => {
      const params = { name: "change_it", arguments: own(), _meta: { progressToken: 1 } };
      const first = way.post("tools/call", params, { id: 51 });
      const { id } = await gateway.held();
      await way.post("notifications/cancelled", { requestId: 51, reason: "Request timed out" });
      expect(await (await first).text()).toContain(id);
      const again = way.post("tools/call", params, { id: 52 });
      expect((await gateway.approve()).id).toBe(id);
      expect(await (await again).text()).toContain("done");
      expect(calls().length).toBe(1);
    });

    for (const isCoded of way.name === "an inspected host" ? [false, true] : [false])
      test(`the state of a call that waits stays between iddio and its client${isCoded ? ", in a body that is coded as well" : ""}`, async () => {
        const params = { name: "change_it", arguments: own() };
        const { requestState, resultType } = await resultIn(await stateless(way, params));
        expect(resultType).toBe("input_required");
        // A client that speaks by the older era from here on, and so gets a stream.
        const again = way.post(
          "tools/call",
          {
            ...params,
            requestState,
            inputResponses: { a: { action: "accept" } },
            _meta: { progressToken: 9 },
          },
          { isCoded },
        );
        const response = await again;
        expect(response.headers.get("content-type")).toContain("text/event-stream");
        await gateway.approve();
        expect(await response.text()).toContain("done");
        expect(calls().map(({ params: sent }) => sent)).toEqual([{ ...params, _meta: { progressToken: 9 } }]);
      });

    test("what a client answers to its server is shown and bound, and reaches it after the hold", async () => {
      const toServer = {
        requestState: "of-the-server",
        inputResponses: { q: { action: "accept", content: { env: "test" } } },
      };
      const params = { name: "change_it", arguments: own() };
      const held = await resultIn(await stateless(way, { ...params, ...toServer }));
      const { id } = await gateway.held();
      expect((await gateway.run(["approval", "show", id])).stdout).toContain('"env": "test"');
      await gateway.approve();
      // Approved for this answer, and for no other.
      const other = { ...toServer, inputResponses: { q: { action: "accept", content: { env: "prod" } } } };
      const another = await resultIn(await stateless(way, { ...params, ...other }));
      expect(another.resultType).toBe("input_required");
      expect(calls()).toEqual([]);
      const done = await stateless(way, { ...params, requestState: held.requestState });
      expect(await done.text()).toContain("done");
      expect(calls().length).toBe(1);
      expect(calls()[0]?.params).toMatchObject(toServer);
      await gateway.deny("no");
      await none();
    });

    test("what a server of 2026 asks of the client in its answer is judged like a request of its own", async () => {
      const asks = (method: string) => ({
        resultType: "input_required",
        content: undefined,
        requestState: "s",
        inputRequests: {
          a: { method: "elicitation/create", params: {} },
          q: { method, params: { messages: [] } },
        },
      });
      says = asks("sampling/createMessage");
      const refused = await resultIn(await stateless(way, { name: "echo", arguments: {} }));
      expect(refused).toMatchObject({ isError: true, resultType: "complete" });
      expect(JSON.stringify(refused)).toContain("refused");
      says = asks("elicitation/create");
      expect(await resultIn(await stateless(way, { name: "echo", arguments: {} }))).toMatchObject({
        resultType: "input_required",
      });
      says = { ...asks("x"), inputRequests: [{ method: "sampling/createMessage" }] };
      expect(await (await stateless(way, { name: "echo", arguments: {} })).text()).toContain(
        "cannot be read",
      );
    });

    test("a header that repeats an argument wrongly is refused", async () => {
      const call = (where: string, said: string) =>
        stateless(way, { name: "echo", arguments: { where } }, { headers: { "mcp-param-where": said } });
      expect((await call("eu", "us")).status).toBe(400);
      expect(calls()).toEqual([]);
      expect((await call("eu", "eu")).status).toBe(200);
    });

    test("a client of 2026 is given the address of the question, and goes on once a person has said yes", async () => {
      const client = new Client(
        { name: "t", version: "1" },
        {
          capabilities: { elicitation: { url: {}, form: {} } },
          versionNegotiation: { mode: { pin: VERSION } },
        },
      );
      const shown: { url?: string; mode?: string; message?: string }[] = [];
      client.setRequestHandler("elicitation/create", async ({ params }) => {
        shown.push(params as never);
        return { action: "accept" };
      });
      await client.connect(
        new StreamableHTTPClientTransport(new URL(way.url()), { fetch: way.fetch as never }),
      );
      const call = client.callTool({ name: "change_it", arguments: own() }, { timeout: 110_000 });
      const { id } = await gateway.held();
      await eventually(
        async () => shown.length,
        (count) => count > 0,
      );
      expect(shown[0]).toMatchObject({ mode: "url" });
      expect(shown[0]?.message).toContain(id);
      expect(shown[0]?.url).toMatch(new RegExp(`^http://localhost:\\d+/#/approvals/${id}$`));
      // The page is there.
      expect((await fetch(String(shown[0]?.url))).status).toBe(200);
      expect(calls()).toEqual([]);
      await gateway.approve();
      expect(await call).toMatchObject({ content: [{ text: "done" }] });
      expect(calls().length).toBe(1);
      expect(JSON.stringify(bodies)).not.toContain("iddio.");
      await client.close();
    });
  });

test("a server that answers with an error after a hold ends the wait of its client", async () => {
  status = 404;
  for (const way of WAYS) {
    const params = { name: "change_it", arguments: own(), _meta: { progressToken: 1 } };
    // Its head is here when the client hears that it waits.
    const response = await way.post("tools/call", params, { id: 61 });
    await gateway.approve();
    const text = await response.text();
    expect(text).toContain('"id":61');
    expect(text).toContain("the server answered 404");
  }
});
