// A hostile server and a hostile client on both sides of the wrapper, line by line: nobody answers
// for the other, nothing goes out under the approval of something else, and the client hears the
// server's lines in their order.

import { expect, test } from "bun:test";
import type { JudgedBack, McpLink } from "../../../src/features/mcp/stdio/daemon-link.ts";
import { StdioRelay } from "../../../src/features/mcp/stdio/relay.ts";
import type { Refusal } from "../../../src/protocols/refused.ts";

const REFUSAL: Refusal = {
  status: 403,
  outcome: "refused",
  tier: "modify",
  command: "own/x",
  rule: "rules.deny",
  reason: "",
  retry: false,
};

function world() {
  const toServer: string[] = [];
  const toClient: string[] = [];
  const said: string[] = [];
  const questions: { readonly method: string; readonly params: unknown; readonly back: JudgedBack }[] = [];
  const learning = Promise.withResolvers<void>();
  const link = {
    judge({ method, params }: { method: string; params: unknown }, back: JudgedBack) {
      questions.push({ method, params, back });
      return {
        leave: () => said.push("leave"),
        park: () => said.push("park"),
        ended: (failure?: string) => said.push(`ended${failure === undefined ? "" : ` ${failure}`}`),
      };
    },
    async learn(_kind: string, items: readonly unknown[]) {
      await learning.promise;
      return items.map(() => true);
    },
    introduce: async () => true,
    asks: async ({ method }: { method: string }) => (method === "elicitation/create" ? undefined : REFUSAL),
  } as unknown as McpLink;
  const relay = new StdioRelay({
    link,
    note() {},
    patience: { progressMs: 100_000, parkMs: 100_000 },
    toClient: (text) => toClient.push(text),
    toServer: (text) => toServer.push(text),
  });
  const line = (message: object) => new TextEncoder().encode(JSON.stringify({ jsonrpc: "2.0", ...message }));
  return {
    toServer,
    toClient,
    said,
    questions,
    relay,
    learnt: learning.resolve,
    client: (message: object) => relay.clientLine(line(message)),
    server: (message: object) => relay.serverLine(line(message)),
    [Symbol.dispose]: () => relay.close(),
  };
}

const call = (id: unknown, name = "change_it") => ({
  id,
  method: "tools/call",
  params: { name, arguments: {} },
});

test("an answer to what was never asked, was not sent yet or was answered before reaches nobody", () => {
  using it = world();
  it.server({ id: 7, result: { content: [] } });
  it.client(call(1));
  it.server({ id: 1, result: { content: [{ type: "text", text: "done, honestly" }] } });
  expect(it.toClient).toEqual([]);
  it.questions[0]?.back.go();
  it.server({ id: "1", result: {} });
  it.server({ id: 1, result: { content: [] } });
  it.server({ id: 1, result: { content: [{ type: "text", text: "again" }] } });
  expect(it.toClient.length).toBe(1);
  expect(it.said).toEqual(["ended"]);
  // The other way round, too.
  it.client({ id: "s9", result: { model: "m" } });
  expect(it.toServer.length).toBe(1);
});

test("under the id of a call that waits no other call can be sent, and none is let through by its approval", () => {
  using it = world();
  it.client(call(1, "harmless"));
  it.client(call(1, "drop_everything"));
  it.client({ id: 1, method: "ping" });
  expect(it.questions.length).toBe(1);
  expect(it.toClient.map((text) => JSON.parse(text).error.code)).toEqual([-32600, -32600]);
  it.questions[0]?.back.go();
  expect(it.toServer.map((text) => JSON.parse(text).params.name)).toEqual(["harmless"]);
});

test("a number and a text are two ids", () => {
  using it = world();
  it.client(call(1, "a"));
  it.client(call("1", "b"));
  for (const { back } of it.questions) back.go();
  expect(it.toServer.length).toBe(2);
  it.server({ id: "1", result: { content: [] } });
  expect(JSON.parse(it.toClient[0] ?? "").id).toBe("1");
});

test("ids that are none are refused, and nothing is asked about them", () => {
  using it = world();
  for (const id of [null, 1.5, {}, [], true, "x".repeat(1_000), 1e300]) it.client(call(id));
  expect(it.questions).toEqual([]);
  expect(it.toServer).toEqual([]);
  expect(it.toClient.length).toBe(7);
});

test("a call that is cancelled while it waits is taken back, and an approval that comes later sends nothing", () => {
  using it = world();
  it.client(call(1));
  it.client({ method: "notifications/cancelled", params: { requestId: 1 } });
  expect(it.said).toEqual(["leave"]);
  it.questions[0]?.back.go();
  expect(it.toServer).toEqual([]);
  expect(it.said[1]).toContain("before it was sent");
  // Cancelled by somebody else's id, nothing is.
  it.client(call(2));
  for (const requestId of ["2", null, {}, 3])
    it.client({ method: "notifications/cancelled", params: { requestId } });
  it.server({ method: "notifications/cancelled", params: { requestId: 2 } });
  it.questions[1]?.back.go();
  expect(it.toServer.length).toBe(1);
});

test("what a server asks of the client waits for the word of the daemon, whatever it is called", () => {
  using it = world();
  for (const [index, method] of [
    "sampling/createMessage",
    "elicitation/create",
    "tools/call",
    "x/y",
  ].entries())
    it.server({ id: index, method, params: {} });
  expect(it.toClient).toEqual([]);
  expect(it.questions.map(({ method }) => method).length).toBe(4);
  it.questions[0]?.back.refuse(REFUSAL);
  expect(it.toServer.map((text) => JSON.parse(text).error.code)).toEqual([-32003]);
  it.questions[1]?.back.go();
  expect(it.toClient.length).toBe(1);
  // A message that is no notification and has no id is neither.
  it.server({ method: "sampling/createMessage", params: {} });
  expect(it.toClient.length).toBe(1);
});

test("in an answer of 2026 it waits too, and a refusal takes the place of the answer", async () => {
  using it = world();
  const asks = (...methods: readonly string[]) => ({
    resultType: "input_required",
    inputRequests: Object.fromEntries(methods.map((method, index) => [index, { method, params: {} }])),
    requestState: "s",
  });
  for (const id of [1, 2, 3]) it.client(call(id));
  for (const { back } of it.questions) back.go();
  it.server({ id: 1, result: asks("elicitation/create", "sampling/createMessage") });
  it.server({ id: 2, result: asks("elicitation/create", "roots/list") });
  it.server({ id: 3, result: { ...asks(), inputRequests: "x" } });
  await Bun.sleep(0);
  const answers = it.toClient.map((text) => JSON.parse(text)).sort((a, b) => a.id - b.id);
  expect(answers[0].result).toMatchObject({ isError: true, resultType: "complete" });
  expect(answers[1].result).toMatchObject({ resultType: "input_required" });
  expect(answers[2].error.message).toContain("cannot be read");
});

test("what the server says after a list comes after the list", async () => {
  using it = world();
  it.client({ id: 1, method: "tools/list" });
  it.client(call(2));
  it.questions[0]?.back.go();
  it.server({ id: 1, result: { tools: [{ name: "a" }] } });
  it.server({ method: "notifications/tools/list_changed" });
  it.server({ id: 2, result: { content: [] } });
  expect(it.toClient).toEqual([]);
  it.learnt();
  await it.relay.told();
  expect(it.toClient.map((text) => JSON.parse(text).id ?? "changed")).toEqual([1, "changed", 2]);
});
