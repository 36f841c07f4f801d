// The costs that a peer can cause in the engine: every flood that HTTP/2 makes cheap ends the
// connection with ENHANCE_YOUR_CALM before it has cost much, and nothing that a patient client does
// looks like one.

import { describe, expect, test } from "bun:test";
import { H2_ERROR, Http2Connection, type Http2Event } from "../../../src/wire/http2/connection.ts";
import { get, post } from "../../support/wire/http2-cases.ts";
import {
  block,
  data,
  FLAGS,
  frame,
  headers,
  join,
  numbered,
  PREFACE_OCTETS,
  readFrames,
  request,
  settings,
  TYPE,
  uint32,
} from "../../support/wire/http2-frames.ts";
import { AnsweringServer } from "../../support/wire/http2-server.ts";
import { octets } from "../../support/wire/octets.ts";

const { END, END_HEADERS, ACK, PADDED } = FLAGS;
const PACKET = 16_384;
const ping = frame(TYPE.PING, 0, 0, "12345678");

/** A connection window that is no hindrance. */
const wide = numbered(TYPE.WINDOW_UPDATE, 0, 0x7fff0000);

/** The results of one connection for all packets. */
interface Result {
  readonly events: readonly Http2Event[];
  readonly code: number | undefined;
  readonly outputBytes: number;
  readonly inputBytes: number;
}

/** Feeds packets until the connection ends; requests are not answered, data is given back. */
function feed(packets: Iterable<Uint8Array>, connection = server()): Result {
  const events: Http2Event[] = [];
  let outputBytes = 0;
  let inputBytes = 0;
  for (const packet of packets) {
    inputBytes += packet.length;
    for (const event of connection.receive(packet)) {
      events.push(event);
      if (event.kind === "data") connection.consumed(event.streamId, event.flowBytes);
    }
    outputBytes += connection.takeOutput()?.length ?? 0;
    if (connection.isClosed) break;
  }
  const last = events.at(-1);
  return { events, code: last?.kind === "error" ? last.code : undefined, outputBytes, inputBytes };
}

function server(): Http2Connection {
  const connection = new Http2Connection("server");
  connection.receive(join(PREFACE_OCTETS, settings(), frame(TYPE.SETTINGS, ACK, 0)));
  connection.takeOutput();
  return connection;
}

/** The frame again and again, in packets as TLS makes them. */
function* endlessly(
  make: (index: number) => Uint8Array,
  first: Uint8Array = new Uint8Array(0),
): Generator<Uint8Array> {
  yield first;
  for (let index = 0; index < 100_000; ) {
    const parts: Uint8Array[] = [];
    for (let size = 0; size < PACKET; index++) {
      const part = make(index);
      parts.push(part);
      size += part.length;
    }
    yield join(...parts);
  }
}

const stream = (index: number): number => index * 2 + 1;
const cancel = (id: number): Uint8Array => numbered(TYPE.RST_STREAM, id, H2_ERROR.CANCEL);

const FLOODS: readonly (readonly [name: string, packets: () => Iterable<Uint8Array>])[] = [
  ["pings", () => endlessly(() => ping)],
  ["answers to pings that nobody sent", () => endlessly(() => frame(TYPE.PING, ACK, 0, "12345678"))],
  ["settings", () => endlessly(() => settings())],
  [
    "settings that move every window",
    () =>
      endlessly(
        (at) => settings([4, at % 2]),
        join(...Array.from({ length: 100 }, (_, at) => post(stream(at)))),
      ),
  ],
  ["priorities", () => endlessly((at) => frame(TYPE.PRIORITY, 0, stream(at), "\0\0\0\0\x0f"))],
  ["unknown frames", () => endlessly(() => frame(0x77, 0, 0, ""))],
  ["empty data", () => endlessly(() => data(1, ""), post(1))],
  ["data that is padding only", () => endlessly(() => data(1, "\x03\0\0\0", PADDED), post(1))],
  ["tiny window updates of the connection", () => endlessly(() => numbered(TYPE.WINDOW_UPDATE, 0, 1))],
  ["tiny window updates of a stream", () => endlessly(() => numbered(TYPE.WINDOW_UPDATE, 1, 1), post(1))],
  [
    "window updates of a stream that is over",
    () => endlessly(() => numbered(TYPE.WINDOW_UPDATE, 1, 1), join(post(1), cancel(1))),
  ],
  ["resets of a stream that is over", () => endlessly(() => cancel(1), post(1))],
  ["data after a reset", () => endlessly(() => data(1, "x"), join(post(1), cancel(1)))],
  ["rapid resets", () => endlessly((at) => join(get(stream(at)), cancel(stream(at))))],
  ["requests above the limit", () => endlessly((at) => post(stream(at)))],
  [
    "requests that reset themselves by a malformed field",
    () => endlessly((at) => headers(stream(at), [["X", "y"]], END)),
  ],
  [
    "requests that reset themselves by a window update",
    () => endlessly((at) => join(post(stream(at)), numbered(TYPE.WINDOW_UPDATE, stream(at), 0))),
  ],
  [
    "requests that reset themselves by priority",
    () =>
      endlessly((at) =>
        join(post(stream(at)), frame(TYPE.PRIORITY, 0, stream(at), join(uint32(stream(at)), octets("\0")))),
      ),
  ],
  [
    "requests that reset themselves by data",
    () =>
      endlessly((at) =>
        join(headers(stream(at), request({ "content-length": "1" })), data(stream(at), "xx")),
      ),
  ],
  [
    "header lists above the limit",
    () =>
      endlessly((at) =>
        frame(
          TYPE.HEADERS,
          END | END_HEADERS,
          stream(at),
          join(
            octets("\x20\x3f\xe1\x1f"),
            block(request()),
            octets("\x40\x01x\x7f\xb9\x16"),
            octets("y".repeat(3000)),
            octets("\xbe".repeat(30)),
          ),
        ),
      ),
  ],
  ["goaways", () => endlessly(() => frame(TYPE.GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0"), post(1))],
  [
    "continuations",
    () =>
      endlessly(
        () => frame(TYPE.CONTINUATION, 0, 1, block([["x", "y".repeat(100)]])),
        frame(TYPE.HEADERS, END, 1, block(request())),
      ),
  ],
  [
    "empty continuations",
    () => endlessly(() => frame(TYPE.CONTINUATION, 0, 1, ""), frame(TYPE.HEADERS, END, 1, block(request()))),
  ],
  [
    "large continuations",
    () =>
      endlessly(
        () => frame(TYPE.CONTINUATION, 0, 1, new Uint8Array(16_000)),
        frame(TYPE.HEADERS, END, 1, block(request())),
      ),
  ],
  [
    "an HPACK bomb",
    () => [
      frame(
        TYPE.HEADERS,
        END | END_HEADERS,
        1,
        join(octets("\x40\x01x\x7f\xb9\x16"), octets("y".repeat(3000)), octets("\xbe".repeat(13_000))),
      ),
    ],
  ],
];

describe("floods end in ENHANCE_YOUR_CALM", () => {
  for (const [name, packets] of FLOODS) {
    test(name, () => {
      const { code, outputBytes, inputBytes } = feed(packets());
      expect(code).toBe(H2_ERROR.ENHANCE_YOUR_CALM);
      expect(inputBytes).toBeLessThan(1_000_000);
      expect(outputBytes).toBeLessThan(100_000);
    });
  }

  test("pings whose answers nobody takes away, though each came alone", () => {
    const connection = server();
    let packets = 0;
    while (!connection.isClosed && packets < 100_000) {
      connection.receive(ping);
      packets++;
    }
    expect(packets).toBeLessThan(5000);
    expect(connection.pendingBytes).toBeLessThan(100_000);
  });

  test("a window that opens an octet at a time, many at once", () => {
    const connection = server();
    connection.receive(join(settings([4, 0]), get(1)));
    connection.sendHeaders(1, [[":status", "200"]], false);
    connection.sendData(1, new Uint8Array(60_000), true);
    connection.takeOutput();
    expect(
      feed(
        endlessly(() => numbered(TYPE.WINDOW_UPDATE, 1, 1)),
        connection,
      ).code,
    ).toBe(H2_ERROR.ENHANCE_YOUR_CALM);
  });

  test("requests that are answered, starved and given up", () => {
    const connection = server();
    connection.receive(settings([4, 0]));
    let requests = 0;
    for (; !connection.isClosed && requests < 10_000; requests++) {
      const id = stream(requests);
      connection.receive(get(id));
      connection.sendHeaders(id, [[":status", "200"]], false);
      connection.sendData(id, new Uint8Array(60_000), true);
      connection.receive(cancel(id));
      connection.takeOutput();
    }
    expect(requests).toBeLessThan(1000);
  });

  test("interim responses, from a server", () => {
    const client = new Http2Connection("client");
    client.receive(settings());
    client.open(request(), true);
    const { code } = feed(
      endlessly(() => headers(1, [[":status", "103"]])),
      client,
    );
    expect(code).toBe(H2_ERROR.ENHANCE_YOUR_CALM);
  });
});

describe("an end that is not sent for want of an acknowledgement", () => {
  test("settings that are never acknowledged", () => {
    const connection = new Http2Connection("server");
    connection.receive(join(PREFACE_OCTETS, settings(), post(1)));
    const { code } = feed(
      endlessly(() => data(1, "x")),
      connection,
    );
    expect(code).toBe(H2_ERROR.SETTINGS_TIMEOUT);
  });
});

describe("what is no flood", () => {
  test("a day's keep-alive pings on an idle watch", () => {
    const connection = server();
    connection.receive(get(1));
    for (let i = 0; i < 20_000; i++) {
      connection.receive(ping);
      connection.takeOutput();
    }
    expect(connection.isClosed).toBe(false);
  });

  test("two window updates for every frame of a long download", () => {
    const connection = server();
    connection.receive(join(settings([4, 65_535]), get(1)));
    connection.sendHeaders(1, [[":status", "200"]], false);
    for (let i = 0; i < 20_000; i++) {
      connection.sendData(1, new Uint8Array(4096), false);
      const sent = readFrames(connection.takeOutput() ?? new Uint8Array(0)).filter(
        ({ type }) => type === TYPE.DATA,
      );
      const updates = sent.flatMap(({ payload }) =>
        [0, 1].map((id) => numbered(TYPE.WINDOW_UPDATE, id, payload.length)),
      );
      connection.receive(join(...updates));
    }
    expect(connection.isClosed).toBe(false);
    expect(connection.queuedBytes).toBe(0);
  });

  test("window updates for messages of a few octets", () => {
    const connection = server();
    connection.receive(join(wide, get(1)));
    connection.sendHeaders(1, [[":status", "200"]], false);
    for (let i = 0; i < 20_000; i++) {
      connection.sendData(1, Uint8Array.of(0, 0, 0, 0, 0), false);
      connection.takeOutput();
      if (i % 50 === 49)
        connection.receive(join(...Array.from({ length: 50 }, () => numbered(TYPE.WINDOW_UPDATE, 1, 5))));
    }
    expect(connection.isClosed).toBe(false);
  });

  test("a hundred requests given up at once, again and again, among others that are not", () => {
    const server = new AnsweringServer();
    let next = 0;
    const ids = (count: number): number[] => Array.from({ length: count }, () => stream(next++));
    for (let round = 0; round < 50; round++) {
      const given = ids(100);
      server.send(join(...given.map((id) => post(id)), ...given.map(cancel)));
      server.send(...ids(120).map(get));
    }
    expect(server.connectionErrors).toEqual([]);
  });

  test("watches that are cancelled after their answer has begun, for ever", () => {
    const connection = server();
    connection.receive(wide);
    for (let at = 0; at < 5000; at++) {
      connection.receive(get(stream(at)));
      connection.sendHeaders(stream(at), [[":status", "200"]], false);
      connection.sendData(stream(at), new Uint8Array(50), false);
      connection.takeOutput();
      connection.receive(cancel(stream(at)));
    }
    expect(connection.isClosed).toBe(false);
  });

  test("an upload in frames of one octet", () => {
    expect(feed(endlessly(() => data(1, "x"), post(1))).code).toBeUndefined();
  });
});

describe("a header list above the limit", () => {
  const large = frame(
    TYPE.HEADERS,
    END | END_HEADERS,
    1,
    join(
      block(request()),
      octets("\x40\x01x\x7f\xb9\x16"),
      octets("y".repeat(3000)),
      octets("\xbe".repeat(30)),
    ),
  );

  test("is answered with 431, and the tables stay in step", () => {
    const server = new AnsweringServer().send(large);
    expect(server.events).toEqual([{ kind: "refused", streamId: 1, reason: "header list too large" }]);
    expect(server.streamErrors).toEqual([]);
    const [answer] = server.frames.filter(({ type }) => type === TYPE.HEADERS);
    expect(answer).toMatchObject({ streamId: 1, flags: END | END_HEADERS });
    expect(Buffer.from(answer?.payload ?? []).toString("latin1")).toContain("\x48");
    server.send(frame(TYPE.HEADERS, END | END_HEADERS, 3, join(block(request()), octets("\xbe"))));
    expect(server.answered).toEqual([3]);
  });

  test("with a body under way, the body is not wanted either", () => {
    const server = new AnsweringServer().send(
      join(large.subarray(0, 4), Uint8Array.of(END_HEADERS), large.subarray(5)),
    );
    expect(server.streamErrors).toEqual([[1, H2_ERROR.NO_ERROR]]);
    server.send(data(1, "x"), get(3));
    expect(server.answered).toEqual([3]);
  });
});
