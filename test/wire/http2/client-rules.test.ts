// A client's duties towards a server's frames: as strict as the other way, and a message that is
// malformed never reaches anyone who asked.

import { describe, expect, test } from "bun:test";
import type { Header } from "../../../src/model/request.ts";
import { H2_ERROR, Http2Connection, type Http2Event } from "../../../src/wire/http2/connection.ts";
import {
  block,
  data,
  FLAGS,
  frame,
  headers,
  join,
  numbered,
  numberIn,
  type ReadFrame,
  readFrames,
  request,
  settings,
  TYPE,
  uint32,
} from "../../support/wire/http2-frames.ts";
import { octets } from "../../support/wire/octets.ts";

const {
  PROTOCOL_ERROR,
  FLOW_CONTROL_ERROR,
  STREAM_CLOSED,
  FRAME_SIZE_ERROR,
  REFUSED_STREAM,
  ENHANCE_YOUR_CALM,
} = H2_ERROR;
const { END, END_HEADERS, ACK } = FLAGS;

/** The engine as a client, past the handshake, with one request (stream 1) sent. */
class AskingClient {
  readonly connection = new Http2Connection("client");
  readonly events: Http2Event[] = [];
  readonly frames: ReadFrame[] = [];

  constructor(method = "GET", ...first: readonly Uint8Array[]) {
    this.connection.takeOutput();
    this.connection.receive(join(first[0] ?? settings(), frame(TYPE.SETTINGS, ACK, 0)));
    this.connection.takeOutput();
    this.connection.open(request({ ":method": method }), method !== "POST");
    this.connection.takeOutput();
  }

  send(...parts: readonly Uint8Array[]): this {
    for (const part of parts) this.events.push(...this.connection.receive(part));
    this.frames.push(...readFrames(this.connection.takeOutput() ?? new Uint8Array(0)));
    return this;
  }

  errors(type: number, at: number): number[] {
    return this.frames.filter((sent) => sent.type === type).map(({ payload }) => numberIn(payload, at));
  }

  /** "headers 200", "data test end", … in order. */
  get story(): string[] {
    return this.events.map((event) => {
      if (event.kind === "headers") {
        const status = event.isTrailers ? "trailers" : `headers ${event.headers[0]?.[1]}`;
        return `${status}${event.isInterim ? " interim" : ""}${event.endStream ? " end" : ""}`;
      }
      if (event.kind === "data")
        return `data ${new TextDecoder().decode(event.bytes)}${event.endStream ? " end" : ""}`;
      if (event.kind === "reset") return `reset ${event.code}${event.isOurs ? " ours" : ""}`;
      return event.kind;
    });
  }
}

const status = (code: string, ...rest: readonly Header[]): Header[] => [[":status", code], ...rest];
const ok = headers(1, status("200"));

describe("responses that are taken", () => {
  const cases: readonly (readonly [
    rule: string,
    method: string,
    frames: readonly Uint8Array[],
    story: readonly string[],
  ])[] = [
    ["head and body", "GET", [ok, data(1, "test", END)], ["headers 200", "data test end"]],
    ["head alone", "GET", [headers(1, status("204"), END)], ["headers 204 end"]],
    [
      "interim heads",
      "GET",
      [
        headers(1, status("100")),
        headers(1, status("103", ["link", "</a>"])),
        headers(1, status("200"), END),
      ],
      ["headers 100 interim", "headers 103 interim", "headers 200 end"],
    ],
    [
      "trailers",
      "GET",
      [ok, data(1, "x"), headers(1, [["grpc-status", "0"]], END)],
      ["headers 200", "data x", "trailers end"],
    ],
    [
      "trailers alone after a head",
      "GET",
      [ok, headers(1, [["grpc-status", "0"]], END)],
      ["headers 200", "trailers end"],
    ],
    [
      "a content-length that is right",
      "GET",
      [headers(1, status("200", ["content-length", "4"])), data(1, "te"), data(1, "st", END)],
      ["headers 200", "data te", "data st end"],
    ],
    [
      "a content-length and no body, to HEAD",
      "HEAD",
      [headers(1, status("200", ["content-length", "4"]), END)],
      ["headers 200 end"],
    ],
    [
      "a content-length and an empty frame, to HEAD",
      "HEAD",
      [headers(1, status("200", ["content-length", "4"])), data(1, "", END)],
      ["headers 200", "data  end"],
    ],
    [
      "a content-length and no body, not modified",
      "GET",
      [headers(1, status("304", ["content-length", "4"]), END)],
      ["headers 304 end"],
    ],
    [
      "an answer before the request's end",
      "POST",
      [ok, data(1, "x", END), numbered(TYPE.RST_STREAM, 1, 0)],
      ["headers 200", "data x end", "reset 0"],
    ],
    ["a reset", "GET", [numbered(TYPE.RST_STREAM, 1, REFUSED_STREAM)], ["reset 7"]],
    [
      "spaces around a value, without them",
      "GET",
      [headers(1, status("200", ["x", " a b\t"]), END)],
      ["headers 200 end"],
    ],
    [
      "a content-type among the trailers",
      "GET",
      [
        ok,
        headers(
          1,
          [
            ["grpc-status", "0"],
            ["content-type", "application/grpc"],
          ],
          END,
        ),
      ],
      ["headers 200", "trailers end"],
    ],
    [
      "the same field twice",
      "GET",
      [headers(1, status("200", ["vary", "a"], ["vary", "a"]), END)],
      ["headers 200 end"],
    ],
  ];
  for (const [rule, method, frames, story] of cases) {
    test(rule, () => {
      for (const parts of [frames, [join(...frames)]]) {
        const client = new AskingClient(method).send(...parts);
        expect(client.story).toEqual([...story]);
        expect(client.frames).toEqual([]);
        expect(client.connection.openStreams).toBe(0);
      }
    });
  }
});

describe("responses that cost their stream", () => {
  const cases: readonly (readonly [rule: string, code: number, method: string, ...frames: Uint8Array[]])[] = [
    ["no :status", PROTOCOL_ERROR, "GET", headers(1, [["x", "y"]], END)],
    ["an empty head", PROTOCOL_ERROR, "GET", headers(1, [], END)],
    ["two :status", PROTOCOL_ERROR, "GET", headers(1, status("200", [":status", "200"]), END)],
    [
      ":status after a field",
      PROTOCOL_ERROR,
      "GET",
      headers(
        1,
        [
          ["x", "y"],
          [":status", "200"],
        ],
        END,
      ),
    ],
    [":status of two digits", PROTOCOL_ERROR, "GET", headers(1, status("20"), END)],
    [":status of four digits", PROTOCOL_ERROR, "GET", headers(1, status("2000"), END)],
    [":status that is a word", PROTOCOL_ERROR, "GET", headers(1, status("2o0"), END)],
    [":status 099", PROTOCOL_ERROR, "GET", headers(1, status("099"), END)],
    ["101", PROTOCOL_ERROR, "GET", headers(1, status("101"))],
    ["a request's pseudo field", PROTOCOL_ERROR, "GET", headers(1, status("200", [":path", "/"]), END)],
    ["connection", PROTOCOL_ERROR, "GET", headers(1, status("200", ["connection", "close"]), END)],
    [
      "transfer-encoding",
      PROTOCOL_ERROR,
      "GET",
      headers(1, status("200", ["transfer-encoding", "chunked"]), END),
    ],
    ["a capital", PROTOCOL_ERROR, "GET", headers(1, status("200", ["Server", "x"]), END)],
    ["a line feed", PROTOCOL_ERROR, "GET", headers(1, status("200", ["x", "a\nb"]), END)],
    [
      "two content-lengths",
      PROTOCOL_ERROR,
      "GET",
      headers(1, status("200", ["content-length", "0"], ["content-length", "0"]), END),
    ],
    ["an interim head that ends the stream", PROTOCOL_ERROR, "GET", headers(1, status("100"), END)],
    [
      "an interim head with a length",
      PROTOCOL_ERROR,
      "GET",
      headers(1, status("100", ["content-length", "1"])),
    ],
    ["data before a head", PROTOCOL_ERROR, "GET", data(1, "x")],
    ["data after an interim head", PROTOCOL_ERROR, "GET", headers(1, status("100")), data(1, "x")],
    ["a second head", PROTOCOL_ERROR, "GET", ok, headers(1, status("200"))],
    ["a pseudo field in trailers", PROTOCOL_ERROR, "GET", ok, headers(1, status("200"), END)],
    ["a length in trailers", PROTOCOL_ERROR, "GET", ok, headers(1, [["content-length", "0"]], END)],
    [
      "data beyond the content-length",
      PROTOCOL_ERROR,
      "GET",
      headers(1, status("200", ["content-length", "1"])),
      data(1, "test"),
    ],
    [
      "data short of the content-length",
      PROTOCOL_ERROR,
      "GET",
      headers(1, status("200", ["content-length", "9"])),
      data(1, "test", END),
    ],
    [
      "a content-length and no body",
      PROTOCOL_ERROR,
      "GET",
      headers(1, status("200", ["content-length", "9"]), END),
    ],
    ["a body to HEAD", PROTOCOL_ERROR, "HEAD", ok, data(1, "x", END)],
    ["a body of 204", PROTOCOL_ERROR, "GET", headers(1, status("204")), data(1, "x", END)],
    ["a length of 204", PROTOCOL_ERROR, "GET", headers(1, status("204", ["content-length", "1"]), END)],
    ["a body of 304", PROTOCOL_ERROR, "GET", headers(1, status("304")), data(1, "x", END)],
    ["data after the end", STREAM_CLOSED, "POST", headers(1, status("200"), END), data(1, "x")],
    [
      "headers after the end",
      STREAM_CLOSED,
      "POST",
      headers(1, status("200"), END),
      headers(1, [["x", "y"]], END),
    ],
    ["a window above the largest", FLOW_CONTROL_ERROR, "POST", numbered(TYPE.WINDOW_UPDATE, 1, 0x7fffffff)],
    ["a window update of nothing", PROTOCOL_ERROR, "POST", numbered(TYPE.WINDOW_UPDATE, 1, 0)],
    ["a header list beyond the limit", ENHANCE_YOUR_CALM, "GET", ...longHead(80)],
  ];
  for (const [rule, code, method, ...frames] of cases) {
    test(rule, () => {
      for (const parts of [frames, [join(...frames)]]) {
        const client = new AskingClient(method).send(...parts);
        expect(client.errors(TYPE.RST_STREAM, 0)).toEqual([code]);
        expect(client.story.at(-1)).toBe(`reset ${code} ours`);
        expect(client.connection.openStreams).toBe(0);
        expect(client.connection.canOpen).toBe(true);
      }
    });
  }
});

/** A response head with this many fields of 1,000 octets, in frames that are not too large. */
function longHead(fields: number): Uint8Array[] {
  const whole = block(
    status("200", ...Array.from({ length: fields }, (_, at): Header => [`x-${at}`, "y".repeat(1000)])),
  );
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += 16_000) {
    const isLast = at + 16_000 >= whole.length;
    pieces.push(
      frame(
        at === 0 ? TYPE.HEADERS : TYPE.CONTINUATION,
        isLast ? END_HEADERS : 0,
        1,
        whole.subarray(at, at + 16_000),
      ),
    );
  }
  return pieces;
}

describe("what costs the connection", () => {
  const cases: readonly (readonly [rule: string, code: number, ...frames: Uint8Array[]])[] = [
    [
      "a push promise",
      PROTOCOL_ERROR,
      frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, join(uint32(2), block(request()))),
    ],
    ["ENABLE_PUSH from a server", PROTOCOL_ERROR, settings([2, 1])],
    ["headers on a stream nobody opened", PROTOCOL_ERROR, headers(3, status("200"), END)],
    ["headers on an even stream", PROTOCOL_ERROR, headers(2, status("200"), END)],
    ["data on an even stream", PROTOCOL_ERROR, data(2, "x")],
    ["data on a stream nobody opened", PROTOCOL_ERROR, data(3, "x")],
    ["a window update of a stream nobody opened", PROTOCOL_ERROR, numbered(TYPE.WINDOW_UPDATE, 3, 1)],
    ["data after both ends", STREAM_CLOSED, headers(1, status("200"), END), data(1, "x")],
    ["a frame above the limit", FRAME_SIZE_ERROR, ok, data(1, new Uint8Array(16_385))],
    [
      "a broken header block",
      H2_ERROR.COMPRESSION_ERROR,
      frame(TYPE.HEADERS, END_HEADERS, 1, octets("\x80")),
    ],
    ["a header list far beyond the limit", ENHANCE_YOUR_CALM, bomb()],
    [
      "a goaway that takes back an earlier one",
      PROTOCOL_ERROR,
      frame(TYPE.GOAWAY, 0, 0, join(uint32(1), uint32(0))),
      frame(TYPE.GOAWAY, 0, 0, join(uint32(3), uint32(0))),
    ],
  ];
  for (const [rule, code, ...frames] of cases) {
    test(rule, () => {
      const client = new AskingClient().send(...frames);
      expect(client.errors(TYPE.GOAWAY, 4)).toEqual([code]);
      expect(client.story.at(-1)).toBe("error");
      expect(client.connection.isClosed).toBe(true);
      expect(client.connection.canOpen).toBe(false);
    });
  }

  test("a first frame that is not SETTINGS", () => {
    const connection = new Http2Connection("client");
    expect(connection.receive(frame(TYPE.PING, 0, 0, "12345678"))).toMatchObject([
      { kind: "error", code: PROTOCOL_ERROR },
    ]);
  });
});

/** One entry of 3,000 octets, then its index a thousand times: 3 MB in 4,000 octets. */
function bomb(): Uint8Array {
  const entry = join(octets("\x40\x01x\x7f\xb9\x16"), octets("y".repeat(3000)));
  return frame(TYPE.HEADERS, END_HEADERS | END, 1, join(octets("\x88"), entry, octets("\xbe".repeat(1000))));
}

describe("GOAWAY", () => {
  const goAway = (last: number): Uint8Array => frame(TYPE.GOAWAY, 0, 0, join(uint32(last), uint32(0)));

  test("streams above the last are refused, the others end in order, no new one is opened", () => {
    const client = new AskingClient();
    client.connection.open(request(), true);
    client.send(goAway(1));
    expect(client.events).toMatchObject([
      { kind: "goaway", lastStreamId: 1, code: 0 },
      { kind: "reset", streamId: 3, code: REFUSED_STREAM, isOurs: false },
    ]);
    expect(client.connection.canOpen).toBe(false);
    expect(() => client.connection.open(request(), true)).toThrow(TypeError);
    expect(client.connection.isClosed).toBe(false);
    client.send(ok, data(1, "x", END));
    expect(client.connection.isClosed).toBe(true);
  });

  test("one that only announces another leaves the streams alone", () => {
    const client = new AskingClient().send(goAway(0x7fffffff), headers(1, status("200"), END), goAway(1));
    expect(client.story).toEqual(["goaway", "headers 200 end", "goaway"]);
    expect(client.connection.isClosed).toBe(true);
  });
});

describe("what a client may open", () => {
  test("as many streams as the server takes at once, and again when one has ended", () => {
    const client = new AskingClient("GET", settings([3, 2]));
    expect(client.connection.canOpen).toBe(true);
    client.connection.open(request(), true);
    expect(client.connection.canOpen).toBe(false);
    client.send(headers(1, status("200"), END));
    expect(client.connection.canOpen).toBe(true);
    client.send(settings([3, 0]));
    expect(client.connection.canOpen).toBe(false);
  });

  test("a hundred before the server has said anything", () => {
    const connection = new Http2Connection("client");
    let opened = 0;
    for (; connection.canOpen; opened++) connection.open(request(), true);
    expect(opened).toBe(100);
  });

  test("nothing that would not read back; the connection goes on", () => {
    const client = new AskingClient();
    expect(() => client.connection.open([...request(), ["X", "y"]], true)).toThrow(TypeError);
    expect(client.connection.openStreams).toBe(1);
    expect(client.connection.open(request(), true)).toBe(3);
  });
});
