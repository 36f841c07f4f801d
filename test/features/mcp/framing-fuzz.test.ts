// Both framings under random damage: whatever a client or a server writes, only what was judged
// reaches the server, each request is answered at most once, and what a client is shown of a server
// are whole messages that were read.

import { expect, test } from "bun:test";
import type { JudgedBack, McpLink } from "../../../src/features/mcp/stdio/daemon-link.ts";
import { StdioRelay } from "../../../src/features/mcp/stdio/relay.ts";
import { isPlumbing } from "../../../src/protocols/mcp/call.ts";
import { EventStreamReader, serialiseEvent } from "../../../src/wire/jsonrpc/event-stream.ts";
import { LineReader } from "../../../src/wire/jsonrpc/line-reader.ts";
import { parseMessage, parseMessageText } from "../../../src/wire/jsonrpc/message.ts";
import { fuzzRuns, fuzzSeed } from "../../support/fuzz-runs.ts";
import { randomOf } from "../../support/wire/mutations.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const CLIENT = [
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}',
  '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  '{"jsonrpc":"2.0","id":2,"method":"tools/list"}',
  '{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"go","arguments":{"n":1}}}',
  '{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"no","arguments":{"name":"go"}}}',
  '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"wait","_meta":{"progressToken":5}}}',
  '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}',
  '{"jsonrpc":"2.0","id":"s1","result":{"model":"m"}}',
];
const SERVER = [
  '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","instructions":"hidden"}}',
  '{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"go"},{"name":"hidden"}]}}',
  '{"jsonrpc":"2.0","id":"a","result":{"content":[]}}',
  '{"jsonrpc":"2.0","id":4,"result":{"content":[]}}',
  '{"jsonrpc":"2.0","id":5,"result":{"content":[]}}',
  '{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{"messages":[]}}',
  '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}',
];
const PIECES = [
  ...'{}[]",:\\0123e-.\u00e9\u2028 \t\r',
  '"id":1,',
  '"id":null,',
  '"method":"tools/call",',
  '"Method":"tools/call",',
  '"m\\u0065thod":"ping",',
  '"params":{"name":"go"},',
  '"result":{},',
  '"Tools":[{"name":"hidden"}],',
  '"Instructions":"hidden",',
  "\n",
  "\r\n",
  "\ufeff",
];

function damaged(lines: readonly string[], random: (below: number) => number): string {
  let text = "";
  for (let count = 1 + random(6); count > 0; count--) text += `${lines[random(lines.length)]}\n`;
  for (let edits = random(4); edits > 0; edits--) {
    const at = random(text.length + 1);
    const piece = PIECES[random(PIECES.length)] ?? "";
    const cut = random(3) * random(4);
    text = text.slice(0, at) + piece + text.slice(at + cut);
  }
  return text;
}

/** A result as a client reads it that does not mind the case of names. */
function shownOf(message: object): string {
  const { result } = message as { readonly result?: Readonly<Record<string, unknown>> };
  const read = Object.entries(result ?? {}).filter(([name]) => /^(?:tools|instructions)$/i.test(name));
  return JSON.stringify(read);
}

/** In pieces of any length, which need not end where a sign does. */
function* torn(text: string, random: (below: number) => number): Generator<Uint8Array> {
  const all = bytes(text);
  for (let at = 0; at < all.length; ) {
    const end = at + 1 + random(40);
    yield all.subarray(at, end);
    at = end;
  }
}

test("over stdin and stdout", async () => {
  const random = randomOf(fuzzSeed(18));
  for (let run = 0; run < fuzzRuns(600); run++) {
    const toServer: string[] = [];
    const toClient: string[] = [];
    const allowed = new Set<string>();
    let asked = 0;
    const link = {
      judge({ params }: { params: { name?: unknown } }, back: JudgedBack) {
        asked++;
        const parked = { approvalId: "ap-1", state: "iddio.x" };
        if (params.name === "go") {
          allowed.add(JSON.stringify(params));
          queueMicrotask(() => back.go());
        } else if (params.name === "wait") queueMicrotask(() => back.parked(parked));
        else
          back.refuse({
            status: 403,
            outcome: "refused",
            tier: "modify",
            command: "c",
            rule: "r",
            reason: "",
            retry: false,
          });
        return { leave() {}, park() {}, ended() {} };
      },
      learn: async (_: string, items: readonly { name?: string }[]) =>
        items.map((item) => typeof item?.name === "string" && !item.name.includes("hidden")),
      introduce: async () => false,
      asks: async () => undefined,
    } as unknown as McpLink;
    const relay = new StdioRelay({
      link,
      note() {},
      patience: { progressMs: 100_000, parkMs: 100_000 },
      toClient: (text) => toClient.push(text),
      toServer: (text) => toServer.push(text),
    });
    const [client, server] = [new LineReader(10_000), new LineReader(10_000)];
    const said = [damaged(CLIENT, random), damaged(SERVER, random)] as const;
    for (const piece of torn(said[0], random)) for (const line of client.push(piece)) relay.clientLine(line);
    await Promise.resolve();
    for (const piece of torn(said[1], random)) for (const line of server.push(piece)) relay.serverLine(line);
    await relay.told();
    relay.close();
    const context = JSON.stringify(said);
    for (const text of toServer) {
      const message = parseMessage(bytes(text));
      expect(message.kind, context).not.toBe("bad");
      if (message.kind === "request" && !isPlumbing(message.method))
        expect(allowed.has(JSON.stringify(message.params)), context).toBe(true);
      expect(text.includes("\n"), context).toBe(false);
    }
    const answered = new Map<string, number>();
    for (const text of toClient) {
      const message = parseMessage(bytes(text));
      expect(message.kind, context).not.toBe("bad");
      expect(shownOf(message), context).not.toContain("hidden");
      if (message.kind === "response" && message.id !== undefined)
        answered.set(JSON.stringify(message.id), (answered.get(JSON.stringify(message.id)) ?? 0) + 1);
    }
    // Every line of the client can be one request, and none has two answers.
    const lines = said[0].split("\n").length;
    expect(
      [...answered.values()].reduce((sum, count) => sum + count, 0),
      context,
    ).toBeLessThanOrEqual(lines);
    expect(asked, context).toBeLessThanOrEqual(lines + said[1].split("\n").length);
  }
});

test("over streams of events: what comes out is read as what went in, however it is torn and damaged", () => {
  const random = randomOf(fuzzSeed(26));
  const ends = ["\n", "\r", "\r\n"];
  for (let run = 0; run < fuzzRuns(1_000); run++) {
    const end = ends[random(3)] ?? "\n";
    let text = random(4) === 0 ? "\ufeff" : "";
    for (let count = 1 + random(5); count > 0; count--) {
      const line = SERVER[random(SERVER.length)] ?? "";
      text += `${random(3) === 0 ? `: comment${end}` : ""}${random(3) === 0 ? `id: ${run}${end}` : ""}data: ${line}${end}${end}`;
    }
    for (let edits = random(4); edits > 0; edits--) {
      const at = random(text.length + 1);
      text = text.slice(0, at) + (PIECES[random(PIECES.length)] ?? "") + text.slice(at + random(4));
    }
    const read = (pieces: Iterable<Uint8Array>) => {
      const reader = new EventStreamReader(5_000);
      const events = [...pieces].flatMap((piece) => [...reader.push(piece)]);
      return { events, problem: reader.problem };
    };
    const whole = read([bytes(text)]);
    // How a stream is torn decides nothing.
    expect(read(torn(text, random)), JSON.stringify(text)).toEqual(whole);
    // Any client reads the events that are passed on as they were read here.
    const passed = whole.events.filter(({ data }) => parseMessageText(data).kind !== "bad");
    expect(read([bytes(passed.map(serialiseEvent).join(""))]).events, JSON.stringify(text)).toEqual(passed);
  }
});
