import { describe, expect, test } from "bun:test";
import type { Header } from "../../../src/model/request.ts";
import { BodyDecoder, encodeChunk, encodeLastChunk } from "../../../src/wire/http1/body.ts";
import { join, latin1, octets } from "../../support/wire/octets.ts";

function decode(
  text: string,
): { body: string; rest: string; done: boolean; trailers: readonly Header[] } | string {
  const bytes = octets(text);
  const step = new BodyDecoder({ kind: "chunked" }).push(bytes);
  if (step.kind === "bad") return step.reason;
  return {
    body: latin1(join(step.data)),
    rest: text.slice(step.consumed),
    done: step.done,
    trailers: step.trailers,
  };
}

describe("a chunked body is", () => {
  const cases: [text: string, body: string][] = [
    ["0\r\n\r\n", ""],
    ["5\r\nhello\r\n0\r\n\r\n", "hello"],
    ["5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!"],
    ["a\r\n0123456789\r\n0\r\n\r\n", "0123456789"],
    ["A\r\n0123456789\r\n0\r\n\r\n", "0123456789"],
    ["0000000000000005\r\nhello\r\n000\r\n\r\n", "hello"],
    ["2\r\n\r\n\r\n0\r\n\r\n", "\r\n"],
    ["5;a\r\nhello\r\n0;b\r\n\r\n", "hello"],
    ['5;a=b;c="d \\" \t;\x80"\r\nhello\r\n0\r\n\r\n', "hello"],
    ['5;a="";b\r\nhello\r\n0\r\n\r\n', "hello"],
    // White space that the grammar allows before and behind `;` and `=`, and the padding of old servers.
    ["5 \r\nhello\r\n0\t \r\n\r\n", "hello"],
    ['5 ; a\t= "b" ;c = d \r\nhello\r\n0\r\n\r\n', "hello"],
  ];
  for (const [text, body] of cases)
    test(JSON.stringify(text), () =>
      expect(decode(text)).toEqual({ body, rest: "", done: true, trailers: [] }),
    );

  test("followed by bytes that are left alone", () =>
    expect(decode("1\r\na\r\n0\r\n\r\nGET /")).toEqual({
      body: "a",
      rest: "GET /",
      done: true,
      trailers: [],
    }));

  test("followed by trailers", () =>
    expect(decode("0\r\nX-Sum:  1\r\nx-b:\x80\r\n\r\nnext")).toEqual({
      body: "",
      rest: "next",
      done: true,
      trailers: [
        ["X-Sum", "1"],
        ["x-b", "\x80"],
      ],
    }));
});

describe("a chunked body is refused when", () => {
  const cases: [why: string, text: string, reason: string][] = [
    ["a size is empty", "\r\n", "malformed chunk size"],
    ["a size is not hexadecimal", "g\r\n", "malformed chunk size"],
    ["a size is prefixed", "0x5\r\nhello\r\n", "malformed chunk size"],
    ["a size is signed", "+5\r\nhello\r\n", "malformed chunk size"],
    ["a size is negative", "-1\r\n", "malformed chunk size"],
    ["a size is preceded by a space", " 5\r\nhello\r\n", "malformed chunk size"],
    ["a size line ends in a bare line feed", "5\nhello\r\n0\r\n\r\n", "malformed chunk size"],
    ["a size line ends in a bare carriage return", "5\rhello\r\n", "bare carriage return in a chunk header"],
    ["a size is beyond 2^53-1", "20000000000000\r\n", "chunk size too large"],
    ["a size wraps at 64 bits", "10000000000000005\r\nhello\r\n", "chunk size too large"],
    ["a size has too many zeros", "00000000000000005\r\nhello\r\n", "chunk size too large"],
    ["data is longer than its size", "4\r\nhello\r\n0\r\n\r\n", "chunk data longer than its size"],
    ["data is shorter than its size", "6\r\nhello\r\n0\r\n\r\n", "chunk data longer than its size"],
    ["data ends in a bare line feed", "5\r\nhello\n0\r\n\r\n", "chunk data longer than its size"],
    ["data ends in a bare carriage return", "5\r\nhello\r0\r\n\r\n", "bare carriage return after chunk data"],
    ["a size has a space inside", "1 0\r\nhello\r\n", "malformed chunk size"],
    ["an extension's name has a space inside", "5;a b\r\nhello\r\n", "malformed chunk extension"],
    ["blanks are endless", `5${" ".repeat(2000)}\r\n`, "chunk extensions too long"],
    ["an extension has no name", "5;\r\nhello\r\n", "malformed chunk extension"],
    ["an extension has no value", "5;a=\r\nhello\r\n", "malformed chunk extension"],
    ["an extension ends in a bare line feed", "5;a\nhello\r\n", "malformed chunk extension"],
    [
      "a quoted extension holds a line feed",
      '5;a="\n"\r\nhello\r\n',
      "control character in a chunk extension",
    ],
    [
      "a quoted extension holds a carriage return",
      '5;a="\r\n"\r\nhello\r\n',
      "control character in a chunk extension",
    ],
    [
      "a quoted extension escapes a line feed",
      '5;a="\\\n"\r\nhello\r\n',
      "control character in a chunk extension",
    ],
    ["something follows a quoted extension", '5;a="b"c\r\nhello\r\n', "malformed chunk extension"],
    ["extensions are endless", `5;${"a".repeat(2000)}\r\n`, "chunk extensions too long"],
    ["a trailer is folded", "0\r\nA: b\r\n c\r\n\r\n", "folded header line"],
    ["a trailer line has no colon", "0\r\nabc\r\n\r\n", "header line without a colon"],
    ["the trailer section ends in a bare line feed", "0\r\n\n", "bare line feed"],
    ["a trailer frames", "0\r\nContent-Length: 5\r\n\r\n", "forbidden trailer field"],
    [
      "a trailer frames in another case",
      "0\r\nTRANSFER-ENCODING: chunked\r\n\r\n",
      "forbidden trailer field",
    ],
    ["a trailer routes", "0\r\nHost: b\r\n\r\n", "forbidden trailer field"],
    ["a trailer authenticates", "0\r\nAuthorization: b\r\n\r\n", "forbidden trailer field"],
    [
      "a trailer changes the method",
      "0\r\nX-HTTP-Method-Override: DELETE\r\n\r\n",
      "forbidden trailer field",
    ],
    ["trailers are too many", `0\r\n${"A: b\r\n".repeat(65)}\r\n`, "too many header fields"],
    ["trailers are too large", `0\r\nA: ${"b".repeat(20_000)}`, "trailer section too large"],
  ];
  for (const [why, text, reason] of cases)
    test(why, () => {
      expect(decode(text)).toBe(reason);
      // Whatever the pieces, the answer is the same, and it stays.
      const decoder = new BodyDecoder({ kind: "chunked" });
      for (const octet of octets(text)) decoder.push(Uint8Array.of(octet));
      expect(decoder.push(octets("0\r\n\r\n"))).toEqual({ kind: "bad", reason });
      expect(decoder.end()).toBe("truncated");
    });
});

describe("a body ends", () => {
  test("at once when there is none, leaving every byte", () => {
    for (const framing of [{ kind: "none" }, { kind: "length", length: 0 }] as const) {
      const decoder = new BodyDecoder(framing);
      expect(decoder.push(octets("GET"))).toEqual({
        kind: "ok",
        data: [],
        consumed: 0,
        done: true,
        trailers: [],
      });
      expect(decoder.end()).toBe("complete");
    }
  });

  test("after its length, leaving what follows", () => {
    const decoder = new BodyDecoder({ kind: "length", length: 5 });
    expect(decoder.push(octets("he"))).toMatchObject({ consumed: 2, done: false });
    expect(decoder.end()).toBe("truncated");
    const step = decoder.push(octets("lloGET"));
    if (step.kind === "bad") throw new Error(step.reason);
    expect([latin1(join(step.data)), step.consumed, step.done]).toEqual(["llo", 3, true]);
    expect(decoder.end()).toBe("complete");
    expect(decoder.push(octets("GET"))).toMatchObject({ data: [], consumed: 0, done: true });
  });

  test("with the connection when it has no length", () => {
    const decoder = new BodyDecoder({ kind: "until-close" });
    expect(decoder.push(octets("abc"))).toMatchObject({ consumed: 3, done: false });
    expect(decoder.end()).toBe("complete");
  });

  test("truncated when the connection closes inside a chunked body", () => {
    for (const text of [
      "",
      "5",
      "5\r\nhel",
      "5\r\nhello",
      "5\r\nhello\r\n",
      "0\r\n",
      "0\r\n\r",
      "0\r\nA: b\r\n",
    ]) {
      const decoder = new BodyDecoder({ kind: "chunked" });
      decoder.push(octets(text));
      expect(decoder.end()).toBe("truncated");
    }
  });
});

test("data are views of the input, not copies", () => {
  const bytes = octets("5\r\nhello\r\n0\r\n\r\n");
  const step = new BodyDecoder({ kind: "chunked" }).push(bytes);
  if (step.kind === "bad") throw new Error(step.reason);
  expect(step.data[0]?.buffer).toBe(bytes.buffer);
  expect(step.data[0]?.byteOffset).toBe(3);
});

test("trailers survive the reuse of the caller's buffer", () => {
  for (const first of [octets("0\r\nX-Sum: 12"), Buffer.from("0\r\nX-Sum: 12")]) {
    const decoder = new BodyDecoder({ kind: "chunked" });
    decoder.push(first);
    first.fill(0);
    expect(decoder.push(octets("3\r\n\r\n"))).toMatchObject({ done: true, trailers: [["X-Sum", "123"]] });
  }
});

test("a chunk is written around its data, and no chunk for no data", () => {
  const data = octets("0123456789abcdefg");
  const pieces = encodeChunk(data);
  expect(pieces[1]).toBe(data);
  expect(latin1(join(pieces))).toBe("11\r\n0123456789abcdefg\r\n");
  expect(encodeChunk(new Uint8Array(0))).toEqual([]);
  expect(latin1(encodeLastChunk([]))).toBe("0\r\n\r\n");
  expect(latin1(encodeLastChunk([["A", "b"]]))).toBe("0\r\nA: b\r\n\r\n");
});
