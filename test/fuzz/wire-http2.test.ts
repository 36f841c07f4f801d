// The HTTP/2 engine under anything: input cut anywhere gives the same events, no bytes make it
// throw or grow, and two of them in conversation deliver every octet, however little their windows
// let through.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Header } from "../../src/model/request.ts";
import { Http2Connection, type Http2Event } from "../../src/wire/http2/connection.ts";
import { fuzzRuns, fuzzSeed } from "../support/fuzz-runs.ts";
import {
  block,
  FLAGS,
  frame,
  headers,
  join,
  PREFACE_OCTETS,
  request,
  settings,
  uint32,
} from "../support/wire/http2-frames.ts";
import { randomOf } from "../support/wire/mutations.ts";

const streamId = fc.oneof(fc.constantFrom(0, 1, 3, 5), fc.nat(12));
const status: readonly Header[] = [[":status", "200"]];

/** Frames that are mostly well-formed, on few streams, so that they meet each other. */
const anyFrame = fc.oneof(
  fc.tuple(streamId, fc.nat(1)).map(([id, end]) => headers(id, request(), end)),
  fc.tuple(streamId, fc.nat(1)).map(([id, end]) => headers(id, [["x-trailer", "1"]], end)),
  fc.tuple(streamId, fc.nat(1)).map(([id, end]) => headers(id, status, end)),
  fc.tuple(streamId, fc.nat(1)).map(([id, end]) => headers(id, request({ "content-length": "5" }), end)),
  fc.tuple(streamId, fc.nat(1)).map(([id, end]) => frame(1, end, id, block(request()))),
  fc.tuple(streamId, fc.constantFrom(0, FLAGS.END_HEADERS)).map(([id, flags]) => frame(9, flags, id, "")),
  fc
    .tuple(streamId, fc.constantFrom(0, 1, 8, 9), fc.uint8Array({ maxLength: 40 }))
    .map(([id, flags, bytes]) => frame(0, flags, id, bytes)),
  fc
    .tuple(streamId, fc.constantFrom(3, 8), fc.constantFrom(0, 1, 8, 100, 0x7fffffff))
    .map(([id, type, value]) => frame(type, 0, id, uint32(value))),
  fc
    .tuple(fc.nat(7), fc.constantFrom(0, 1, 100, 65_535, 0x7fffffff, 0xffffffff))
    .map(([id, value]) => settings([id, value])),
  fc.constantFrom(
    frame(4, 1, 0),
    frame(6, 0, 0, "12345678"),
    frame(7, 0, 0, "\0\0\0\x01\0\0\0\0"),
    frame(2, 0, 1, "\0\0\0\x03\x10"),
  ),
  fc
    .tuple(fc.nat(12), fc.nat(255), streamId, fc.uint8Array({ maxLength: 60 }))
    .map(([type, flags, id, bytes]) => frame(type, flags, id, bytes)),
);
const role = fc.constantFrom("server", "client");

function begin(side: "server" | "client"): { connection: Http2Connection; greeting: Uint8Array } {
  const connection = new Http2Connection(side);
  if (side === "client") for (let i = 0; i < 3; i++) connection.open(request({ ":method": "POST" }), false);
  return { connection, greeting: side === "server" ? join(PREFACE_OCTETS, settings()) : settings() };
}

/** Events as they would be had no DATA frame been cut. */
function joined(events: readonly Http2Event[]): Http2Event[] {
  const result: Http2Event[] = [];
  for (const event of events) {
    const last = result.at(-1);
    if (event.kind === "data" && last?.kind === "data" && last.streamId === event.streamId && !last.endStream)
      result[result.length - 1] = {
        ...event,
        bytes: join(last.bytes, event.bytes),
        flowBytes: last.flowBytes + event.flowBytes,
      };
    else result.push(event.kind === "data" ? { ...event, bytes: join(event.bytes) } : event);
  }
  return result;
}

test("input cut anywhere gives the same events and the same output", () => {
  fc.assert(
    fc.property(
      role,
      fc.array(anyFrame, { maxLength: 20 }),
      fc.array(fc.nat(60), { maxLength: 80 }),
      (side, frames, cuts) => {
        const whole = begin(side);
        const input = join(whole.greeting, ...frames);
        const expected = joined(whole.connection.receive(input));
        const pieces = begin(side).connection;
        const events: Http2Event[] = [];
        let at = 0;
        for (const cut of cuts) {
          events.push(...pieces.receive(input.slice(at, at + cut)));
          at += cut;
        }
        events.push(...pieces.receive(input.slice(at)));
        expect(joined(events)).toEqual(expected);
        expect(pieces.takeOutput()).toEqual(whole.connection.takeOutput());
      },
    ),
    { numRuns: fuzzRuns(1500) },
  );
});

test("no frames make it throw, and output grows no faster than input", () => {
  fc.assert(
    fc.property(
      role,
      fc.array(
        fc.oneof(
          { weight: 5, arbitrary: anyFrame },
          { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }) },
        ),
        { maxLength: 60 },
      ),
      (side, frames) => {
        const { connection, greeting } = begin(side);
        const first = connection.takeOutput()?.length ?? 0;
        const input = join(greeting, ...frames);
        connection.receive(input);
        expect(connection.takeOutput()?.length ?? 0).toBeLessThanOrEqual(first + input.length * 2 + 100);
        expect(connection.openStreams).toBeLessThanOrEqual(100);
      },
    ),
    { numRuns: fuzzRuns(1500) },
  );
});

test("no bytes at all make it throw", () => {
  fc.assert(
    fc.property(role, fc.boolean(), fc.uint8Array({ maxLength: 300 }), (side, isGreeted, bytes) => {
      const { connection, greeting } = begin(side);
      connection.receive(isGreeted ? join(greeting, bytes) : bytes);
      connection.takeOutput();
    }),
    { numRuns: fuzzRuns(3000) },
  );
});

/** One end of a conversation: what it has been told, and what it has yet to take. */
class End {
  readonly connection: Http2Connection;
  readonly bodies = new Map<number, Uint8Array[]>();
  readonly trailers = new Map<number, readonly Header[]>();
  readonly ended = new Set<number>();
  readonly owed: [streamId: number, octets: number][] = [];
  readonly held = new Set<number>();
  readonly heads: number[] = [];
  /** Octets on their way to the other end. */
  wire: Uint8Array = new Uint8Array(0);

  constructor(side: "client" | "server", initialWindow: number) {
    this.connection = new Http2Connection(side, { initialWindow });
  }

  receive(bytes: Uint8Array): void {
    for (const event of this.connection.receive(bytes)) {
      if (event.kind === "reset" || event.kind === "error" || event.kind === "goaway")
        throw new Error(JSON.stringify(event));
      if (event.kind === "drain") this.held.delete(event.streamId);
      if (event.kind === "headers") {
        if (event.isTrailers) this.trailers.set(event.streamId, event.headers);
        else this.heads.push(event.streamId);
      }
      if (event.kind === "data") {
        const pieces = this.bodies.get(event.streamId) ?? [];
        this.bodies.set(event.streamId, pieces);
        pieces.push(event.bytes.slice());
        this.owed.push([event.streamId, event.flowBytes]);
      }
      if ((event.kind === "data" || event.kind === "headers") && event.endStream)
        this.ended.add(event.streamId);
    }
  }
}

interface Sending {
  readonly end: End;
  readonly id: number;
  readonly body: Uint8Array;
  readonly hasTrailers: boolean;
  at: number;
  isDone: boolean;
}

function bodyOf(random: (below: number) => number): Uint8Array {
  return Uint8Array.from({ length: random(random(4) === 0 ? 30_000 : 3000) }, () => random(256));
}

/** A random piece of what is left of a body, its end with the last one or after it. */
function sendSome(sending: Sending, random: (below: number) => number): void {
  const { end, id, body, hasTrailers } = sending;
  if (sending.isDone || end.held.has(id)) return;
  const next = Math.min(body.length, sending.at + random(2000));
  const isLast = next === body.length && !hasTrailers && random(2) === 0;
  if (!end.connection.sendData(id, body.subarray(sending.at, next), isLast)) end.held.add(id);
  sending.at = next;
  sending.isDone = isLast;
  if (isLast || next < body.length || end.held.has(id)) return;
  if (hasTrailers) end.connection.sendHeaders(id, [["x-sum", String(body.length)]], true);
  else end.connection.sendData(id, new Uint8Array(0), true);
  sending.isDone = true;
}

function converse(seed: number): void {
  const random = randomOf(seed);
  const client = new End("client", 100 + random(random(2) === 0 ? 200 : 60_000));
  const server = new End("server", 100 + random(random(2) === 0 ? 200 : 60_000));
  const sendings: Sending[] = [];
  const streams = 1 + random(6);
  const answered = new Set<number>();
  const begun = (end: End, id: number): void => {
    sendings.push({ end, id, body: bodyOf(random), hasTrailers: random(3) === 0, at: 0, isDone: false });
  };
  for (let turn = 0; turn < 200_000; turn++) {
    const action = random(6);
    const end = random(2) === 0 ? client : server;
    const other = end === client ? server : client;
    if (
      action === 0 &&
      sendings.filter((one) => one.end === client).length < streams &&
      client.connection.canOpen
    )
      begun(client, client.connection.open(request({ ":method": "POST", "x-n": String(random(5)) }), false));
    else if (action === 1) {
      const id = server.heads.find((head) => !answered.has(head));
      if (id !== undefined) {
        answered.add(id);
        if (random(2) === 0) server.connection.sendHeaders(id, [[":status", "103"]], false);
        server.connection.sendHeaders(
          id,
          [
            [":status", "200"],
            ["x-n", String(random(5))],
          ],
          false,
        );
        begun(server, id);
      }
    } else if (action === 2 && sendings.length > 0)
      sendSome(sendings[random(sendings.length)] as Sending, random);
    else if (action === 3) end.wire = join(end.wire, end.connection.takeOutput() ?? new Uint8Array(0));
    else if (action === 4) {
      const size = 1 + random(random(2) === 0 ? 50 : 20_000);
      other.receive(end.wire.slice(0, size));
      end.wire = end.wire.slice(size);
    } else {
      const taken = end.owed.shift();
      if (taken !== undefined) end.connection.consumed(...taken);
    }
    const isOver = client.ended.size === streams && server.ended.size === streams;
    if (isOver && client.connection.openStreams === 0 && server.connection.openStreams === 0) break;
  }
  expect(sendings.length).toBe(2 * streams);
  for (const { end, id, body, hasTrailers } of sendings) {
    const other = end === client ? server : client;
    expect(Buffer.concat(other.bodies.get(id) ?? []).equals(body)).toBe(true);
    expect(other.ended.has(id)).toBe(true);
    expect(other.trailers.has(id)).toBe(hasTrailers);
  }
  expect(client.connection.queuedBytes + server.connection.queuedBytes).toBe(0);
  expect(client.connection.openStreams + server.connection.openStreams).toBe(0);
}

test(
  "two ends deliver every octet in every order of events, under any windows",
  () => {
    const first = fuzzSeed(1);
    for (let seed = first; seed < first + fuzzRuns(60); seed++) {
      try {
        converse(seed);
      } catch (error) {
        throw new Error(`conversation ${seed}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
    }
  },
  fuzzRuns(60_000),
);
