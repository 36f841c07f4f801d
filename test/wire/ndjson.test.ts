import { describe, expect, test } from "bun:test";
import { NdjsonDecoder } from "../../src/wire/ndjson.ts";

const encoder = new TextEncoder();

test("values come out as their lines end, in whatever pieces", () => {
  const bytes = encoder.encode('{"a":"\u00e4\u{1f600}"}\n\r\n  \n[1]\r\nnull\n"last"');
  for (const size of [1, 2, 3, 7, bytes.length]) {
    const decoder = new NdjsonDecoder();
    const values: unknown[] = [];
    for (let at = 0; at < bytes.length; at += size)
      values.push(...decoder.push(bytes.subarray(at, at + size)));
    values.push(...decoder.end());
    expect(values).toEqual([{ a: "\u00e4\u{1f600}" }, [1], null, "last"]);
    expect(decoder.problem).toBeUndefined();
  }
});

describe("decoding stops, with what came before kept, at", () => {
  const cases: [what: string, bytes: Uint8Array, problem: string][] = [
    ["a line that is not JSON", encoder.encode("1\n{a}\n2\n"), "line is not json"],
    ["two values in a line", encoder.encode("1\n2 3\n"), "line is not json"],
    [
      "octets that are not UTF-8",
      Uint8Array.from([0x31, 0x0a, 0x22, 0xff, 0x22, 0x0a, 0x32, 0x0a]),
      "line is not json",
    ],
    ["a line that is too long", encoder.encode(`1\n"${"a".repeat(100)}"\n2\n`), "line too long"],
    ["a line that is too long and never ends", encoder.encode(`1\n"${"a".repeat(100)}`), "line too long"],
  ];
  for (const [what, bytes, problem] of cases)
    for (const size of [1, bytes.length])
      test(`${what}, in pieces of ${size}`, () => {
        const decoder = new NdjsonDecoder(50);
        const values: unknown[] = [];
        for (let at = 0; at < bytes.length; at += size)
          values.push(...decoder.push(bytes.subarray(at, at + size)));
        expect(values).toEqual([1]);
        expect(decoder.problem).toBe(problem);
        expect(decoder.push(encoder.encode("3\n"))).toEqual([]);
        expect(decoder.end()).toEqual([]);
      });
});

test("a line of exactly the bound is taken, one octet more is not", () => {
  expect(new NdjsonDecoder(4).push(encoder.encode("1234\n"))).toEqual([1234]);
  expect(new NdjsonDecoder(4).push(encoder.encode("12345\n"))).toEqual([]);
});

test("a piece may be overwritten once it was pushed", () => {
  for (const piece of [encoder.encode('"ab'), Buffer.from('"ab')]) {
    const decoder = new NdjsonDecoder();
    decoder.push(piece);
    piece.fill(0);
    expect(decoder.push(encoder.encode('c"\n'))).toEqual(["abc"]);
  }
});
