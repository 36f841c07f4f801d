// The engine in conversation with node's own HTTP/2 (nghttp2), in both roles, on loopback: bodies,
// trailers, interim heads, resets, windows, tables.

import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { type Header, headerValue } from "../../../src/model/request.ts";
import { H2_ERROR } from "../../../src/wire/http2/connection.ts";
import { request } from "../../support/wire/http2-frames.ts";
import {
  connectHttp2,
  type Http2Socket,
  listenHttp2,
  type OnEvent,
} from "../../support/wire/http2-socket.ts";

const node = Bun.which("node");
const PEER = resolve(import.meta.dir, "../../support/wire/nghttp2-peer.mjs");

/** Octets that are the same on both sides. */
const octetsOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + seed) % 251);
const sumOf = (bytes: Uint8Array, from = 0): number =>
  bytes.reduce((sum, octet) => (sum * 31 + octet) % 1_000_003, from);

/** Sends a body in pieces as far as it is let; call again on "drain". */
class Pump {
  readonly #end: Http2Socket;
  readonly #id: number;
  readonly #body: Uint8Array;
  readonly #trailers: readonly Header[] | undefined;
  #at = 0;
  #isDone = false;

  constructor(end: Http2Socket, id: number, body: Uint8Array, trailers?: readonly Header[]) {
    this.#end = end;
    this.#id = id;
    this.#body = body;
    this.#trailers = trailers;
    this.run();
  }

  run(): void {
    while (!this.#isDone) {
      const next = Math.min(this.#body.length, this.#at + 10_000);
      this.#isDone = next === this.#body.length;
      const piece = this.#body.subarray(this.#at, next);
      this.#at = next;
      const isFree = this.#end.connection.sendData(
        this.#id,
        piece,
        this.#isDone && this.#trailers === undefined,
      );
      if (this.#isDone && this.#trailers !== undefined)
        this.#end.connection.sendHeaders(this.#id, this.#trailers, true);
      if (!isFree) break;
    }
    this.#end.flush();
  }
}

interface Upload {
  path: string;
  method: string;
  headers: readonly Header[];
  length: number;
  sum: number;
  trailers: readonly Header[];
}

/** The server that node calls; answers by path, with what it got in fields. */
function answering(): OnEvent {
  const uploads = new Map<number, Upload>();
  const pumps = new Map<number, Pump>();
  const answer = (end: Http2Socket, id: number, upload: Upload): void => {
    const { connection } = end;
    if (upload.path === "/reset") {
      connection.reset(id, H2_ERROR.REFUSED_STREAM);
      return;
    }
    if (upload.path === "/interim")
      connection.sendHeaders(
        id,
        [
          [":status", "103"],
          ["link", "</a>"],
        ],
        false,
      );
    const large = headerValue(upload.headers, "x-large");
    const fields: Header[] = [
      [":status", "200"],
      ["x-length", String(upload.length)],
      ["x-sum", String(upload.sum)],
      ["x-got", headerValue(upload.trailers, "x-sum") ?? "none"],
      ["x-octets", headerValue(upload.headers, "x-octets") ?? ""],
      [
        "x-cookies",
        upload.headers
          .filter(([name]) => name === "cookie")
          .map(([, value]) => value)
          .join("|"),
      ],
      ...(large === undefined ? [] : ([["x-large", large]] as const)),
    ];
    if (upload.path === "/download") {
      connection.sendHeaders(id, [...fields, ["content-length", "500000"]], false);
      pumps.set(id, new Pump(end, id, octetsOf(500_000, 9)));
    } else if (upload.path === "/head")
      connection.sendHeaders(id, [...fields, ["content-length", "12345"]], true);
    else {
      connection.sendHeaders(id, fields, false);
      pumps.set(id, new Pump(end, id, new TextEncoder().encode("done"), [["x-after", "1"]]));
    }
  };
  return (event, end) => {
    if (event.kind === "drain") pumps.get(event.streamId)?.run();
    if (event.kind === "error") throw new Error(event.reason);
    if (event.kind !== "headers" && event.kind !== "data") return;
    if (event.kind === "headers" && !event.isTrailers)
      uploads.set(event.streamId, {
        path: headerValue(event.headers, ":path")?.split("?")[0] ?? "",
        method: headerValue(event.headers, ":method") ?? "",
        headers: event.headers,
        length: 0,
        sum: 0,
        trailers: [],
      });
    const upload = uploads.get(event.streamId) as Upload;
    if (event.kind === "headers") {
      if (event.isTrailers) upload.trailers = event.headers;
    } else {
      upload.length += event.bytes.length;
      upload.sum = sumOf(event.bytes, upload.sum);
      end.connection.consumed(event.streamId, event.flowBytes);
    }
    if (event.endStream) answer(end, event.streamId, upload);
  };
}

interface Seen {
  readonly name: string;
  readonly status: number;
  readonly interim: readonly number[];
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers: Readonly<Record<string, string>>;
  readonly length: number;
  readonly sum: number;
  readonly code: number;
}

async function nodeCalls(port: number): Promise<Map<string, Seen>> {
  const peer = Bun.spawn([node as string, PEER], {
    stdin: new TextEncoder().encode(`${JSON.stringify({ call: port })}\n`),
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = (await new Response(peer.stdout).text()).trim().split("\n");
  expect(await peer.exited).toBe(0);
  return new Map(lines.map((line) => JSON.parse(line) as Seen).map((seen) => [seen.name, seen]));
}

/** Like every test against another program: without it there is nothing to compare with. */
function whenThereIsNode(name: string, run: () => Promise<void>): void {
  test(name, async () => {
    if (node === null) process.stderr.write("no node on the path: nothing to talk with\n");
    else await run();
  });
}

whenThereIsNode("node as the client gets every answer whole", async () => {
  using listener = listenHttp2(answering());
  const seen = await nodeCalls(listener.port);
  const done = { status: 200, length: 4, code: 0, trailers: { "x-after": "1" } };
  expect(seen.get("get")).toMatchObject({ ...done, headers: { "x-length": "0" } });
  expect(seen.get("head")).toMatchObject({
    status: 200,
    length: 0,
    code: 0,
    headers: { "content-length": "12345" },
  });
  const upload = [octetsOf(300_000, 1), octetsOf(1, 2), octetsOf(70_000, 3)].reduce(
    (sum, part) => sumOf(part, sum),
    0,
  );
  expect(seen.get("upload")).toMatchObject({
    ...done,
    headers: { "x-length": "370001", "x-sum": String(upload) },
  });
  expect(seen.get("length")).toMatchObject({ ...done, headers: { "x-length": "5" } });
  expect(seen.get("trailers")).toMatchObject({ ...done, headers: { "x-length": "1000", "x-got": "12" } });
  expect(seen.get("interim")).toMatchObject({ ...done, interim: [103] });
  expect(seen.get("download")).toMatchObject({
    status: 200,
    length: 500_000,
    sum: sumOf(octetsOf(500_000, 9)),
    code: 0,
  });
  expect(seen.get("reset")).toMatchObject({ status: 0, code: H2_ERROR.REFUSED_STREAM });
  expect(seen.get("cancelled")).toMatchObject({ status: 200, code: H2_ERROR.CANCEL });
  expect(seen.get("fields")).toMatchObject({
    ...done,
    headers: { "x-large": "y".repeat(30_000), "x-octets": "\u00e9\u00ff" },
  });
  expect(seen.has("again")).toBe(false);
  expect(seen.has("session")).toBe(false);
  expect(seen.get("ping")).toMatchObject({ isAnswered: true });
});

/** The answer on one stream. */
class Answer {
  readonly #resolve: (answer: this) => void;
  readonly whole: Promise<this>;
  headers: readonly Header[] = [];
  readonly interim: (readonly Header[])[] = [];
  trailers: readonly Header[] = [];
  length = 0;
  sum = 0;
  code: number | undefined;
  pump: Pump | undefined;

  constructor() {
    const { promise, resolve: done } = Promise.withResolvers<this>();
    this.whole = promise;
    this.#resolve = done;
  }

  end(): void {
    this.#resolve(this);
  }

  value(name: string): string | undefined {
    return headerValue(this.headers, name);
  }
}

/** The client that calls node. */
async function caller(port: number) {
  const answers = new Map<number, Answer>();
  const other: string[] = [];
  const end = await connectHttp2(port, (event, { connection }) => {
    if (!("streamId" in event)) {
      other.push(event.kind);
      return;
    }
    const answer = answers.get(event.streamId) as Answer;
    if (event.kind === "drain") answer.pump?.run();
    else if (event.kind === "reset") {
      answer.code = event.code;
      answer.end();
    } else if (event.kind === "headers") {
      if (event.isInterim) answer.interim.push(event.headers);
      else if (event.isTrailers) answer.trailers = event.headers;
      else answer.headers = event.headers;
    } else if (event.kind === "data") {
      answer.length += event.bytes.length;
      answer.sum = sumOf(event.bytes, answer.sum);
      connection.consumed(event.streamId, event.flowBytes);
    }
    if ("endStream" in event && event.endStream) answer.end();
  });
  const ask = (
    fields: Readonly<Record<string, string>>,
    body?: Uint8Array,
    trailers?: readonly Header[],
  ): Answer => {
    const id = end.connection.open(request({ ":scheme": "http", ...fields }), body === undefined);
    const answer = new Answer();
    answers.set(id, answer);
    if (body !== undefined) answer.pump = new Pump(end, id, body, trailers);
    end.flush();
    return answer;
  };
  return { end, ask, other };
}

whenThereIsNode("node as the server gives every answer whole", async () => {
  const peer = Bun.spawn([node as string, PEER], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  peer.stdin.write(`${JSON.stringify({ serve: true })}\n`);
  peer.stdin.flush();
  const reader = peer.stdout.getReader();
  const { port } = JSON.parse(new TextDecoder().decode((await reader.read()).value)) as { port: number };
  const { end, ask, other } = await caller(port);
  const upload = octetsOf(600_000, 4);
  const [got, head, sent, told, early, interim, large, reset, small] = await Promise.all(
    [
      ask({ ":path": "/echo" }),
      ask({ ":path": "/download", ":method": "HEAD" }),
      ask({ ":path": "/echo", ":method": "POST" }, upload),
      ask({ ":path": "/echo", ":method": "POST" }, octetsOf(10, 1), [["x-sum", "77"]]),
      ask({ ":path": "/early", ":method": "POST" }, octetsOf(3000, 1)),
      ask({ ":path": "/interim" }),
      ask({ ":path": "/download" }),
      ask({ ":path": "/reset" }),
      ask({ ":path": "/echo", "x-large": "z".repeat(40_000) }),
    ].map(({ whole }) => whole),
  );
  expect([got?.value(":status"), got?.length, got?.trailers]).toEqual(["200", 4, [["x-got", "none"]]]);
  expect([head?.value(":status"), head?.value("content-length"), head?.length]).toEqual(["200", "500000", 0]);
  expect([sent?.value("x-length"), sent?.value("x-sum")]).toEqual(["600000", String(sumOf(upload))]);
  expect(told?.trailers).toEqual([["x-got", "77"]]);
  expect(early?.value(":status")).toBe("413");
  expect(interim?.interim).toMatchObject([
    [
      [":status", "103"],
      ["link", "</a>"],
    ],
  ]);
  expect([large?.length, large?.sum]).toEqual([500_000, sumOf(octetsOf(500_000, 9))]);
  expect(reset?.code).toBe(H2_ERROR.REFUSED_STREAM);
  expect(small?.value("x-large")).toBe("z".repeat(40_000));
  for (let at = 0; at < 300; at++) {
    const again = await ask({
      ":path": `/echo?${at}`,
      "x-changing": String(at % 40),
      [`x-name-${at % 30}`]: "z",
    }).whole;
    expect(again.value(":status")).toBe("200");
  }
  const last = await ask({ ":path": "/goaway" }).whole;
  expect(last.length).toBe(4);
  while (!other.includes("goaway")) await Bun.sleep(1);
  expect(end.connection.canOpen).toBe(false);
  expect(end.connection.openStreams).toBe(0);
  expect(other).not.toContain("error");
  end.close();
  peer.stdin.end();
  await peer.exited;
});
