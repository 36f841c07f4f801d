// Lines between a client and a server: none that two parsers could read differently, every other
// one as it came, and calls that are held without a client's clock running out.

import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import { type GatewayProcess, startGatewayProcess } from "../../support/gateway.ts";
import { ownServer } from "../../support/mcp/mcp-client.ts";
import { startLines, textOf } from "../../support/mcp/mcp-lines.ts";

setDefaultTimeout(180_000);

const POLICY = `mcp:
  default: escalate
  groups:
    free:
      commands: ["own/echo", "own/ask_model", "own/sampling:createMessage"]
  rules:
    allow:
      groups: [free]
`;
const tool = (name: string) => ({
  name,
  description: name,
  inputSchema: { type: "object" },
  annotations: { destructiveHint: false },
});

async function started(env: Readonly<Record<string, string>> = {}, settings = "approval_timeout: 10m") {
  const gateway = await startGatewayProcess({ policy: POLICY, settings });
  const file = join(gateway.home, "offer.json");
  await writeFile(
    file,
    JSON.stringify({
      tools: [tool("echo"), tool("change_it"), tool("ask_model")],
      resources: [{ uri: "own://a", name: "a" }],
    }),
  );
  const client = await startLines(gateway, "own", ownServer("scripted", file), env);
  await client.ask("tools/list");
  const log = async () => (await readFile(`${file}.log`, "utf8")).split("\n").filter((line) => line !== "");
  return {
    gateway,
    client,
    log,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

const pendings = async (gateway: GatewayProcess) =>
  (await gateway.control.call("approvals_list", {})).approvals;

test.concurrent("lines that two parsers could read differently go nowhere, and say so", async () => {
  await using it = await started();
  const before = (await it.log()).length;
  const lines = [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"change_it"}}',
    '{"jsonrpc":"2.0","id":2,"method":"tools/call","Method":"ping","params":{"name":"change_it"}}',
    '[{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"change_it"}}]',
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"change_it"}}',
    '{"jsonrpc":"2.0","id":4,"method":"ping"}\r{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"change_it"}}',
    "not json",
  ];
  for (const line of lines) it.client.write(line);
  await it.client.ask("ping");
  expect(it.client.lines.filter(({ error }) => error?.code === -32600).length).toBe(5);
  const after = (await it.log()).slice(before);
  expect(after.length).toBe(1);
  expect(after[0]).toContain('"ping"');
});

test.concurrent("an allowed line reaches the server octet for octet, with numbers and order as they were", async () => {
  await using it = await started();
  const line =
    '{ "params" : {"arguments":{"n":9007199254740993,"e":1e400,"s":"\\u00e9\\ud83d\\ude00"},"name":"echo"}, "method":"tools/call","id":"str-1" , "jsonrpc":"2.0"}';
  it.client.write(line);
  await it.client.line(({ id }) => id === "str-1");
  expect((await it.log()).at(-1)).toBe(line);
});

test.concurrent("a result of a megabyte comes whole", async () => {
  await using it = await started();
  const answer = await it.client.ask("tools/call", { name: "echo", arguments: { size: 1_200_000 } });
  expect(textOf(answer).length).toBe(1_200_000);
});

test.concurrent("a client that asked for progress hears that it waits, for as long as it takes", async () => {
  await using it = await started({ IDDIO_MCP_PATIENCE: "50,100000" });
  const call = it.client.ask("tools/call", {
    name: "change_it",
    arguments: {},
    _meta: { progressToken: "p1" },
  });
  const heard = () => it.client.lines.filter(({ method }) => method === "notifications/progress");
  await eventually(
    async () => heard().length,
    (count) => count >= 5,
  );
  const values = heard().map(({ params }) => Number(params?.progress));
  expect(values).toEqual([...values].sort((a, b) => a - b));
  expect(new Set(values).size).toBe(values.length);
  expect(heard()[0]?.params?.progressToken).toBe("p1");
  await it.gateway.approve();
  expect(textOf(await call)).toBe("x");
});

test.concurrent("a client that did not is told the approval, and the same call takes it over", async () => {
  await using it = await started({ IDDIO_MCP_PATIENCE: "50,300" });
  const first = await it.client.ask("tools/call", { name: "change_it", arguments: { a: 1, b: [2] } });
  const [held] = await pendings(it.gateway);
  expect(first.result?.isError).toBe(true);
  expect(textOf(first)).toContain(`iddio approval allow ${held?.id}`);
  expect(textOf(first)).toContain("exactly the same call again");
  // As often as it takes: each time it is told the same approval, and nobody else is asked.
  for (let turn = 0; turn < 2; turn++)
    expect(
      textOf(await it.client.ask("tools/call", { name: "change_it", arguments: { a: 1, b: [2] } })),
    ).toContain(held?.id ?? "none");
  expect((await pendings(it.gateway)).length).toBe(1);
  // The same in another order is the same; other arguments are another question.
  const again = it.client.ask("tools/call", { name: "change_it", arguments: { b: [2], a: 1 } });
  await it.client.ask("ping");
  expect((await pendings(it.gateway)).map(({ id }) => id)).toEqual([held?.id ?? ""]);
  await it.gateway.approve();
  let answer = await again;
  // On a slow machine it was told to come again before the approval was given.
  while (answer.result?.isError === true)
    answer = await it.client.ask("tools/call", { name: "change_it", arguments: { a: 1, b: [2] } });
  expect(textOf(answer)).toBe("x");
  expect((await it.log()).filter((line) => line.includes("change_it")).length).toBe(1);
});

test.concurrent("what was approved while nobody waited is done once, for the same call, and is not for another", async () => {
  await using it = await started({ IDDIO_MCP_PATIENCE: "50,300" });
  await it.client.ask("tools/call", { name: "change_it", arguments: { a: 1 } });
  await it.gateway.approve();
  const other = it.client.ask("tools/call", { name: "change_it", arguments: { a: 2 } });
  await eventually(
    () => pendings(it.gateway),
    (all) => all.length === 1,
  );
  expect(textOf(await it.client.ask("tools/call", { name: "change_it", arguments: { a: 1 } }))).toBe("x");
  const second = await it.client.ask("tools/call", { name: "change_it", arguments: { a: 1 } });
  expect(second.result?.isError).toBe(true);
  expect((await other).result?.isError).toBe(true);
  expect((await it.log()).filter((line) => line.includes("change_it")).length).toBe(1);
});

test.concurrent("a client that gives up by its clock comes back to the same approval; one that cancels takes it back", async () => {
  await using it = await started();
  const send = (id: number, args: object) =>
    it.client.write(
      JSON.stringify({
        jsonrpc: "2.0",
        id,
        method: "tools/call",
        params: { name: "change_it", arguments: args, _meta: { progressToken: id } },
      }),
    );
  const cancel = (requestId: number, reason: string) =>
    it.client.write(
      JSON.stringify({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId, reason } }),
    );
  send(1, { a: 1 });
  const [first] = await eventually(
    () => pendings(it.gateway),
    (all) => all.length === 1,
  );
  cancel(1, "McpError: MCP error -32001: Request timed out");
  await it.client.ask("ping");
  send(2, { a: 1 });
  await it.client.ask("ping");
  expect((await pendings(it.gateway)).map(({ id }) => id)).toEqual([first?.id ?? ""]);
  cancel(2, "the user pressed escape");
  await eventually(
    () => pendings(it.gateway),
    (all) => all.length === 0,
  );
  expect((await it.log()).filter((line) => line.includes("change_it") || line.includes("cancelled"))).toEqual(
    [],
  );
});

test.concurrent("a thousand calls at once are each answered, once", async () => {
  await using it = await started();
  for (let id = 1; id <= 1000; id++)
    it.client.write(
      JSON.stringify({
        jsonrpc: "2.0",
        id,
        method: "tools/call",
        params: { name: "echo", arguments: { size: id } },
      }),
    );
  await eventually(
    async () => it.client.lines.filter(({ id }) => typeof id === "number" && id <= 1000).length,
    (count) => count >= 1000,
  );
  for (const line of it.client.lines)
    if (typeof line.id === "number" && line.id <= 1000) expect(textOf(line).length).toBe(line.id);
  const rows = await it.gateway.rowsWhen((all) => all.filter(({ op }) => op === "mcp").length >= 1000);
  expect(rows.filter(({ op }) => op === "mcp").length).toBe(1000);
});

test.concurrent("a server that asks the client's model is judged too", async () => {
  await using it = await started();
  const call = it.client.ask("tools/call", { name: "ask_model", arguments: {} });
  const question = await it.client.line(({ method }) => method === "sampling/createMessage");
  it.client.write(
    JSON.stringify({
      jsonrpc: "2.0",
      id: question.id,
      result: { role: "assistant", content: { type: "text", text: "hi" }, model: "m" },
    }),
  );
  expect(textOf(await call)).toContain("hi");
  await it.gateway.rowsWhen((all) =>
    all.some(({ op, fields }) => op === "mcp" && fields.command === "own/sampling:createMessage"),
  );
});

test.concurrent("a resource that the server lists is read; one that the client makes up is asked about", async () => {
  await using it = await started();
  const policy = `${POLICY}    escalate:\n      commands: ["own/x"]\n`;
  expect(policy).toContain("own/x");
  await it.client.ask("resources/list");
  const read = it.client.ask("resources/read", { uri: "file:///etc/passwd" });
  const held = await it.gateway.held();
  expect(held).toMatchObject({ tier: "unknown", command: "own/resources:read" });
  await it.gateway.deny("no");
  expect((await read).error?.message).toContain("a person denied");
});

test.concurrent("without the daemon nothing is passed on, and with it again it goes on", async () => {
  await using it = await started();
  await it.gateway.kill("SIGKILL");
  const refused = await it.client.ask("tools/call", { name: "echo", arguments: {} });
  expect(textOf(refused)).toContain("the iddio daemon does not run");
  const list = await it.client.ask("tools/list");
  expect(list.error?.message).toContain("the daemon does not run");
  expect((await it.log()).filter((line) => line.includes('"tools/call"'))).toEqual([]);
});
