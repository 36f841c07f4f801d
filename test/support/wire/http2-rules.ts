// A server's duties towards frames, rule by rule: the cases of h2spec (generic, http2, hpack) and
// more, as a table that knows nothing of who reads it: the engine in memory, or the whole gateway
// behind TLS.

import type { Header } from "../../../src/model/request.ts";
import { H2_ERROR } from "../../../src/wire/http2/connection.ts";
import {
  block,
  data,
  FLAGS,
  frame,
  headers,
  join,
  numbered,
  request as plainRequest,
  settings,
  TYPE,
  uint32,
} from "./http2-frames.ts";
import { octets } from "./octets.ts";

/** A rule, and the frames that are sent after the handshake to test it. */
export type Case = readonly [rule: string, ...frames: Uint8Array[]];

/**
 * The required end of every case: these streams answered and no complaint, the connection ended with the
 * code, or stream 1 reset with it.
 */
export type Want =
  | { readonly kind: "answers"; readonly streams: readonly number[] }
  | { readonly kind: "ends"; readonly code: number }
  | { readonly kind: "resets"; readonly code: number };

/** Cases under one heading. */
export interface Rule {
  readonly section: string;
  readonly want: Want;
  readonly cases: readonly Case[];
}

const { PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, COMPRESSION_ERROR } = H2_ERROR;
const { END, END_HEADERS, PADDED, PRIORITY, ACK } = FLAGS;

const ping = frame(TYPE.PING, 0, 0, "12345678");
const noWindow = settings([4, 0]);

/** HEADERS without END_HEADERS. */
function opened(streamId: number, part: Uint8Array, flags: number = END): Uint8Array {
  return frame(TYPE.HEADERS, flags, streamId, part);
}

function continued(streamId: number, part: Uint8Array, flags = 0): Uint8Array {
  return frame(TYPE.CONTINUATION, flags, streamId, part);
}

function priority(streamId: number, on: number, weight = 15): Uint8Array {
  return frame(TYPE.PRIORITY, 0, streamId, join(uint32(on), Uint8Array.of(weight)));
}

/** The rules for requests to this authority. */
export function serverRules(authority: string): readonly Rule[] {
  const request = (changes: Readonly<Record<string, string>> = {}): Header[] =>
    plainRequest({ ":authority": authority, ...changes });
  const get = (streamId: number): Uint8Array => headers(streamId, request(), END);
  const post = (streamId: number, changes: Readonly<Record<string, string>> = {}): Uint8Array =>
    headers(streamId, request({ ":method": "POST", ...changes }));
  const blockOf = block(request());
  const withBlock = (raw: string): Uint8Array =>
    frame(TYPE.HEADERS, END | END_HEADERS, 1, join(blockOf, octets(raw)));
  const rules: Rule[] = [];
  const answers = (section: string, cases: readonly Case[], streams: readonly number[] = [1]): unknown =>
    rules.push({ section, want: { kind: "answers", streams }, cases });
  const ends = (section: string, code: number, cases: readonly Case[]): unknown =>
    rules.push({ section, want: { kind: "ends", code }, cases });
  const resets = (section: string, code: number, cases: readonly Case[]): unknown =>
    rules.push({ section, want: { kind: "resets", code }, cases });

  answers("generic 2 to 4: what a server takes", [
    ["a request", get(1)],
    ["priority on an idle stream", priority(1, 0), ping, get(1)],
    ["priority 256", priority(1, 0, 255), get(1)],
    ["priority that depends on another stream", priority(3, 1), get(1)],
    ["exclusive priority", priority(1, 0x80000000), get(1)],
    ["headers below a stream that had a priority", priority(5, 0), get(1)],
    ["priority on a closed stream", get(1), priority(1, 0), ping],
    ["window update on a half-closed stream", noWindow, get(1), numbered(TYPE.WINDOW_UPDATE, 1, 5)],
    [
      "priority on a half-closed stream",
      noWindow,
      get(1),
      priority(1, 0),
      numbered(TYPE.WINDOW_UPDATE, 1, 5),
    ],
    ["data", post(1), data(1, "test", END)],
    ["data in several frames", post(1), data(1, "te"), data(1, "st"), data(1, "", END)],
    ["data with padding", post(1), data(1, "\x06test\0\0\0\0\0\0", END | PADDED)],
    ["data that is padding only", post(1), data(1, "\x03\0\0\0", PADDED), data(1, "x", END)],
    [
      "headers with padding",
      frame(
        TYPE.HEADERS,
        END | END_HEADERS | PADDED,
        1,
        join(octets("\x06"), blockOf, octets("\0".repeat(6))),
      ),
    ],
    [
      "headers with priority",
      frame(TYPE.HEADERS, END | END_HEADERS | PRIORITY, 1, join(uint32(0), octets("\xff"), blockOf)),
    ],
    [
      "headers with padding and priority",
      frame(
        TYPE.HEADERS,
        END | END_HEADERS | PADDED | PRIORITY,
        1,
        join(octets("\x02"), uint32(3), octets("\xff"), blockOf, octets("\0\0")),
      ),
    ],
    ["window update of the connection", numbered(TYPE.WINDOW_UPDATE, 0, 1), get(1)],
    ["continuation", opened(1, blockOf.subarray(0, 5)), continued(1, blockOf.subarray(5), END_HEADERS)],
    [
      "continuations",
      opened(1, blockOf.subarray(0, 5)),
      continued(1, blockOf.subarray(5, 9)),
      continued(1, blockOf.subarray(9), END_HEADERS),
    ],
    ["HEAD", headers(1, request({ ":method": "HEAD" }), END)],
    ["OPTIONS *", headers(1, request({ ":method": "OPTIONS", ":path": "*" }), END)],
    [
      "CONNECT",
      headers(
        1,
        [
          [":method", "CONNECT"],
          [":authority", "a.example:443"],
        ],
        END,
      ),
    ],
    ["trailers", post(1, { trailer: "x-sum" }), data(1, "test"), headers(1, [["x-sum", "1"]], END)],
    ["te: trailers", headers(1, request({ te: "trailers" }), END)],
    [
      "host instead of :authority",
      headers(
        1,
        [
          [":method", "GET"],
          [":scheme", "http"],
          [":path", "/"],
          ["host", "a.example"],
        ],
        END,
      ),
    ],
    ["a content-length that is right", post(1, { "content-length": "4" }), data(1, "te"), data(1, "st", END)],
    ["a content-length of nothing", headers(1, request({ "content-length": "0" }), END)],
  ]);

  answers("generic 5: HPACK representations", [
    ["indexed", withBlock("\xba")],
    ["with indexing, new name", withBlock("\x40\x06x-test\x06h2spec")],
    ["with indexing, indexed name", withBlock("\x7a\x06h2spec")],
    ["with indexing, Huffman", withBlock("\x40\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4")],
    ["without indexing, new name", withBlock("\x00\x06x-test\x06h2spec")],
    ["without indexing, indexed name", withBlock("\x0f\x2b\x06h2spec")],
    ["without indexing, Huffman", withBlock("\x00\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4")],
    ["never indexed, new name", withBlock("\x10\x06x-test\x06h2spec")],
    ["never indexed, indexed name", withBlock("\x1f\x2b\x06h2spec")],
    ["never indexed, Huffman", withBlock("\x10\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4")],
    ["table size update", frame(TYPE.HEADERS, END | END_HEADERS, 1, join(octets("\x20"), blockOf))],
    [
      "two table size updates",
      frame(TYPE.HEADERS, END | END_HEADERS, 1, join(octets("\x20\x3f\xe1\x1f"), blockOf)),
    ],
  ]);

  ends("hpack: header blocks that cannot be read", COMPRESSION_ERROR, [
    ["2.3.3 an index beyond the tables", withBlock("\xc6")],
    ["4.2 a size update at the end", withBlock("\x20")],
    [
      "4.2 three size updates",
      frame(TYPE.HEADERS, END | END_HEADERS, 1, join(octets("\x20\x20\x20"), blockOf)),
    ],
    ["5.1 an integer that does not end", withBlock("\xff\x80\x80\x80\x80\x80\x80\x01")],
    ["5.1 an integer cut off", withBlock("\xff\x80")],
    ["5.2 a string cut off", withBlock("\x00\x06x-te")],
    [
      "5.2 padding of more than seven bits",
      withBlock("\x00\x85\xf2\xb2\x4a\x84\xff\x85\x9c\x48\xac\xa4\xff"),
    ],
    ["5.2 padding with zeros", withBlock("\x00\x85\xf2\xb2\x4a\x84\xff\x83\x9c\x48\xac")],
    ["5.2 EOS in a string", withBlock("\x00\x85\xf2\xb2\x4a\x84\xff\x84\xff\xff\xff\xff")],
    ["6.1 index 0", withBlock("\x80")],
    [
      "6.3 a size above the limit",
      frame(TYPE.HEADERS, END | END_HEADERS, 1, join(octets("\x3f\xe2\x1f"), blockOf)),
    ],
    ["4.3 an invalid fragment", frame(TYPE.HEADERS, END | END_HEADERS, 1, octets("\x82\x86\x41\x8a\x08"))],
  ]);

  answers("4.1, 5.5: what is ignored", [
    ["an unknown frame type", frame(0x16, 0, 0, "12345678"), get(1)],
    ["an unknown frame type on a stream", frame(0x16, 0xff, 1, ""), get(1)],
    ["undefined flags", frame(TYPE.PING, 0xfe, 0, "12345678"), get(1)],
    ["the reserved bit of a stream id", frame(TYPE.PING, 0, 0x80000000, "12345678"), get(1)],
    ["unknown settings", settings([0xff, 1], [8, 1], [0x4a4a, 7]), get(1)],
    ["unknown error codes", get(1), frame(TYPE.GOAWAY, 0, 0, join(uint32(0), uint32(0xff)))],
  ]);

  answers(
    "7: a reset with an unknown code",
    [
      [
        "and another request",
        noWindow,
        get(1),
        numbered(TYPE.RST_STREAM, 1, 0xff),
        settings([4, 100]),
        get(3),
      ],
    ],
    [3],
  );

  ends("4.2, 6: frames of a wrong size", FRAME_SIZE_ERROR, [
    ["4.2 data above the limit", post(1), data(1, new Uint8Array(16_385), END)],
    [
      "4.2 headers above the limit",
      frame(TYPE.HEADERS, END | END_HEADERS, 1, join(blockOf, block([["x", "y".repeat(17_000)]]))),
    ],
    ["6.2 headers too short for a priority", frame(TYPE.HEADERS, END | END_HEADERS | PRIORITY, 1, "\0\0")],
    ["6.3 priority of 4 octets", frame(TYPE.PRIORITY, 0, 1, uint32(0))],
    ["6.4 reset of 3 octets", post(1), frame(TYPE.RST_STREAM, 0, 1, "abc")],
    ["6.5 acknowledgement with payload", frame(TYPE.SETTINGS, ACK, 0, "\0")],
    ["6.5 settings of 3 octets", frame(TYPE.SETTINGS, 0, 0, "abc")],
    ["6.7 ping of 6 octets", frame(TYPE.PING, 0, 0, "123456")],
    ["6.8 goaway of 7 octets", frame(TYPE.GOAWAY, 0, 0, "1234567")],
    ["6.9 window update of 3 octets", frame(TYPE.WINDOW_UPDATE, 0, 0, "123")],
  ]);

  resets("6.3: priority of a wrong size on an open stream", FRAME_SIZE_ERROR, [
    ["3 octets", post(1), frame(TYPE.PRIORITY, 0, 1, "abc")],
  ]);

  ends("5, 6, 8: frames where they may not be", PROTOCOL_ERROR, [
    [
      "4.3 priority in a header block",
      opened(1, blockOf),
      priority(1, 0),
      continued(1, blockOf, END_HEADERS),
    ],
    ["4.3 headers in a header block", opened(1, blockOf), get(3)],
    ["5.1 data on an idle stream", data(1, "test", END)],
    ["5.1 reset of an idle stream", numbered(TYPE.RST_STREAM, 1, 8)],
    ["5.1 window update on an idle stream", numbered(TYPE.WINDOW_UPDATE, 1, 100)],
    ["5.1 continuation on an idle stream", continued(1, blockOf, END_HEADERS)],
    ["5.1 continuation after the end", get(1), continued(1, blockOf, END_HEADERS)],
    [
      "5.1 continuation after a reset",
      post(1),
      numbered(TYPE.RST_STREAM, 1, 8),
      continued(1, blockOf, END_HEADERS),
    ],
    ["5.1.1 an even stream", get(2)],
    ["5.1.1 a stream below the last", get(5), get(3)],
    ["5.3.1 priority on itself, idle", priority(1, 1)],
    ["5.4.1 ping on a stream", frame(TYPE.PING, 0, 3, "12345678")],
    ["5.5 an unknown frame in a header block", opened(1, blockOf), frame(0x16, 0, 0, "")],
    ["6.1 data on stream 0", data(0, "test", END)],
    ["6.1 padding as long as the frame", post(1), data(1, "\x05test", END | PADDED)],
    ["6.1 padding of an empty frame", post(1), data(1, "", END | PADDED)],
    ["6.2 headers on stream 0", headers(0, request(), END)],
    [
      "6.2 padding longer than the headers",
      frame(TYPE.HEADERS, END | END_HEADERS | PADDED, 1, join(octets("\xff"), blockOf)),
    ],
    ["6.2 padding of empty headers", frame(TYPE.HEADERS, END | END_HEADERS | PADDED, 1, "")],
    ["6.3 priority of stream 0", priority(0, 1)],
    ["6.4 reset of stream 0", numbered(TYPE.RST_STREAM, 0, 8)],
    ["6.5 settings on a stream", frame(TYPE.SETTINGS, 0, 1, "")],
    ["6.5 a second acknowledgement", frame(TYPE.SETTINGS, ACK, 0)],
    ["6.5.2 ENABLE_PUSH 2", settings([2, 2])],
    ["6.5.2 MAX_FRAME_SIZE below", settings([5, 16_383])],
    ["6.5.2 MAX_FRAME_SIZE above", settings([5, 16_777_216])],
    ["6.8 goaway on a stream", frame(TYPE.GOAWAY, 0, 1, "12345678")],
    ["6.9 window update of nothing", numbered(TYPE.WINDOW_UPDATE, 0, 0)],
    ["6.10 continuation of stream 0", opened(1, blockOf), continued(0, blockOf, END_HEADERS)],
    ["6.10 continuation of another stream", opened(1, blockOf), continued(3, blockOf, END_HEADERS)],
    ["6.10 data in a header block", post(1), opened(3, blockOf), data(1, "test", END)],
    ["6.10 continuation after headers", post(1), continued(1, blockOf, END_HEADERS)],
    [
      "6.10 continuation after continuation",
      opened(1, blockOf, 0),
      continued(1, new Uint8Array(0), END_HEADERS),
      continued(1, blockOf, END_HEADERS),
    ],
    ["6.10 continuation after data", post(1), data(1, "test"), continued(1, blockOf, END_HEADERS)],
    ["8.4 push promise", frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, join(uint32(2), blockOf))],
  ]);

  ends("6.5.2, 6.9.1: windows of the connection", FLOW_CONTROL_ERROR, [
    ["INITIAL_WINDOW_SIZE above the largest", settings([4, 0x80000000])],
    [
      "window update above the largest",
      numbered(TYPE.WINDOW_UPDATE, 0, 0x7fffffff),
      numbered(TYPE.WINDOW_UPDATE, 0, 0x7fffffff),
    ],
    [
      "INITIAL_WINDOW_SIZE that takes a stream above it",
      noWindow,
      get(1),
      numbered(TYPE.WINDOW_UPDATE, 1, 4),
      post(3),
      numbered(TYPE.WINDOW_UPDATE, 3, 0x7fffffff),
      settings([4, 1]),
    ],
  ]);

  resets("5.1: frames on streams that are half-closed or reset", STREAM_CLOSED, [
    ["data on a half-closed stream", noWindow, get(1), data(1, "test", END)],
    ["headers on a half-closed stream", noWindow, get(1), get(1)],
    ["data after a reset", post(1), numbered(TYPE.RST_STREAM, 1, 8), data(1, "test", END)],
    ["headers after a reset", post(1), numbered(TYPE.RST_STREAM, 1, 8), get(1)],
  ]);

  resets("6.9: windows of a stream", FLOW_CONTROL_ERROR, [
    [
      "above the largest",
      post(1),
      numbered(TYPE.WINDOW_UPDATE, 1, 0x7fffffff),
      numbered(TYPE.WINDOW_UPDATE, 1, 0x7fffffff),
    ],
  ]);

  resets("5.3.1, 6.9, 8: malformed messages", PROTOCOL_ERROR, [
    [
      "5.3.1 headers on itself",
      frame(TYPE.HEADERS, END | END_HEADERS | PRIORITY, 1, join(uint32(1), octets("\xff"), blockOf)),
    ],
    ["5.3.1 priority on itself", post(1), priority(1, 1)],
    ["6.9 window update of nothing", post(1), numbered(TYPE.WINDOW_UPDATE, 1, 0)],
    ["8.1 a second head that does not end the stream", post(1), headers(1, [["x", "y"]])],
    ["8.1 trailers and data after them", post(1), headers(1, request())],
    ["8.1.1 data beyond the content-length", post(1, { "content-length": "1" }), data(1, "test", END)],
    [
      "8.1.1 data beyond it, in several frames",
      post(1, { "content-length": "1" }),
      data(1, "test"),
      data(1, "test", END),
    ],
    ["8.1.1 data short of it", post(1, { "content-length": "5" }), data(1, "test", END)],
    [
      "8.1.1 trailers short of it",
      post(1, { "content-length": "5" }),
      data(1, "test"),
      headers(1, [["x", "y"]], END),
    ],
    ["8.1.1 no data at all", headers(1, request({ "content-length": "5" }), END)],
    ["8.1 a pseudo field in trailers", post(1), headers(1, [[":method", "GET"]], END)],
    ["8.1 a framing field in trailers", post(1), headers(1, [["content-length", "0"]], END)],
    ["8.1 another forbidden trailer", post(1), headers(1, [["authorization", "x"]], END)],
    ["a broken index after all", frame(TYPE.HEADERS, END | END_HEADERS, 1, join(octets("\x81"), blockOf))],
  ]);

  return rules;
}
