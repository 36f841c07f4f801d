// Laws of body framing, NDJSON and ClientHello: what arrives in pieces is read as what arrives at
// once.

import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import type { Header } from "../../src/model/request.ts";
import { BodyDecoder, encodeChunk, encodeLastChunk } from "../../src/wire/http1/body.ts";
import type { Framing } from "../../src/wire/http1/head.ts";
import { NdjsonDecoder } from "../../src/wire/ndjson.ts";
import { parseClientHello } from "../../src/wire/tls/client-hello.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { alpn, extension, helloMessage, records, serverName } from "../support/wire/client-hello.ts";
import { mutate, randomOf } from "../support/wire/mutations.ts";
import { join, latin1, octets } from "../support/wire/octets.ts";

setDefaultTimeout(fuzzRuns(300_000));

/** The input cut at these places, in order; places beyond its end give empty pieces. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at = Math.min(bytes.length, at + size);
  }
  pieces.push(bytes.subarray(at));
  return pieces;
}

const sizes = fc.array(fc.nat({ max: 9 }), { maxLength: 60 });

interface Decoded {
  readonly body: string;
  readonly rest: string;
  readonly done: boolean;
  readonly trailers: readonly Header[];
  readonly problem: string | undefined;
  readonly end: string;
}

function decode(framing: Framing, pieces: readonly Uint8Array[]): Decoded {
  const decoder = new BodyDecoder(framing);
  const rest: Uint8Array[] = [];
  let body = "";
  let done = false;
  let trailers: readonly Header[] = [];
  for (const piece of pieces) {
    const step = decoder.push(piece);
    if (step.kind === "bad")
      return { body: "", rest: "", done, trailers, problem: step.reason, end: decoder.end() };
    body += latin1(join(step.data));
    if (!step.done) expect(step.consumed).toBe(piece.length);
    rest.push(piece.subarray(step.consumed));
    ({ done, trailers } = step);
  }
  return { body, rest: latin1(join(rest)), done, trailers, problem: undefined, end: decoder.end() };
}

const framing: fc.Arbitrary<Framing> = fc.oneof(
  fc.constant<Framing>({ kind: "chunked" }),
  fc.constant<Framing>({ kind: "chunked" }),
  fc.nat({ max: 40 }).map((length): Framing => ({ kind: "length", length })),
  fc.constant<Framing>({ kind: "until-close" }),
  fc.constant<Framing>({ kind: "none" }),
);

const CHUNKED_SEEDS = [
  "5\r\nhello\r\n0\r\n\r\n",
  '5;a=b;c="d\\"e"\r\nhello\r\n1\r\n!\r\n000\r\nX-Sum: 1\r\nb:\r\n\r\nGET / HTTP/1.1\r\n',
];

const chunkedInput = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc
    .tuple(fc.nat(), fc.nat({ max: 1 }))
    .map(([seed, index]) => octets(mutate(CHUNKED_SEEDS[index] as string, randomOf(seed)))),
);

test("a body in any pieces is the body in one", () => {
  fc.assert(
    fc.property(framing, chunkedInput, sizes, (kind, bytes, pieces) => {
      expect(decode(kind, cut(bytes, pieces))).toEqual(decode(kind, [bytes]));
    }),
    { numRuns: fuzzRuns(1000) },
  );
});

test("chunks and trailers written are read back, and what follows is left", () => {
  const field = fc.tuple(
    fc.constantFrom("X-A", "x-b", "Grpc-Status"),
    fc.constantFrom("", "1", "a \t b", "\x80\xff"),
  );
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      fc.array(field, { maxLength: 4 }),
      fc.uint8Array({ maxLength: 9 }),
      sizes,
      (chunks, trailers, surplus, pieces) => {
        const written = join([...chunks.flatMap(encodeChunk), encodeLastChunk(trailers), surplus]);
        expect(decode({ kind: "chunked" }, cut(written, pieces))).toEqual({
          body: latin1(join(chunks)),
          rest: latin1(surplus),
          done: true,
          trailers,
          problem: undefined,
          end: "complete",
        });
      },
    ),
    { numRuns: fuzzRuns(400) },
  );
});

test("lines of JSON in any pieces give the values of one piece", () => {
  const line = fc.oneof(fc.json(), fc.constantFrom("", " ", "{", '"\u00e4\u{1f600}"', "\r"));
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      sizes,
      fc.constantFrom(12, 1000),
      (lines, pieces, bound) => {
        const bytes = new TextEncoder().encode(lines.join("\n"));
        const read = (parts: readonly Uint8Array[]): unknown => {
          const decoder = new NdjsonDecoder(bound);
          const values = parts.flatMap((part) => [...decoder.push(part)]);
          return { values: [...values, ...decoder.end()], problem: decoder.problem };
        };
        expect(read(cut(bytes, pieces))).toEqual(read([bytes]));
      },
    ),
    { numRuns: fuzzRuns(400) },
  );
});

const HELLO = helloMessage([
  ...extension(0x0a0a, []),
  ...serverName("a.example"),
  ...alpn("h2", "http/1.1"),
  ...extension(43, [2, 3, 4]),
]);

const helloInput = fc.oneof(
  fc.uint8Array({ maxLength: 120 }),
  fc
    .tuple(
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
    )
    .map(([fragment, edits]) => {
      const bytes = records(HELLO, fragment);
      for (const [at, octet] of edits) bytes[at % bytes.length] = octet;
      return bytes;
    }),
);

test("a ClientHello of which more arrives is answered the same", () => {
  fc.assert(
    fc.property(helloInput, sizes, (bytes, pieces) => {
      const whole = parseClientHello(bytes);
      let length = 0;
      for (const size of [...pieces, bytes.length]) {
        length = Math.min(bytes.length, length + size);
        const answer = parseClientHello(bytes.subarray(0, length));
        if (answer.kind !== "need-more") {
          expect<unknown>(answer).toEqual(whole);
          return;
        }
      }
      expect(whole.kind).toBe("need-more");
    }),
    { numRuns: fuzzRuns(1000) },
  );
});

test("a ClientHello says the same in records of any size", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), (fragment) => {
      expect(parseClientHello(records(HELLO, fragment))).toEqual(parseClientHello(records(HELLO)));
    }),
    { numRuns: fuzzRuns(60) },
  );
});
