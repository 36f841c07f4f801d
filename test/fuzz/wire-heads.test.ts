// Laws of the head parsers, on random octets, on damaged messages and on generated ones.

import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import type { Header } from "../../src/model/request.ts";
import {
  type HeadLimits,
  parseRequestHead,
  parseResponseHead,
  serialiseRequestHead,
  serialiseResponseHead,
} from "../../src/wire/http1/head.ts";
import type { ParseResult } from "../../src/wire/http1/parse-result.ts";
import { anyText } from "../support/any-text.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";
import { mutate, randomOf } from "../support/wire/mutations.ts";
import { latin1, octets } from "../support/wire/octets.ts";

setDefaultTimeout(fuzzRuns(300_000));

const SEEDS = [
  "GET /a?b HTTP/1.1\r\nHost: a\r\nA: \x80 \r\n\r\n",
  "\r\nPOST http://a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close, te\r\n\r\nhello",
  "PUT / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
  "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nExpect: 100-continue\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
  "GET /a HTTP/1.1\r\nHost: a\r\nX: y\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n",
  "HTTP/1.0 404 N\xe4\r\nTransfer-Encoding: chunked\r\n\r\n",
];

/** Octets that are close to a message, or not at all. */
const input = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(fc.nat(), fc.nat({ max: SEEDS.length - 1 }))
    .map(([seed, index]) => octets(mutate(SEEDS[index] as string, randomOf(seed)))),
);

const limits = fc.oneof(
  fc.constant({ maxBytes: 65_536, maxFields: 256 }),
  fc.record({ maxBytes: fc.integer({ min: 1, max: 120 }), maxFields: fc.nat({ max: 3 }) }),
);

type Parser = (bytes: Uint8Array, limits: HeadLimits, seen?: number) => ParseResult<unknown>;

/** A response's head makes its texts when they are asked for; compared are all of them. */
function parseResponse(bytes: Uint8Array, method: string, bounds?: HeadLimits, seen?: number) {
  const answer = parseResponseHead(bytes, method, bounds, seen);
  if (answer.kind !== "ok") return answer;
  const { status, statusText, version, headers, framing, keepAlive, upgrade, verbatim } = answer.value;
  const value = { status, statusText, version, headers, framing, keepAlive, upgrade, verbatim };
  return { ...answer, value };
}

const PARSERS: [name: string, parse: Parser][] = [
  ["requests", parseRequestHead],
  ["responses to GET", (bytes, bounds, seen) => parseResponse(bytes, "GET", bounds, seen)],
  ["responses to HEAD", (bytes, bounds, seen) => parseResponse(bytes, "HEAD", bounds, seen)],
];

for (const [name, parse] of PARSERS) {
  test(`${name}: however the octets arrive, the answer is the one for all at once`, () => {
    fc.assert(
      fc.property(
        input,
        limits,
        fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 }),
        fc.boolean(),
        (bytes, bounds, steps, tellsSeen) => {
          const whole = parse(bytes, bounds);
          let seen = 0;
          for (const step of [...steps, bytes.length]) {
            const length = Math.min(bytes.length, seen + step);
            const answer = parse(bytes.subarray(0, length), bounds, tellsSeen ? seen : 0);
            if (answer.kind !== "need-more") {
              // An early refusal is final; so is an early head.
              expect<unknown>(answer).toEqual(whole);
              return;
            }
            seen = length;
          }
          // With `seen`, a line that is broken before its end may be noticed only at the next line feed.
          if (!tellsSeen) expect(whole.kind).toBe("need-more");
        },
      ),
      { numRuns: fuzzRuns(400) },
    );
  });

  test(`${name}: a consumed length is within the input and the bound, and reasons are short clauses`, () => {
    fc.assert(
      fc.property(input, limits, (bytes, bounds) => {
        const answer = parse(bytes, bounds);
        if (answer.kind === "ok") {
          expect(answer.length).toBeLessThanOrEqual(Math.min(bytes.length, bounds.maxBytes));
          expect(latin1(bytes.subarray(answer.length - 4, answer.length))).toBe("\r\n\r\n");
        } else if (answer.kind === "bad") expect(answer.reason).toMatch(/^[a-z0-9][a-z0-9 ./-]{4,60}$/);
        else expect(bytes.length).toBeLessThan(bounds.maxBytes);
      }),
      { numRuns: fuzzRuns(400) },
    );
  });
}

test("an accepted request, written and read again, is the same request", () => {
  fc.assert(
    fc.property(input, (bytes) => {
      const first = parseRequestHead(bytes);
      if (first.kind !== "ok") return;
      const written = serialiseRequestHead(first.value);
      const second = parseRequestHead(written);
      if (first.value.version === "1.0" && first.value.authority === undefined) return;
      if (second.kind !== "ok") throw new Error(`refused when read again: ${second.kind}`);
      expect(second.length).toBe(written.length);
      const { version: _, keepAlive: __, verbatim: ___, ...same } = first.value;
      expect(second.value).toMatchObject(same);
    }),
    { numRuns: fuzzRuns(600) },
  );
});

test("an accepted response, written and read again, is the same response", () => {
  fc.assert(
    fc.property(input, (bytes) => {
      const first = parseResponse(bytes, "GET");
      if (first.kind !== "ok") return;
      const written = serialiseResponseHead(first.value);
      const second = parseResponse(written, "GET");
      if (second.kind !== "ok") throw new Error("refused when read again");
      expect(second.length).toBe(written.length);
      const { version: _, keepAlive: __, verbatim: ___, ...same } = first.value;
      expect(second.value).toMatchObject(same);
    }),
    { numRuns: fuzzRuns(600) },
  );
});

const ONE_HOP = /^(?:connection|keep-alive|proxy-.*|te|upgrade|expect)$/i;

test("a head that goes on verbatim is what would be written, and has no field that concerns one hop", () => {
  fc.assert(
    fc.property(input, (bytes) => {
      const request = parseRequestHead(bytes);
      if (request.kind === "ok" && request.value.verbatim)
        expect(request.value.verbatim).toEqual(serialiseRequestHead(request.value));
      const response = parseResponseHead(bytes, "GET");
      if (response.kind === "ok" && response.value.verbatim)
        expect(response.value.verbatim).toEqual(serialiseResponseHead(response.value));
      for (const read of [request, response])
        if (read.kind === "ok" && read.value.verbatim)
          expect(read.value.headers.some(([field]) => ONE_HOP.test(field))).toBe(false);
    }),
    { numRuns: fuzzRuns(2_000) },
  );
});

const name = fc
  .string({ unit: fc.constantFrom(..."abcXYZ019-!#$%&'*+.^_`|~"), minLength: 1, maxLength: 12 })
  .map((text) => `x${text}`);
const fieldCharacter = fc
  .integer({ min: 0x21, max: 0xff })
  .filter((code) => code !== 0x7f)
  .map((code) => String.fromCharCode(code));
const value = fc.oneof(
  fc.string({ unit: fieldCharacter, maxLength: 20 }),
  fc
    .tuple(
      fc.string({ unit: fieldCharacter, minLength: 1, maxLength: 9 }),
      fc.string({ unit: fieldCharacter, minLength: 1, maxLength: 9 }),
    )
    .map(([a, b]) => `${a} \t${b}`),
);
const headers = fc.array(fc.tuple(name, value), { maxLength: 20 });

test("a head in plain spelling, parsed and written, is the same octets", () => {
  const method = fc.constantFrom("GET", "POST", "PATCH", "X-Odd", "get");
  const target = fc.string({
    unit: fc
      .integer({ min: 0x21, max: 0x7e })
      .filter((code) => code !== 0x23)
      .map((code) => String.fromCharCode(code)),
    maxLength: 30,
  });
  fc.assert(
    fc.property(method, target, headers, (sentMethod, rest, fields) => {
      const all: Header[] = [["Host", "a.example"], ...fields];
      const lines = all.map(([key, text]) => `${key}: ${text}\r\n`).join("");
      const bytes = octets(`${sentMethod} /${rest} HTTP/1.1\r\n${lines}\r\n`);
      const parsed = parseRequestHead(bytes);
      if (parsed.kind !== "ok") throw new Error(`refused: ${JSON.stringify(parsed)}`);
      expect(parsed.value.headers).toEqual(all);
      expect(serialiseRequestHead(parsed.value)).toEqual(bytes);
      expect(parsed.value.verbatim).toEqual(bytes);
      const answer = octets(`HTTP/1.1 299 ${rest}\r\n${lines}\r\n`);
      const response = parseResponseHead(answer, "GET");
      if (response.kind !== "ok") throw new Error(`refused: ${JSON.stringify(response)}`);
      expect(serialiseResponseHead(response.value)).toEqual(answer);
      expect(response.value.verbatim).toEqual(answer);
    }),
    { numRuns: fuzzRuns(300) },
  );
});

test("whatever is written can be read, or writing it throws", () => {
  const text = anyText({ maxLength: 12 });
  const anyHeaders = fc.array(fc.tuple(fc.oneof(name, text), fc.oneof(value, text)), { maxLength: 4 });
  fc.assert(
    fc.property(
      fc.oneof(fc.constant("GET"), text),
      fc.oneof(fc.constant("/"), text),
      anyHeaders,
      (method, target, fields) => {
        const all: Header[] = [["Host", "a"], ...fields];
        let written: Uint8Array;
        try {
          written = serialiseRequestHead({ method, target, headers: all });
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        const read = parseRequestHead(written);
        // A target that no request may have is refused; nothing ever reads as other fields or another line.
        if (read.kind === "bad") return;
        if (read.kind !== "ok") throw new Error("written head has no end");
        expect([read.value.method, read.value.target, read.length]).toEqual([method, target, written.length]);
        expect(read.value.headers.map(([key]) => key)).toEqual(all.map(([key]) => key));
      },
    ),
    { numRuns: fuzzRuns(600) },
  );
});
