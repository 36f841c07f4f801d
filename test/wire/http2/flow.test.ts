// Flow control both ways: what we send stays within the peer's windows and takes turns, what the
// peer sends stays within ours, and every octet is given back once.

import { describe, expect, test } from "bun:test";
import {
  H2_ERROR,
  Http2Connection,
  type Http2Event,
  type Http2Limits,
} from "../../../src/wire/http2/connection.ts";
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
  settings,
  TYPE,
} from "../../support/wire/http2-frames.ts";

const { END, PADDED, ACK } = FLAGS;
const HIGH_MARK = 65_536;
const OUTPUT_MARK = 262_144;

/** A server past the handshake, driven by hand. */
class Server {
  readonly connection: Http2Connection;

  constructor(peerSettings = settings(), limits: Partial<Http2Limits> = {}) {
    this.connection = new Http2Connection("server", limits);
    this.connection.receive(join(PREFACE_OCTETS, peerSettings, frame(TYPE.SETTINGS, ACK, 0)));
    this.connection.takeOutput();
  }

  receive(...parts: readonly Uint8Array[]): readonly Http2Event[] {
    return this.connection.receive(join(...parts));
  }

  get sent(): ReadFrame[] {
    return readFrames(this.connection.takeOutput() ?? new Uint8Array(0));
  }

  /** "stream:length", with "." for the end of the stream, of the DATA sent. */
  get dataSent(): string[] {
    return this.sent
      .filter(({ type }) => type === TYPE.DATA)
      .map(({ streamId, payload, flags }) => `${streamId}:${payload.length}${flags & END ? "." : ""}`);
  }

  /** "stream:octets" of the windows opened. */
  get opened(): string[] {
    return this.sent
      .filter(({ type }) => type === TYPE.WINDOW_UPDATE)
      .map(({ streamId, payload }) => `${streamId}:${numberIn(payload)}`);
  }

  answer(streamId: number, octets: number, end = true): boolean {
    this.connection.sendHeaders(streamId, [[":status", "200"]], false);
    return this.connection.sendData(streamId, new Uint8Array(octets), end);
  }
}

const window = (streamId: number, octets: number): Uint8Array =>
  numbered(TYPE.WINDOW_UPDATE, streamId, octets);
/** A connection window that is no hindrance. */
const wide = window(0, 0x7fff0000);

describe("what we send", () => {
  test("goes out at once, in frames of 16 KiB, when the windows are open", () => {
    const server = new Server();
    server.receive(get(1));
    server.answer(1, 40_000);
    expect(server.dataSent).toEqual(["1:16384", "1:16384", "1:7232."]);
  });

  test("6.5.3: settings count in the order in which they stand", () => {
    const server = new Server(settings([4, 100], [4, 1]));
    server.receive(get(1));
    server.answer(1, 5);
    expect(server.dataSent).toEqual(["1:1"]);
    server.receive(window(1, 3));
    expect(server.dataSent).toEqual(["1:3"]);
    server.receive(window(1, 300));
    expect(server.dataSent).toEqual(["1:1."]);
  });

  test("6.9.2: the initial window changes those of open streams, below zero too", () => {
    const server = new Server(settings([4, 3]));
    server.receive(get(1));
    server.answer(1, 10);
    expect(server.dataSent).toEqual(["1:3"]);
    server.receive(settings([4, 1]));
    expect(server.dataSent).toEqual([]);
    server.receive(window(1, 2));
    expect(server.dataSent).toEqual([]);
    server.receive(window(1, 1));
    expect(server.dataSent).toEqual(["1:1"]);
    server.receive(settings([4, 2]));
    expect(server.dataSent).toEqual(["1:1"]);
    server.receive(settings([4, 100]));
    expect(server.dataSent).toEqual(["1:5."]);
  });

  test("stops at the connection's window, and takes turns when it opens", () => {
    const server = new Server(settings([4, 1_000_000]));
    server.receive(get(1), get(3), get(5));
    for (const id of [1, 3, 5]) server.answer(id, 60_000);
    expect(server.dataSent).toEqual(["1:16384", "1:16384", "1:16384", "1:10848.", "3:5535"]);
    server.receive(window(0, 50_000));
    expect(server.dataSent).toEqual(["3:16384", "5:16384", "3:16384", "5:848"]);
    server.receive(window(0, 100_000));
    expect(server.dataSent).toEqual(["3:16384", "5:16384", "3:5313.", "5:16384", "5:10000."]);
  });

  test("a stream without a window holds up no other", () => {
    const server = new Server(settings([4, 10]));
    server.receive(wide, get(1), get(3));
    server.answer(1, 100);
    server.answer(3, 100);
    expect(server.dataSent).toEqual(["1:10", "3:10"]);
    server.receive(window(3, 500));
    expect(server.dataSent).toEqual(["3:90."]);
  });

  test("an end without data needs no window", () => {
    const server = new Server(settings([4, 0]));
    server.receive(get(1), get(3));
    server.answer(1, 0);
    server.answer(3, 0, false);
    server.connection.sendHeaders(3, [["grpc-status", "0"]], true);
    expect(server.sent.map(({ type, flags }) => [type, flags & END])).toEqual([
      [TYPE.HEADERS, 0],
      [TYPE.DATA, END],
      [TYPE.HEADERS, 0],
      [TYPE.HEADERS, END],
    ]);
    expect(server.connection.openStreams).toBe(0);
  });

  test("trailers wait for the data before them, and must be sound when they are handed over", () => {
    const server = new Server(settings([4, 4]));
    server.receive(get(1));
    server.answer(1, 8, false);
    expect(() => server.connection.sendHeaders(1, [["X", "y"]], true)).toThrow(TypeError);
    server.connection.sendHeaders(1, [["grpc-status", "0"]], true);
    expect(() => server.connection.sendData(1, new Uint8Array(1), true)).toThrow(TypeError);
    expect(server.sent.map(({ type }) => type)).toEqual([TYPE.HEADERS, TYPE.DATA]);
    server.receive(window(1, 4));
    expect(server.sent.map(({ type, flags }) => [type, flags & END])).toEqual([
      [TYPE.DATA, 0],
      [TYPE.HEADERS, END],
    ]);
    expect(server.connection.openStreams).toBe(0);
  });

  test("what is queued is a copy", () => {
    const server = new Server(settings([4, 0]));
    server.receive(get(1));
    const bytes = Uint8Array.of(1, 2, 3);
    server.connection.sendHeaders(1, [[":status", "200"]], false);
    server.connection.sendData(1, bytes, true);
    bytes.fill(9);
    server.connection.takeOutput();
    server.receive(window(1, 10));
    expect([...(server.sent[0]?.payload ?? [])]).toEqual([1, 2, 3]);
  });

  test("a stream is held back from 64 KiB queued on, and goes on when it has less", () => {
    const server = new Server(settings([4, 0]));
    server.receive(wide, get(1));
    expect(server.answer(1, HIGH_MARK - 1, false)).toBe(true);
    expect(server.connection.sendData(1, new Uint8Array(10), false)).toBe(false);
    expect(server.connection.queuedBytes).toBe(HIGH_MARK + 9);
    expect(server.receive(window(1, 9))).toEqual([]);
    expect(server.receive(window(1, 1))).toEqual([{ kind: "drain", streamId: 1 }]);
    expect(server.connection.sendData(1, new Uint8Array(0), false)).toBe(true);
    expect(server.receive(window(1, 10))).toEqual([]);
  });

  test("a stream is held back by output that nobody takes", () => {
    const server = new Server(settings([4, 0x7fffffff]));
    server.receive(wide, get(1), get(3));
    expect(server.answer(1, OUTPUT_MARK, false)).toBe(false);
    expect(server.answer(3, 1, false)).toBe(false);
    expect(server.connection.pendingBytes).toBeGreaterThan(OUTPUT_MARK);
    server.connection.reset(3, H2_ERROR.CANCEL);
    expect(server.connection.takeEvents()).toEqual([]);
    server.connection.takeOutput();
    expect(server.connection.takeEvents()).toEqual([{ kind: "drain", streamId: 1 }]);
    expect(server.connection.sendData(1, new Uint8Array(1), false)).toBe(true);
  });

  test("a reset drops what is queued, ours and the peer's", () => {
    const server = new Server(settings([4, 0]));
    server.receive(get(1), get(3));
    server.answer(1, 100);
    server.answer(3, 100);
    server.connection.reset(1, H2_ERROR.CANCEL);
    server.receive(numbered(TYPE.RST_STREAM, 3, H2_ERROR.CANCEL));
    expect(server.connection.queuedBytes).toBe(0);
    server.connection.takeOutput();
    expect(server.receive(settings([4, 1000]))).toEqual([{ kind: "settings" }]);
    expect(server.dataSent).toEqual([]);
    server.connection.sendHeaders(1, [[":status", "200"]], true);
    expect(server.connection.sendData(3, new Uint8Array(1), true)).toBe(true);
    expect(server.connection.takeOutput()).toBeUndefined();
  });
});

describe("what the peer sends", () => {
  const limits = { initialWindow: 1000, connectionWindow: 70_000 };

  test("is given back in steps of half a window, as the reader takes it", () => {
    const server = new Server(settings(), limits);
    server.receive(post(1), data(1, new Uint8Array(900)));
    server.connection.consumed(1, 400);
    expect(server.opened).toEqual([]);
    server.connection.consumed(1, 200);
    expect(server.opened).toEqual(["1:600"]);
    server.connection.consumed(1, 300);
    server.receive(data(1, new Uint8Array(700)));
    server.connection.consumed(1, 700);
    expect(server.opened).toEqual(["1:1000"]);
  });

  test("padding is given back by itself", () => {
    const server = new Server(settings(), { ...limits, initialWindow: 100 });
    const padded = data(1, join(Uint8Array.of(80), new Uint8Array(81)), PADDED);
    const events = server.receive(post(1), padded, padded);
    expect(events.slice(1)).toMatchObject([
      { kind: "data", flowBytes: 1 },
      { kind: "data", flowBytes: 1 },
    ]);
    expect(server.opened).toEqual(["1:81", "1:81"]);
  });

  test("counts for the connection after the stream's end, and no more than was sent", () => {
    const server = new Server(settings(), limits);
    for (let id = 1; id < 80; id += 2) server.receive(post(id), data(id, new Uint8Array(1000), END));
    for (let id = 1; id < 80; id += 2) server.connection.consumed(id, 1000);
    expect(server.opened).toEqual(["0:35000"]);
    server.connection.consumed(1, 1_000_000);
    expect(server.opened).toEqual([]);
  });

  test("beyond a stream's window costs the stream", () => {
    const server = new Server(settings(), limits);
    const events = server.receive(
      post(1),
      data(1, new Uint8Array(600)),
      data(1, new Uint8Array(401)),
      post(3),
    );
    expect(events.map(({ kind }) => kind)).toEqual(["headers", "data", "reset", "headers"]);
    expect(events[2]).toMatchObject({ code: H2_ERROR.FLOW_CONTROL_ERROR, isOurs: true });
  });

  test("beyond the connection's window costs the connection", () => {
    const server = new Server(settings(), { ...limits, initialWindow: 100_000 });
    const events = server.receive(
      post(1),
      ...Array.from({ length: 5 }, () => data(1, new Uint8Array(16_000))),
    );
    expect(events.at(-1)).toMatchObject({ kind: "error", code: H2_ERROR.FLOW_CONTROL_ERROR });
  });

  test("on a stream that we reset is not delivered, and given back to the connection", () => {
    const server = new Server(settings(), { initialWindow: 1_000_000, connectionWindow: 65_535 });
    server.receive(post(1));
    server.connection.reset(1, H2_ERROR.CANCEL);
    server.connection.takeOutput();
    for (let i = 0; i < 10; i++) expect(server.receive(data(1, new Uint8Array(16_000)))).toEqual([]);
    expect(server.opened).toEqual(["0:48000", "0:48000", "0:48000"]);
    expect(server.receive(headers(1, [["x", "y"]], END), get(3))).toMatchObject([
      { kind: "headers", streamId: 3 },
    ]);
  });

  test("in the middle of a frame when we reset it: the rest is given back too", () => {
    const server = new Server(settings(), { initialWindow: 1_000_000, connectionWindow: 65_535 });
    const whole = join(post(1), data(1, new Uint8Array(16_000), END));
    const first = server.receive(whole.subarray(0, whole.length - 10_000));
    expect(first.map(({ kind }) => kind)).toEqual(["headers", "data"]);
    server.connection.reset(1, H2_ERROR.CANCEL);
    server.connection.consumed(1, 6000);
    expect(server.receive(whole.subarray(whole.length - 10_000), get(3))).toMatchObject([{ streamId: 3 }]);
    server.receive(post(5), data(5, new Uint8Array(16_000)), data(5, new Uint8Array(768)));
    server.connection.consumed(5, 16_768);
    expect(server.opened).toEqual(["0:32768"]);
  });

  test("before our settings are acknowledged has the window that the peer knows of", () => {
    const connection = new Http2Connection("server", { initialWindow: 10 });
    const events = connection.receive(
      join(PREFACE_OCTETS, settings(), post(1), data(1, new Uint8Array(16_000))),
    );
    expect(events.at(-1)).toMatchObject({ kind: "data" });
    const late = connection.receive(join(frame(TYPE.SETTINGS, ACK, 0), data(1, "x")));
    expect(late).toMatchObject([{ kind: "reset", code: H2_ERROR.FLOW_CONTROL_ERROR }]);
  });
});
