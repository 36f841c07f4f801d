// HPACK against the worked examples of RFC 7541 Appendix C, and against itself under every table
// size.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Header } from "../../../src/model/request.ts";
import { HpackDecoder } from "../../../src/wire/hpack/decoder.ts";
import { checkFields, HpackEncoder } from "../../../src/wire/hpack/encoder.ts";
import { decodeHuffman, huffmanLength, writeHuffman } from "../../../src/wire/hpack/huffman.ts";
import { Http2FieldSection } from "../../../src/wire/http2/field-section.ts";
import { fuzzRuns } from "../../support/fuzz-runs.ts";
import { join } from "../../support/wire/http2-frames.ts";
import { octets } from "../../support/wire/octets.ts";

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

/** The fields of one block, or how it failed. */
function decode(decoder: HpackDecoder, block: Uint8Array): readonly Header[] | string {
  const section = new Http2FieldSection(1_000_000, true);
  section.start();
  const outcome = decoder.decode(block, 0, block.length, section);
  return outcome === "ok" ? section.headers : outcome;
}

function encode(encoder: HpackEncoder, headers: readonly Header[]): Uint8Array {
  const out = new Uint8Array(HpackEncoder.maxLength(headers));
  return out.slice(0, encoder.encode(headers, out, 0));
}

type Example = readonly [block: string, ...fields: string[]];

/** RFC 7541 Appendix C: blocks of one connection each, and what they say; "name: value". */
const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  "C.2.1 literal with indexing": [
    ["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", "custom-key: custom-header"],
    ["be", "custom-key: custom-header"],
  ],
  "C.2.2 literal without indexing": [["040c 2f73 616d 706c 652f 7061 7468", ":path: /sample/path"]],
  "C.2.3 literal never indexed": [["1008 7061 7373 776f 7264 0673 6563 7265 74", "password: secret"]],
  "C.2.4 indexed": [["82", ":method: GET"]],
  "C.3 requests": [
    [
      "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      ":method: GET",
      ":scheme: http",
      ":path: /",
      ":authority: www.example.com",
    ],
    [
      "8286 84be 5808 6e6f 2d63 6163 6865",
      ":method: GET",
      ":scheme: http",
      ":path: /",
      ":authority: www.example.com",
      "cache-control: no-cache",
    ],
    [
      "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
      ":method: GET",
      ":scheme: https",
      ":path: /index.html",
      ":authority: www.example.com",
      "custom-key: custom-value",
    ],
  ],
  "C.4 requests, Huffman": [
    [
      "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
      ":method: GET",
      ":scheme: http",
      ":path: /",
      ":authority: www.example.com",
    ],
    [
      "8286 84be 5886 a8eb 1064 9cbf",
      ":method: GET",
      ":scheme: http",
      ":path: /",
      ":authority: www.example.com",
      "cache-control: no-cache",
    ],
    [
      "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
      ":method: GET",
      ":scheme: https",
      ":path: /index.html",
      ":authority: www.example.com",
      "custom-key: custom-value",
    ],
  ],
  "C.5 responses, table of 256 octets": [
    [
      "3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
      ":status: 302",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:21 GMT",
      "location: https://www.example.com",
    ],
    [
      "4803 3330 37c1 c0bf",
      ":status: 307",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:21 GMT",
      "location: https://www.example.com",
    ],
    [
      "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
      ":status: 200",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:22 GMT",
      "location: https://www.example.com",
      "content-encoding: gzip",
      "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
  ],
  "C.6 responses, Huffman, table of 256 octets": [
    [
      "3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
      ":status: 302",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:21 GMT",
      "location: https://www.example.com",
    ],
    [
      "4883 640e ffc1 c0bf",
      ":status: 307",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:21 GMT",
      "location: https://www.example.com",
    ],
    [
      "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
      ":status: 200",
      "cache-control: private",
      "date: Mon, 21 Oct 2013 20:13:22 GMT",
      "location: https://www.example.com",
      "content-encoding: gzip",
      "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    ],
  ],
};

describe("RFC 7541 Appendix C", () => {
  for (const [name, blocks] of Object.entries(EXAMPLES)) {
    test(`${name}: is read as it says`, () => {
      const decoder = new HpackDecoder();
      for (const [block, ...fields] of blocks) {
        const read = decode(decoder, fromHex(block));
        expect(Array.isArray(read) ? read.map(([key, value]) => `${key}: ${value}`) : read).toEqual(fields);
      }
    });
  }

  test("C.4: requests are written as it says, save :path", () => {
    const encoder = new HpackEncoder();
    for (const [block, ...fields] of EXAMPLES["C.4 requests, Huffman"] as readonly Example[]) {
      const headers = fields.map((field) => /^(:?[^:]+): (.*)$/.exec(field)?.slice(1) as unknown as Header);
      expect(Buffer.from(encode(encoder, headers)).toString("hex")).toBe(block.replaceAll(" ", ""));
    }
  });
});

describe("the dynamic table", () => {
  test("an entry may name itself by the name of the one that it pushes out", () => {
    const decoder = new HpackDecoder();
    // A table of 64 octets holds one short entry.
    decode(decoder, join(fromHex("3f21"), octets("\x40\x03abc\x03one")));
    expect(decode(decoder, octets("\x7e\x03two"))).toEqual([["abc", "two"]]);
    expect(decode(decoder, fromHex("be"))).toEqual([["abc", "two"]]);
    expect(decode(decoder, fromHex("bf"))).toBe("malformed");
  });

  test("an entry larger than the table empties it, and is no error", () => {
    const decoder = new HpackDecoder();
    decode(decoder, octets("\x40\x03abc\x03one"));
    const large = join(fromHex("4003646566 7f8120"), octets("x".repeat(4224)));
    expect(decode(decoder, large)).toEqual([["def", "x".repeat(4224)]]);
    expect(decode(decoder, fromHex("be"))).toBe("malformed");
  });

  test("holds its 4,096 octets, and no more", () => {
    const decoder = new HpackDecoder();
    for (let i = 0; i < 200; i++) decode(decoder, octets(`\x40\x01a\x03${100 + i}`));
    // 36 octets an entry: 113 of them, at 62 to 174.
    expect(decode(decoder, fromHex("ff2f"))).toEqual([["a", "187"]]);
    expect(decode(decoder, fromHex("ff30"))).toBe("malformed");
  });

  test("a smaller size is announced before the next block, the smallest in between too", () => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder();
    const headers: readonly Header[] = [["x-first", "one"]];
    decode(decoder, encode(encoder, headers));
    encoder.limitTable(0);
    encoder.limitTable(100);
    const block = encode(encoder, headers);
    expect([...block.subarray(0, 3)]).toEqual([0x20, 0x3f, 0x45]);
    expect(decode(decoder, block)).toEqual([...headers]);
    expect(encode(encoder, headers).length).toBe(1);
    encoder.limitTable(1_000_000);
    expect(decode(decoder, encode(encoder, headers))).toEqual([...headers]);
  });
});

describe("what is not put into a table", () => {
  const blockOf = (name: string, value: string): Uint8Array => encode(new HpackEncoder(), [[name, value]]);

  for (const name of [
    "authorization",
    "cookie",
    "set-cookie",
    "proxy-authorization",
    "x-amz-security-token",
  ]) {
    test(`${name}: never indexed`, () => {
      expect((blockOf(name, "secret")[0] ?? 0) & 0xf0).toBe(0x10);
    });
  }

  for (const name of [":path", "content-length", "etag", "x-request-id"]) {
    test(`${name}: not indexed`, () => {
      expect((blockOf(name, "123")[0] ?? 0) & 0xf0).toBe(0);
    });
  }

  test("a field that the peer marked never indexed goes on so, even if a table holds it", () => {
    const [marked] = decode(new HpackDecoder(), octets("\x10\x03abc\x03xyz")) as readonly Header[];
    const encoder = new HpackEncoder();
    encode(encoder, [["abc", "xyz"]]);
    expect((encode(encoder, [marked as Header])[0] ?? 0) & 0xf0).toBe(0x10);
    expect((encode(encoder, [["abc", "xyz"]])[0] ?? 0) & 0x80).toBe(0x80);
  });
});

describe("fields that would not read back", () => {
  for (const [why, name, value] of [
    ["a capital", "X-Test", "ok"],
    ["an empty name", "", "ok"],
    ["a space in a name", "x test", "ok"],
    ["an unknown pseudo field", ":test", "ok"],
    ["a connection-specific field", "connection", "close"],
    ["another", "transfer-encoding", "chunked"],
    ["a line feed", "x", "a\nb"],
    ["NUL", "x", "\0"],
    ["a space in front", "x", " a"],
    ["a space behind", "x", "a "],
    ["a character that is no octet", "x", "\u0100"],
  ] as const) {
    test(`${why}: throws, and the next block is sound`, () => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      decode(decoder, encode(encoder, [["x-kept", "1"]]));
      expect(() =>
        encode(encoder, [
          ["x-new", "2"],
          [name, value],
        ]),
      ).toThrow(TypeError);
      expect(() => checkFields([[name, value]])).toThrow(TypeError);
      const fields: readonly Header[] = [
        ["x-new", "2"],
        ["x-kept", "1"],
      ];
      expect(decode(decoder, encode(encoder, fields))).toEqual([...fields]);
      expect(decode(decoder, encode(encoder, fields))).toEqual([...fields]);
    });
  }
});

describe("Huffman coding", () => {
  test("every octet, and every pair with a long code, comes back", () => {
    for (let first = 0; first < 256; first++) {
      for (const second of ["", "0", "\\", "\x01", "\xff"]) {
        const text = String.fromCharCode(first) + second;
        const coded = new Uint8Array(16);
        const end = writeHuffman(coded, 0, text);
        expect(end).toBe(huffmanLength(text));
        const decoded = new Uint8Array(16);
        const length = decodeHuffman(coded, 0, end, decoded);
        expect(String.fromCharCode(...decoded.subarray(0, Math.max(0, length)))).toBe(text);
      }
    }
  });

  test("whatever decodes is what would have been written", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        const decoded = new Uint8Array(64);
        const length = decodeHuffman(bytes, 0, bytes.length, decoded);
        if (length < 0) return;
        const again = new Uint8Array(64);
        const end = writeHuffman(again, 0, String.fromCharCode(...decoded.subarray(0, length)));
        expect([...again.subarray(0, end)]).toEqual([...bytes]);
      }),
      { numRuns: fuzzRuns(2000) },
    );
  });
});

const name = fc.oneof(
  fc.constantFrom(":path", "accept", "cookie", "x-a", "x-b", "content-length", "date", "user-agent"),
  fc
    .stringMatching(/^[a-z0-9-]{1,40}$/)
    .filter((text) => !["connection", "upgrade", "keep-alive"].includes(text)),
);
const value = fc.oneof(
  fc.constantFrom("", "/", "gzip, deflate", "1", "2"),
  fc.stringMatching(/^[!-~\x80-\xff]{1,60}$/),
  fc.nat(5000).map((length) => "y".repeat(length)),
);
const step = fc.record({
  headers: fc.array(fc.tuple(name, value), { maxLength: 12 }),
  limit: fc.option(fc.nat(5000), { nil: undefined }),
  isBroken: fc.boolean(),
});

test("what is written is what is read, over any history of fields, table sizes and mistakes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder();
      for (const { headers, limit, isBroken } of steps) {
        if (limit !== undefined) encoder.limitTable(limit);
        if (isBroken) expect(() => encode(encoder, [...headers, ["x", "\n"]])).toThrow(TypeError);
        expect(decode(decoder, encode(encoder, headers))).toEqual(headers);
      }
    }),
    { numRuns: fuzzRuns(300) },
  );
});

test("no bytes make the decoder throw", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HpackDecoder();
      for (const block of blocks) decode(decoder, block);
    }),
    { numRuns: fuzzRuns(3000) },
  );
});
