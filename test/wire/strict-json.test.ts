// JSON on which parsers agree, and the reasons for refusing the rest.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseStrictJson } from "../../src/wire/jsonrpc/strict-json.ts";

test("any JSON that a serialiser makes is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(parseStrictJson(text)).toEqual({ value: JSON.parse(text) });
    }),
    { seed: 1 },
  );
});

for (const [name, text] of [
  ["a member that comes twice", '{"a":1,"a":2}'],
  ["a member that comes twice by an escape", '{"a":1,"\\u0061":2}'],
  ["a member that comes twice further in", '[{"b":[{"a":{"x":1,"y":[],"x":2}}]}]'],
  ["a member that comes twice after a text with quotes", '{"a":"\\\\\\"","b":1,"a":2}'],
  ["nesting that exhausts parsers", "[".repeat(201) + "]".repeat(201)],
  ["a text that never ends", '{"a'],
  ["two values", "{}{}"],
  ["nothing", ""],
  ["a trailing comma", '{"a":1,}'],
  ["a form", "a=1&b=2"],
  ["a byte order mark", "\ufeff{}"],
  ["a blank of another alphabet", "[1,\u00a02]"],
  ["a NUL", "[\0]"],
  ["a word of JavaScript", "[undefined]"],
] as const)
  test(`${name} is refused`, () => expect(parseStrictJson(text)).toHaveProperty("problem"));

for (const text of [
  '{"a":{"a":1},"b":"a"}',
  '[{"a":1},{"a":2}]',
  '{"a":"b","b":"a"}',
  '{"a":["a","a"]}',
  '{"\\"":1,"\\\\":2}',
  '\t[-0.5E+3,\r\n1e-7,true , false,null,{"é":"\u2028"}] ',
])
  test(`${text} repeats nothing`, () => expect(parseStrictJson(text)).toEqual({ value: JSON.parse(text) }));
