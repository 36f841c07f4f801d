// MCP's two framings and its messages under random octets: whatever comes, in whatever pieces,
// nothing throws, nothing is read that JSON.parse reads otherwise, and pieces make no difference.

import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { EventStreamReader, serialiseEvent } from "../../src/wire/jsonrpc/event-stream.ts";
import { LineReader } from "../../src/wire/jsonrpc/line-reader.ts";
import { parseLine, parseMessage } from "../../src/wire/jsonrpc/message.ts";
import { elementsOf, spanAt, without } from "../../src/wire/jsonrpc/spans.ts";
import { anyText } from "../support/any-text.ts";
import { fuzzRuns } from "../support/fuzz-runs.ts";

setDefaultTimeout(fuzzRuns(300_000));

const shape = fc.array(
  fc.constantFrom(
    '{"jsonrpc":"2.0"',
    ',"id":1',
    ',"method":"tools/call"',
    ',"params":{',
    '"name":"x"',
    "}",
    "}",
    "\n",
    "\r",
    "\r\n",
    ":",
    "data: ",
    "event: m",
    "id: 1",
    "\ufeff",
    "[",
    "]",
    "\\",
    '"',
    "é",
    "\u2028",
    " ",
    "retry: 5",
  ),
  { maxLength: 40 },
);
const octets = fc.oneof(
  shape.map((parts) => new TextEncoder().encode(parts.join(""))),
  fc.uint8Array({ maxLength: 200 }),
);
const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 });

function pieces(all: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < all.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    found.push(all.subarray(at, at + length));
    at += length;
  }
  return found;
}

test("lines are the same in whatever pieces", () => {
  fc.assert(
    fc.property(octets, sizes, (all, lengths) => {
      const whole = new LineReader(150);
      const cut = new LineReader(150);
      const one = whole.push(all).map((line) => Buffer.from(line).toString("hex"));
      const other = pieces(all, lengths)
        .flatMap((piece) => cut.push(piece))
        .map((line) => Buffer.from(line).toString("hex"));
      expect(other).toEqual(one);
      expect(cut.problem).toBe(whole.problem);
    }),
    { numRuns: fuzzRuns(2_000) },
  );
});

test("events are the same in whatever pieces", () => {
  fc.assert(
    fc.property(octets, sizes, (all, lengths) => {
      const whole = new EventStreamReader(100);
      const cut = new EventStreamReader(100);
      const one = whole.push(all);
      const other = pieces(all, lengths).flatMap((piece) => cut.push(piece));
      if (whole.problem === undefined && cut.problem === undefined) expect(other).toEqual([...one]);
    }),
    { numRuns: fuzzRuns(2_000) },
  );
});

test("an event that was written is read again", () => {
  const text = anyText({ maxLength: 60 }).filter((each) => !each.includes("\r") && each.isWellFormed());
  fc.assert(
    fc.property(text, (data) => {
      const read = new EventStreamReader(1000).push(new TextEncoder().encode(serialiseEvent({ data })));
      expect(read).toEqual([{ data }]);
    }),
    { numRuns: fuzzRuns(2_000) },
  );
});

test("a message is what JSON.parse reads, and never throws", () => {
  fc.assert(
    fc.property(octets, (all) => {
      parseLine(all);
      const read = parseMessage(all);
      if (read.kind === "bad") return;
      const value = JSON.parse(new TextDecoder().decode(all)) as Record<string, unknown>;
      if (read.kind !== "response") expect(read.method).toBe(value.method as string);
      if (read.kind !== "notification") expect(read.id).toBe((value.id ?? undefined) as never);
    }),
    { numRuns: fuzzRuns(2_000) },
  );
});

test("what is cut out of a list is gone, and nothing else is", () => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { maxLength: 6 }),
      fc.integer({ min: 0, max: 63 }),
      (items, mask) => {
        const text = JSON.stringify({ result: { tools: items, more: "]}" } }, undefined, mask % 3);
        const span = spanAt(text, ["result", "tools"]);
        if (span === undefined) throw new Error("not found");
        const cut = without(text, elementsOf(text, span), (index) => ((mask >> index) & 1) === 1);
        const kept = JSON.parse(JSON.stringify(items)).filter(
          (_: unknown, index: number) => ((mask >> index) & 1) === 0,
        );
        expect(JSON.parse(cut)).toEqual({ result: { tools: kept, more: "]}" } });
      },
    ),
    { numRuns: fuzzRuns(2_000) },
  );
});
