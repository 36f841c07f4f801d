// The engine in memory against the table of rules for a server, each case sent one packet a frame
// and again as one packet; and the beginning of a connection, cut anywhere.

import { describe, expect, test } from "bun:test";
import { H2_ERROR, Http2Connection } from "../../../src/wire/http2/connection.ts";
import { checkRule, get } from "../../support/wire/http2-cases.ts";
import {
  data,
  FLAGS,
  frame,
  join,
  numberIn,
  PREFACE_OCTETS,
  readFrames,
  settings,
  TYPE,
} from "../../support/wire/http2-frames.ts";
import { serverRules } from "../../support/wire/http2-rules.ts";
import { AnsweringServer } from "../../support/wire/http2-server.ts";
import { octets } from "../../support/wire/octets.ts";

const { PROTOCOL_ERROR, STREAM_CLOSED, REFUSED_STREAM } = H2_ERROR;
const { END, ACK } = FLAGS;
const ping = frame(TYPE.PING, 0, 0, "12345678");
const noWindow = settings([4, 0]);

for (const rule of serverRules("api.example")) checkRule(rule);

describe("5.1: frames on streams that have ended, the answer being sent", () => {
  for (const [rule, late] of [
    ["data", data(1, "test", END)],
    ["headers", get(1)],
  ] as const) {
    test(`${rule}: connection error`, () => {
      expect(new AnsweringServer().send(get(1), late).connectionErrors).toEqual([Number(STREAM_CLOSED)]);
    });
  }
});

describe("3.4: the beginning of a connection", () => {
  const prefaced = (...frames: Uint8Array[]): Uint8Array => join(PREFACE_OCTETS, ...frames);
  for (const [rule, bytes] of [
    ["another preface", octets("INVALID CONNECTION PREFACE\r\n\r\n")],
    ["HTTP/1.1", octets("GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
    ["a preface that goes wrong late", octets("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r")],
    ["no preface", settings()],
    ["a first frame that is a ping", prefaced(ping)],
    ["a first frame that is data", prefaced(data(1, "x"))],
    ["a first frame that is an acknowledgement", prefaced(frame(TYPE.SETTINGS, ACK, 0))],
  ] as const) {
    test(`${rule}: connection error, however it is cut`, () => {
      for (const size of [1, 7, bytes.length]) {
        const connection = new Http2Connection("server");
        connection.takeOutput();
        const events = [];
        for (let at = 0; at < bytes.length; at += size)
          events.push(...connection.receive(bytes.subarray(at, at + size)));
        expect(events).toEqual([{ kind: "error", code: PROTOCOL_ERROR, reason: expect.any(String) }]);
        const sent = readFrames(connection.takeOutput() ?? new Uint8Array(0));
        expect(sent.map(({ type, payload }) => [type, numberIn(payload, 4)])).toEqual([
          [TYPE.GOAWAY, PROTOCOL_ERROR],
        ]);
      }
    });
  }

  test("our settings come before anything is read, and the peer's are acknowledged at once", () => {
    const connection = new Http2Connection("server");
    const first = readFrames(connection.takeOutput() ?? new Uint8Array(0));
    expect(first.map(({ type }) => type)).toEqual([TYPE.SETTINGS, TYPE.WINDOW_UPDATE]);
    connection.receive(prefaced(settings()));
    const second = readFrames(connection.takeOutput() ?? new Uint8Array(0));
    expect(second).toEqual([{ type: TYPE.SETTINGS, flags: ACK, streamId: 0, payload: new Uint8Array(0) }]);
  });
});

describe("5.1.2: streams above the limit", () => {
  test("are refused, and the others go on", () => {
    const server = new AnsweringServer({ maxConcurrentStreams: 3 }).send(
      noWindow,
      get(1),
      get(3),
      get(5),
      get(7),
    );
    expect(server.streamErrors).toEqual([[7, REFUSED_STREAM]]);
    server.send(settings([4, 100]), get(9));
    expect(server.answered).toEqual([1, 3, 5, 9]);
  });
});
