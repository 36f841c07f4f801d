// The same octets to the engine and to node's HTTP/2 (nghttp2): no request reaches us that does not
// reach node, and those that reach both say the same. Where we are stricter, the reason is in the
// list.

import { describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import type { Header } from "../../../src/model/request.ts";
import { Http2Connection } from "../../../src/wire/http2/connection.ts";
import { fuzzRuns, fuzzSeed } from "../../support/fuzz-runs.ts";
import {
  data,
  FLAGS,
  frame,
  headers,
  join,
  numberIn,
  PREFACE_OCTETS,
  readFrames,
  request,
  settings,
  TYPE,
  uint32,
} from "../../support/wire/http2-frames.ts";
import { randomOf } from "../../support/wire/mutations.ts";

interface Stream {
  readonly id: number;
  readonly headers: readonly string[];
  /** Octets, one character each; base64 in what node says. */
  body: string;
  ended: boolean;
  trailers: readonly string[];
}

interface Reading {
  readonly streams: readonly Stream[];
  /** Whether the connection was ended for what was sent. */
  readonly hasFailed: boolean;
  /** Why streams were refused, in our words. */
  readonly reasons: readonly string[];
}

const NAMES = (
  ":method :path :scheme :authority :status :protocol host x X content-length te connection cookie upgrade " +
  "transfer-encoding keep-alive proxy-connection expect trailer priority"
).split(" ");
NAMES.push("x y", "", "x:", "\x80");
const VALUES =
  "/ GET https http a.example 1 0 3 trailers * a@b CONNECT OPTIONS gzip 100-continue 200 /a#b".split(" ");
VALUES.push("", "a b", " x", "x ", "a\tb", "a\0", "a\n", "a\r", "\x80\xff", "\x7f", "/ ");
const PLAIN = ["x-a", "accept", "content-length", "te", "cookie", "host"];

class Scripts {
  readonly #random: (below: number) => number;

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random(items.length)] as T;
  }

  /** A request with up to three things changed. */
  #fields(): Header[] {
    const fields = request();
    for (let changes = this.#random(4); changes > 0; changes--) {
      const at = this.#random(fields.length + 1);
      const kind = this.#random(5);
      if (kind === 0) fields.splice(at, 1);
      else if (kind === 1) fields.splice(at, 0, [this.#pick(NAMES), this.#pick(VALUES)]);
      else if (kind === 2) fields.splice(at, 1, [this.#pick(NAMES), this.#pick(VALUES)]);
      else if (kind === 3) fields.splice(at, 1, [fields[at]?.[0] ?? "x", this.#pick(VALUES)]);
      else fields.push([this.#pick(PLAIN), this.#pick(VALUES)]);
    }
    return fields;
  }

  /** One request, nothing else. */
  request(): Uint8Array {
    return this.#greeted([headers(1, this.#fields(), FLAGS.END)]);
  }

  /** Some frames, mostly in order, on few streams. */
  frames(): Uint8Array {
    const parts: Uint8Array[] = [];
    let id = 1;
    for (let left = 1 + this.#random(6); left > 0; left--) {
      const other = this.#random(4) > 0 ? id : this.#pick([1, 3, 5, 0, 2]);
      const kind = this.#random(14);
      if (kind < 6) {
        if (parts.length > 0 && this.#random(4) > 0) id += 2;
        const fields = this.#random(2) > 0 ? request({ ":method": "POST" }) : this.#fields();
        parts.push(headers(id, fields, this.#random(2)));
      } else if (kind < 9)
        parts.push(data(other, this.#pick(["", "a", "abc", "\x01ab"]), this.#pick([0, 0, 1, 1, 8, 9])));
      else if (kind === 9)
        parts.push(
          headers(other, [[this.#pick(["x-t", "x-u", ":path"]), this.#pick(VALUES)]], this.#pick([0, 1, 1])),
        );
      else if (kind === 10)
        parts.push(frame(this.#pick([3, 8]), 0, other, uint32(this.#pick([0, 1, 8, 100, 0x7fffffff]))));
      else if (kind === 11)
        parts.push(frame(2, 0, other, join(uint32(this.#pick([0, 7])), Uint8Array.of(9))));
      else if (kind === 12)
        parts.push(settings([this.#random(7), this.#pick([0, 1, 100, 65_535, 0x7fffffff])]));
      else
        parts.push(
          frame(
            this.#random(11),
            this.#pick([0, 1, 4, 5, 8, 0x20]),
            other,
            this.#pick(["", "\0\0\0\0", "12345678", "\x82"]),
          ),
        );
    }
    return this.#greeted(parts);
  }

  #greeted(parts: readonly Uint8Array[]): Uint8Array {
    return join(PREFACE_OCTETS, settings(), frame(TYPE.SETTINGS, FLAGS.ACK, 0), ...parts);
  }
}

function ours(bytes: Uint8Array): Reading {
  const streams = new Map<number, Stream>();
  const reasons: string[] = [];
  let hasFailed = false;
  for (const event of new Http2Connection("server").receive(bytes)) {
    if (event.kind === "error") hasFailed = true;
    if (event.kind === "error" || event.kind === "reset") reasons.push(event.reason);
    if (event.kind === "reset") streams.delete(event.streamId);
    if (event.kind !== "headers" && event.kind !== "data") continue;
    const known = streams.get(event.streamId) ?? {
      id: event.streamId,
      headers: event.kind === "headers" ? event.headers.flat() : [],
      body: "",
      ended: false,
      trailers: [],
    };
    streams.set(event.streamId, known);
    if (event.kind === "data") known.body += Buffer.from(event.bytes).toString("latin1");
    else if (event.isTrailers) known.trailers = event.headers.flat();
    known.ended = event.endStream;
  }
  return { streams: [...streams.values()], hasFailed, reasons };
}

async function theirs(scripts: readonly Uint8Array[]): Promise<Reading[] | undefined> {
  const node = Bun.which("node");
  if (node === null) {
    process.stderr.write("no node on the path: nothing to compare with\n");
    return undefined;
  }
  const command = JSON.stringify({ read: scripts.map((bytes) => Buffer.from(bytes).toString("base64")) });
  const peer = Bun.spawn([node, resolve(import.meta.dir, "../../support/wire/nghttp2-peer.mjs")], {
    stdin: new TextEncoder().encode(`${command}\n`),
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = (await new Response(peer.stdout).text()).trim().split("\n");
  expect(lines.length).toBe(scripts.length);
  return lines.map((line, index) => {
    const script = scripts[index] as Uint8Array;
    const { streams, output } = JSON.parse(line) as { streams: Stream[]; output: string };
    const goAways = readFrames(Buffer.from(output, "base64")).filter(({ type }) => type === TYPE.GOAWAY);
    // After a client's own GOAWAY node takes no new streams; RFC 9113 6.8 lets the client open them.
    const isLeft = readFrames(script.subarray(PREFACE_OCTETS.length)).some(
      ({ type }) => type === TYPE.GOAWAY,
    );
    const hasFailed = isLeft || goAways.some(({ payload }) => numberIn(payload, 4) !== 0);
    return { streams, hasFailed, reasons: [] };
  });
}

function shown(script: Uint8Array): string {
  return JSON.stringify(Buffer.from(script.subarray(42)).toString("latin1"));
}

/** Messages that node takes and we do not, for a reason each. */
const STRICTER = new Set([
  // Ambiguous once it is HTTP/1.1, or for anyone who trims.
  "control character in a header value",
  "space around a header value",
  "te other than trailers",
  "content-length twice",
  "malformed content-length",
  "host twice",
  "malformed host header",
  "neither :authority nor host",
  "body shorter than its content-length",
  "empty header name",
  // nghttp2 leaves such fields out and goes on.
  "connection-specific header",
  "capital or illegal character in a header name",
  // Leads nowhere that a gateway could send it.
  "unknown :scheme",
  "malformed :authority",
  "malformed :path",
  "malformed :method",
]);

describe("one request of any fields", () => {
  test(
    "is refused by us if by node, and otherwise read alike",
    async () => {
      const generator = new Scripts(fuzzSeed(1));
      const scripts = Array.from({ length: fuzzRuns(800) }, () => generator.request());
      const readings = await theirs(scripts);
      let agreed = 0;
      for (const [index, reading] of (readings ?? []).entries()) {
        const script = scripts[index] as Uint8Array;
        const own = ours(script);
        if (own.streams.length > 0) {
          expect({ script: shown(script), ...own.streams[0] }).toEqual({
            script: shown(script),
            ...reading.streams[0],
          } as never);
          agreed++;
        } else if (reading.streams.length > 0) expect([...STRICTER]).toContain(own.reasons[0] ?? "");
      }
      if (readings !== undefined) expect(agreed).toBeGreaterThan(scripts.length / 5);
    },
    fuzzRuns(60_000),
  );
});

describe("any frames", () => {
  test(
    "what reaches us reaches node, unless it had already ended the connection",
    async () => {
      const generator = new Scripts(fuzzSeed(2));
      const scripts = Array.from({ length: fuzzRuns(800) }, () => generator.frames());
      const readings = await theirs(scripts);
      let agreed = 0;
      for (const [index, reading] of (readings ?? []).entries()) {
        const script = scripts[index] as Uint8Array;
        for (const stream of ours(script).streams) {
          const other = reading.streams.find(({ id }) => id === stream.id);
          if (other === undefined) expect([shown(script), reading.hasFailed]).toEqual([shown(script), true]);
          else {
            expect([shown(script), other.headers]).toEqual([shown(script), stream.headers]);
            if (!stream.ended || !other.ended) continue;
            expect([shown(script), atob(other.body)]).toEqual([shown(script), stream.body]);
            expect([shown(script), other.trailers]).toEqual([shown(script), stream.trailers]);
            agreed++;
          }
        }
      }
      if (readings !== undefined) expect(agreed).toBeGreaterThan(scripts.length / 10);
    },
    fuzzRuns(60_000),
  );
});
