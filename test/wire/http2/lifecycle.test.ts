// How a connection ends, and the calls that may be made meanwhile: GOAWAY from our side, pings,
// mistakes of the caller's, and calls for streams that are already gone.

import { describe, expect, test } from "bun:test";
import { H2_ERROR, Http2Connection } from "../../../src/wire/http2/connection.ts";
import { get, post } from "../../support/wire/http2-cases.ts";
import {
  data,
  FLAGS,
  frame,
  headers,
  join,
  numbered,
  numberIn,
  PREFACE_OCTETS,
  type ReadFrame,
  readFrames,
  request,
  settings,
  TYPE,
} from "../../support/wire/http2-frames.ts";

const { END, ACK } = FLAGS;
const LAST = 0x7fffffff;

function server(): Http2Connection {
  const connection = new Http2Connection("server");
  connection.receive(join(PREFACE_OCTETS, settings(), frame(TYPE.SETTINGS, ACK, 0)));
  connection.takeOutput();
  return connection;
}

function sent(connection: Http2Connection): ReadFrame[] {
  return readFrames(connection.takeOutput() ?? new Uint8Array(0));
}

function answer(connection: Http2Connection, streamId: number): void {
  connection.sendHeaders(streamId, [[":status", "200"]], true);
}

/** Last stream and code of each GOAWAY. */
function goAways(connection: Http2Connection): (readonly [last: number, code: number])[] {
  return sent(connection)
    .filter(({ type }) => type === TYPE.GOAWAY)
    .map(({ payload }) => [numberIn(payload), numberIn(payload, 4)] as const);
}

describe("a server that goes away", () => {
  test("finishes what it has begun, and takes nothing new", () => {
    const connection = server();
    connection.receive(join(get(1), post(3)));
    connection.goAway(H2_ERROR.NO_ERROR);
    expect(goAways(connection)).toEqual([[3, H2_ERROR.NO_ERROR]]);
    expect(connection.receive(join(get(5), data(3, "x", END)))).toMatchObject([
      { kind: "data", streamId: 3 },
    ]);
    expect(connection.isClosed).toBe(false);
    answer(connection, 1);
    answer(connection, 3);
    expect(connection.isClosed).toBe(true);
    expect(sent(connection).map(({ streamId }) => streamId)).toEqual([1, 3]);
  });

  test("may announce it first, and then still takes what comes", () => {
    const connection = server();
    connection.goAway(H2_ERROR.NO_ERROR, LAST);
    expect(connection.isClosed).toBe(false);
    expect(connection.receive(get(1))).toMatchObject([{ kind: "headers", streamId: 1 }]);
    connection.goAway(H2_ERROR.NO_ERROR);
    expect(goAways(connection)).toEqual([
      [LAST, 0],
      [1, 0],
    ]);
    answer(connection, 1);
    expect(connection.isClosed).toBe(true);
  });

  test("keeps the header tables in step with requests that it no longer takes", () => {
    const connection = server();
    connection.receive(post(1));
    connection.goAway(H2_ERROR.NO_ERROR);
    connection.receive(frame(TYPE.HEADERS, FLAGS.END_HEADERS, 3, "\x40\x03x-a\x01b"));
    const [event] = connection.receive(frame(TYPE.HEADERS, FLAGS.END_HEADERS | END, 1, "\xbe"));
    expect(event).toMatchObject({ kind: "headers", isTrailers: true, headers: [["x-a", "b"]] });
  });

  test("never takes back what it has said, even when the connection then fails", () => {
    const connection = server();
    connection.receive(get(1));
    connection.goAway(H2_ERROR.NO_ERROR);
    connection.receive(get(3));
    connection.goAway(H2_ERROR.NO_ERROR);
    connection.receive(frame(TYPE.PING, 0, 1, "12345678"));
    expect(goAways(connection)).toEqual([
      [1, 0],
      [1, 0],
      [1, H2_ERROR.PROTOCOL_ERROR],
    ]);
    connection.goAway(H2_ERROR.NO_ERROR);
    connection.ping();
    connection.consumed(1, 10);
    expect(connection.takeOutput()).toBeUndefined();
  });
});

test("a client that goes away opens nothing more, and is closed when its streams have ended", () => {
  const connection = new Http2Connection("client");
  connection.receive(settings());
  const id = connection.open(request(), true);
  connection.goAway(H2_ERROR.NO_ERROR);
  expect(connection.canOpen).toBe(false);
  expect(connection.isClosed).toBe(false);
  connection.receive(headers(id, [[":status", "200"]], END));
  expect(connection.isClosed).toBe(true);
});

describe("pings", () => {
  test("are counted until they are answered, and answers that nobody asked for are not", () => {
    const connection = server();
    connection.ping();
    connection.ping();
    expect(connection.unansweredPings).toBe(2);
    expect(sent(connection).map(({ type, flags }) => [type, flags])).toEqual([
      [TYPE.PING, 0],
      [TYPE.PING, 0],
    ]);
    for (const left of [1, 0, 0]) {
      connection.receive(frame(TYPE.PING, ACK, 0, "\0\0\0\0\0\0\0\0"));
      expect(connection.unansweredPings).toBe(left);
    }
  });

  test("are answered with what they carry", () => {
    const connection = server();
    connection.receive(frame(TYPE.PING, 0, 0, "iddiodio"));
    const [pong] = sent(connection);
    expect(pong).toMatchObject({ type: TYPE.PING, flags: ACK, streamId: 0 });
    expect(new TextDecoder().decode(pong?.payload)).toBe("iddiodio");
  });
});

describe("mistakes of the caller's throw, and change nothing", () => {
  const cases: readonly (readonly [name: string, call: (connection: Http2Connection) => void])[] = [
    ["a response without :status", (connection) => connection.sendHeaders(1, [["x", "y"]], true)],
    ["a response with a broken :status", (connection) => connection.sendHeaders(1, [[":status", "2"]], true)],
    ["no fields at all", (connection) => connection.sendHeaders(1, [], true)],
    ["an interim response that ends", (connection) => connection.sendHeaders(1, [[":status", "103"]], true)],
    [
      "a capital",
      (connection) =>
        connection.sendHeaders(
          1,
          [
            [":status", "200"],
            ["X", "y"],
          ],
          true,
        ),
    ],
    ["data before the head", (connection) => connection.sendData(1, new Uint8Array(1), true)],
    ["a request by a server", (connection) => connection.open(request(), true)],
  ];
  for (const [name, call] of cases) {
    test(name, () => {
      const connection = server();
      connection.receive(get(1));
      expect(() => call(connection)).toThrow(TypeError);
      expect(connection.takeOutput()).toBeUndefined();
      answer(connection, 1);
      expect(sent(connection).map(({ type, flags }) => [type, flags & END])).toEqual([[TYPE.HEADERS, END]]);
    });
  }

  test("what comes after the head, or after the end", () => {
    const connection = server();
    connection.receive(post(1));
    connection.sendHeaders(1, [[":status", "200"]], false);
    expect(() => connection.sendHeaders(1, [["x", "y"]], false)).toThrow(TypeError);
    expect(() => connection.sendHeaders(1, [[":status", "200"]], true)).toThrow(TypeError);
    connection.sendData(1, new Uint8Array(1), true);
    expect(() => connection.sendData(1, new Uint8Array(1), true)).toThrow(TypeError);
    expect(() => connection.sendHeaders(1, [["x", "y"]], true)).toThrow(TypeError);
  });
});

test("calls for a stream that has ended meanwhile do nothing", () => {
  const connection = server();
  connection.receive(join(post(1), numbered(TYPE.RST_STREAM, 1, H2_ERROR.CANCEL)));
  answer(connection, 1);
  expect(connection.sendData(1, new Uint8Array(100_000), true)).toBe(true);
  connection.reset(1, H2_ERROR.CANCEL);
  connection.consumed(1, 5);
  expect(connection.takeOutput()).toBeUndefined();
});

test("a frame above the limit is refused by its header alone, in whatever pieces it comes", () => {
  const connection = server();
  const header = frame(TYPE.HEADERS, FLAGS.END_HEADERS, 1, new Uint8Array(16_385)).subarray(0, 9);
  expect(connection.receive(header.subarray(0, 4))).toEqual([]);
  expect(connection.receive(header.subarray(4))).toMatchObject([
    { kind: "error", code: H2_ERROR.FRAME_SIZE_ERROR },
  ]);
});

test("a header block longer than a frame goes out in several, and comes back whole", () => {
  const client = new Http2Connection("client");
  const large = request({ "x-large": "~".repeat(40_000) });
  client.open(large, true);
  const output = client.takeOutput() ?? new Uint8Array(0);
  const types = readFrames(output.subarray(PREFACE_OCTETS.length)).map(({ type }) => type);
  expect(types.slice(-3)).toEqual([TYPE.HEADERS, TYPE.CONTINUATION, TYPE.CONTINUATION]);
  const events = new Http2Connection("server").receive(output);
  expect(events.at(-1)).toMatchObject({ kind: "headers", headers: large, endStream: true });
});
